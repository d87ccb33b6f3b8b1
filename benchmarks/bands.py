"""Band by band, interval by interval: ``python -m bandfold.benchmarks.bands EXPORT... --scenes DIR``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.codecs.jpeg2000 import Jpeg2000
from bandfold.benchmarks.codecs.recorded import Recorded, read_anchors
from bandfold.benchmarks.measures.bdrate import Curve, bd_rate
from bandfold.benchmarks.measures.quality import mean_squared_error
from bandfold.benchmarks.rate_distortion.band_model import HEADER_BYTES, BandModel, Coded, code_scene
from bandfold.benchmarks.rate_distortion.band_plot import plot_panels
from bandfold.benchmarks.scenes.scene_file import read_scene
from bandfold.calibration.folds import find_scenes
from bandfold.calibration.program import run
from bandfold.common.errors import OutputError, SettingsError
from bandfold.formats.envi.reader import open_envi
from bandfold.onboard.networks.intervals import interval_ends

PEAK = 65535.0
CODECS = ("JPEG 2000", "CCSDS 122")
"""Recorded curves that a whole scene is put beside: these code band by band too."""

RATES = (0.05, 0.1, 0.25, 0.5, 1.0)
POINTS = 4
"""Steps tried with each model, evenly over its range of contrasts in the logarithm."""

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Point = tuple[float, float, str, float]
"""Bits per sample, dB, model, step."""


@dataclass(frozen=True)
class Panel:
    """Points of models on a scene or on an interval of it, and curves of other codecs there.

    Parameters
    ----------
    name : str
    points : list of (bits per sample, dB, model, step)
    others : mapping of str to curve
    """

    name: str
    points: list[Point]
    others: Mapping[str, Curve]


@click.command()
@click.argument("exports", nargs=-1, type=_FOLDER, required=True)
@click.option("--scenes", "folder", type=_FOLDER, required=True, help="Folder of ENVI scenes.")
@click.option("--names", required=True, help="These scenes: a,b,c.")
@click.option("--anchors", type=_FILE, help="Recorded curves of other codecs (JSON), for whole scenes.")
@click.option("--intervals/--whole", default=True, help="Also each interval, beside JPEG 2000 run live.")
@click.option("--json", "json_path", type=_OUTPUT, help="Write all points.")
@click.option("--plot", "plot_folder", type=_FOLDER, help="Draw NAME.png for each scene into this folder.")
def main(
    exports: tuple[Path, ...],
    folder: Path,
    names: str,
    anchors: Path | None,
    intervals: bool,
    json_path: Path | None,
    plot_folder: Path | None,
) -> None:
    """Measure exported models on scenes that they were not trained on."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    models = [BandModel(path) for path in exports]
    seen = sorted({name for name in wanted for model in models if name in model.scenes})
    if seen:
        raise SettingsError(f"models were trained on {', '.join(seen)}: nothing is measured on such scenes")
    paths = {scene.name: scene.path for scene in find_scenes(folder)}
    recorded = read_anchors(anchors) if anchors else {}
    report: dict[str, Any] = {}
    for name in wanted:
        if name not in paths:
            raise SettingsError(f"no scene {name} in {folder}")
        cube = read_scene(paths[name])
        ends = interval_ends(len(cube), open_envi(paths[name], for_coding=False).info.metadata)
        panels = _scene(name, cube, ends, models, recorded, intervals)
        report[name] = [dataclasses.asdict(panel) for panel in panels]
        if plot_folder is not None:
            plot_panels(f"{name}, band by band", panels, plot_folder / f"{name}.png")
    if json_path is not None:
        try:
            json_path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{json_path} cannot be written: {error.strerror}") from error


def _scene(
    name: str,
    cube: NDArray[Any],
    ends: tuple[int, ...],
    models: Sequence[BandModel],
    recorded: Recorded,
    intervals: bool,
) -> list[Panel]:
    """Measure a scene and print its tables."""
    deviation = float(np.sqrt(cube.var(axis=(1, 2), dtype=np.float64).mean()))
    points: dict[str, list[Point]] = {}
    for model in models:
        for contrast in np.geomspace(*model.contrast, POINTS):
            step = deviation / float(contrast)
            coded = code_scene(model, cube, ends, step)
            points.setdefault("whole", []).append(
                (*_point(list(coded.values()), HEADER_BYTES), model.name, step)
            )
            for number, one in coded.items():
                points.setdefault(f"interval {number}", []).append((*_point([one], 0), model.name, step))
    known = recorded.get(name, {})
    curves = {codec: known[codec] for codec in CODECS if codec in known}
    panels = [Panel("whole scene", points["whole"], curves)]
    for number, (first, last) in enumerate(pairwise((0, *ends)), start=1):
        if last > first:
            others = {"JPEG 2000": _jpeg2000(cube[first:last])} if intervals else {}
            label = f"interval {number}, bands {first + 1}-{last}"
            panels.append(Panel(label, points[f"interval {number}"], others))
    for panel in panels:
        click.echo(f"{name}: {panel.name}")
        _print(panel)
    return panels


def _point(coded: Sequence[Coded], more_bytes: int) -> tuple[float, float]:
    """Bits per sample and dB of parts of a scene together."""
    samples = sum(one.samples for one in coded)
    error = sum(one.squared_error for one in coded) / samples
    nbytes = sum(one.nbytes for one in coded) + more_bytes
    return 8 * nbytes / samples, quality(error)


def quality(mean_square: float) -> float:
    """PSNR with peak 65535.

    Parameters
    ----------
    mean_square : float
        In counts squared.

    Returns
    -------
    float
        In dB; infinite for no error.
    """
    return float("inf") if mean_square <= 0 else float(10 * np.log10(PEAK**2 / mean_square))


def _jpeg2000(cube: NDArray[Any]) -> Curve:
    codec = Jpeg2000()
    curve = []
    for rate in RATES:
        stream = codec.encode(cube, rate).stream
        error = mean_squared_error(cube, codec.decode(stream).cube)
        curve.append((8 * len(stream) / cube.size, quality(error)))
    return curve


def _print(panel: Panel) -> None:
    """Print points, each with the quality of other codecs at the same rate, and delta rates."""
    points, others = panel.points, panel.others
    head = "".join(f"{codec:>12}" for codec in others)
    click.echo(f"  {'model':<18}{'step':>9}{'bps':>9}{'dB':>8}{head}")
    for rate, level, model, step in sorted(points):
        there = "".join(f"{_text(interpolate(others[codec], rate)):>12}" for codec in others)
        click.echo(f"  {model:<18}{step:9.1f}{rate:9.4f}{level:8.2f}{there}")
    for codec in others:
        found = bd_rate(others[codec], [(rate, level) for rate, level, _, _ in points])
        said = f"{found.percent:+.1f} % ({found.low:.1f} to {found.high:.1f} dB)"
        click.echo(f"  BD-rate against {codec}: {'no shared quality' if np.isnan(found.percent) else said}")


def interpolate(curve: Curve, rate: float) -> float | None:
    """Quality of a curve at a rate, linear over the logarithm of the rate.

    Parameters
    ----------
    curve : sequence of (bits per sample, dB)
    rate : float

    Returns
    -------
    float or None
        In dB; None outside the curve.
    """
    ordered = sorted(curve)
    rates = [point[0] for point in ordered]
    if not rates[0] <= rate <= rates[-1]:
        return None
    return float(np.interp(np.log(rate), np.log(rates), [point[1] for point in ordered]))


def _text(level: float | None) -> str:
    return "-" if level is None else f"{level:.2f}"


if __name__ == "__main__":
    run(main)
