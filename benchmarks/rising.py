"""Whether quality rises with the budget: ``python -m bandfold.benchmarks.rising SCENE...``."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import click
import numpy as np

from bandfold.benchmarks.measures.bdrate import Curve
from bandfold.bitstream.packages.registry import Registry
from bandfold.common.errors import BudgetError
from bandfold.common.scene import SceneSource
from bandfold.formats.opening import open_scene
from bandfold.ground.compare import compare_scenes
from bandfold.ground.decoder import Decoder
from bandfold.onboard.encoder import Encoder
from bandfold.onboard.samples.samples import ArraySource
from bandfold.programs import options
from bandfold.programs.program import run, write_figures

MODELS = "innovations,balle48-relu-cal-l1,balle48-relu-uncal-l1"
"""Shipped models."""

LOWEST, HIGHEST = 0.005, 2.0
"""Bits per sample of the first and the last budget; small scenes take more."""

POINTS = 20


@dataclass(frozen=True)
class Rising:
    """A scene coded with a model into budgets that rise.

    Parameters
    ----------
    curve : sequence of (bits per sample, dB)
        Of the budgets that the scene can be coded into.
    out_of_reach : int
        Budgets that it cannot be coded into: they are smaller than what a stream takes at least.
    """

    curve: Curve
    out_of_reach: int

    @property
    def falls(self) -> list[float]:
        """Decibels by which quality fell from one budget to the next, where it did."""
        levels = [level for _, level in self.curve]
        return [before - after for before, after in pairwise(levels) if after < before]


def measure_rising(scene: SceneSource, model: str, rates: list[float]) -> Rising:
    """Code a scene into budgets, and decode it again.

    Parameters
    ----------
    scene : SceneSource
        Of any type.
    model : str
        Package of a trained encoder.
    rates : list of float
        Bits per sample, rising.

    Returns
    -------
    Rising
    """
    curve, refused = [], 0
    for rate in rates:
        try:
            stream = Encoder(bps=rate, model=model).encode(scene)
        except BudgetError:
            refused += 1
            continue
        decoded = ArraySource(Decoder(stream, models=[Registry().find(model).source]).decode())
        curve.append((8 * len(stream) / scene.info.count, compare_scenes(scene, decoded).whole.psnr))
    return Rising(curve, refused)


@click.command()
@click.argument("scenes", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--models", default=MODELS, show_default=True, callback=options.names, help="Packages: a,b,c.")
@click.option("--lowest", type=click.FloatRange(0, min_open=True), default=LOWEST, show_default=True)
@click.option("--highest", type=click.FloatRange(0, min_open=True), default=HIGHEST, show_default=True)
@click.option("--points", type=click.IntRange(2), default=POINTS, show_default=True, help="Budgets.")
@options.figures_option("Write all points.")
def main(
    scenes: tuple[Path, ...],
    models: tuple[str, ...],
    lowest: float,
    highest: float,
    points: int,
    json_path: Path | None,
) -> None:
    """Code scenes with models into budgets that rise, in bits per sample; print where quality falls."""
    rates = np.geomspace(lowest, highest, points).tolist()
    report: dict[str, dict[str, Curve]] = {}
    total = 0
    for path in scenes:
        scene = open_scene(path)
        for model in models:
            found = measure_rising(scene, model, rates)
            report.setdefault(path.stem, {})[model] = found.curve
            total += len(found.falls)
            said = ", ".join(f"{fall:.3f} dB" for fall in found.falls) or "nothing"
            click.echo(
                f"{path.stem:<30}{model:<24}{len(found.curve)} budgets, {found.out_of_reach} out of reach; "
                f"from one to the next quality falls by {said}"
            )
            click.echo("    " + "  ".join(f"{rate:.4f} {level:.2f}" for rate, level in found.curve))
    click.echo(f"falls in all: {total}")
    if json_path is not None:
        write_figures(json_path, report)


if __name__ == "__main__":
    run(main)
