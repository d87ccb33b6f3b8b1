"""Models of predicted bands on scenes that they never saw: ``python -m bandfold.benchmarks.predicted``.

``--folds`` is a folder that ``python -m bandfold.export.predicted --folds`` wrote: each scene is coded with
the model that was trained without it, for a number of rates, as whole files that are decoded again.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.codecs.ccsds122 import Ccsds122
from bandfold.benchmarks.codecs.json_object import read_object
from bandfold.benchmarks.codecs.recorded import read_anchors
from bandfold.benchmarks.measures.bdrate import Curve, bd_rate, mean
from bandfold.benchmarks.measures.quality import psnr
from bandfold.benchmarks.rate_distortion.curves import measure
from bandfold.benchmarks.scenes.evaluation_scenes import find_scenes
from bandfold.common.errors import SettingsError
from bandfold.ground.decoder import Decoder
from bandfold.onboard.encoder import Encoder
from bandfold.programs import options
from bandfold.programs.program import run, write_figures

RATES = (0.005, 2.0)
"""Bits per sample of the first and the last point."""

POINTS = 12

COMPARED = {
    "JPEG 2000": (0.02, 1.0),
    "CCSDS 122": (0.02, 1.0),
    "CCSDS 123.0-B-2": (0.1, 1.0),
    "JPEG 2000 + KLT": (0.05, 1.0),
}
"""Other codecs, and the bits per sample of theirs that a figure is taken over."""

LIVE_POINTS = 7
"""Points of a curve of CCSDS 122 that is run live."""


@click.command()
@click.option("--folds", type=options.FOLDER, required=True, help="Models, and folds.json beside them.")
@click.option("--against", type=options.FOLDER, help="Other such models, to be compared with.")
@click.option("--scenes", "folder", type=options.FOLDER, required=True)
@click.option("--names", default="", callback=options.names, help="These scenes: a,b,c; all recorded ones.")
@click.option("--anchors", type=options.FILE, required=True, help="Recorded curves of other codecs (JSON).")
@click.option(
    "--ccsds122",
    type=click.Choice(["live", "recorded"]),
    default="live",
    show_default=True,
    help="Run CCSDS 122 on each scene, or take its recorded curve.",
)
@click.option("--points", type=click.IntRange(2), default=POINTS, show_default=True, help="Of each curve.")
@options.figures_option("Write all points.")
def main(
    folds: Path,
    against: Path | None,
    folder: Path,
    names: tuple[str, ...],
    anchors: Path,
    ccsds122: str,
    points: int,
    json_path: Path | None,
) -> None:
    """Print BD-rates against other codecs, and against other models rate by rate."""
    recorded = read_anchors(anchors)
    models = read_object(folds / "folds.json")
    live = ccsds122 == "live"
    known = [name for name in recorded if name in models and (live or "CCSDS 122" in recorded[name])]
    wanted = list(names) or known
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise SettingsError(f"no model or no recorded curve is there for {', '.join(unknown)}")
    rates = np.geomspace(*RATES, points).tolist()
    report: dict[str, dict[str, Curve]] = {}
    found: dict[str, list[float]] = {name: [] for name in COMPARED}
    aviris: list[bool] = []
    gains: list[list[float]] = []
    for scene in find_scenes(folder, tuple(wanted)):
        cube = scene.read()
        others = dict(recorded[scene.name])
        if live:
            others["CCSDS 122"] = _ccsds122(cube)
        curve = _curve(cube, folds / str(models[scene.name]), rates)
        report[scene.name] = {"predicted": curve, "CCSDS 122": others["CCSDS 122"]}
        aviris.append(scene.aviris)
        said = []
        for codec, limits in COMPARED.items():
            figure = bd_rate(others.get(codec, ()), curve, limits)
            found[codec].append(figure.percent)
            said.append(f"{codec} {_percent(figure.percent)}")
        falls = sum(after <= before for before, after in pairwise(_levels(curve)))
        click.echo(f"{scene.name:<30}{', '.join(said)}; {falls} of {points - 1} steps of rate lose quality")
        click.echo("    " + "  ".join(f"{rate:.4f} {level:.2f}" for rate, level in curve))
        if against is not None:
            other = _curve(cube, against / str(models[scene.name]), rates)
            report[scene.name]["against"] = other
            gains.append(_by_rate(other, curve, rates))
            click.echo("    against: " + " ".join(map(_percent, gains[-1])))
    origin = "run live by the encoder of these benchmarks" if live else "a recorded curve"
    click.echo(f"CCSDS 122: {origin}; all others: recorded curves")
    for codec, figures in found.items():
        some = [figure for figure, wanted in zip(figures, aviris, strict=True) if wanted]
        click.echo(f"mean against {codec}: {_percent(mean(figures))}, of AVIRIS {_percent(mean(some))}")
    if gains:
        texts = [
            f"{rate:.3f} {_percent(mean(column))}"
            for rate, column in zip(rates[:-1], zip(*gains, strict=True), strict=True)
        ]
        click.echo(f"mean against the other models, from each rate on to the next: {', '.join(texts)}")
        click.echo(f"mean over all rates: {_percent(mean(one for row in gains for one in row))}")
    if json_path is not None:
        write_figures(json_path, report)


def _ccsds122(cube: NDArray[Any]) -> Curve:
    """Curve of CCSDS 122, run live."""
    rates = np.geomspace(*COMPARED["CCSDS 122"], LIVE_POINTS).tolist()
    # Its own bytes fall a little short of what is asked for.
    return measure(Ccsds122(), cube, [1.02 * rate for rate in rates]).curve


def _curve(cube: NDArray[Any], model: Path, rates: list[float]) -> Curve:
    curve = []
    for rate in rates:
        stream = Encoder(bps=rate, model=model).encode(cube)
        restored = Decoder(stream, models=[model]).decode()
        curve.append((8 * len(stream) / cube.size, psnr(cube, restored)))
    return curve


def _levels(curve: Curve) -> list[float]:
    return [level for _, level in curve]


def _by_rate(anchor: Curve, test: Curve, rates: list[float]) -> list[float]:
    """BD-rate from each rate on to the next."""
    return [bd_rate(anchor, test, pair).percent for pair in pairwise(rates)]


def _percent(figure: float) -> str:
    return "none" if np.isnan(figure) else f"{figure:+.1f} %"


if __name__ == "__main__":
    run(main)
