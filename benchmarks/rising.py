"""Whether quality rises with the budget: ``python -m bandfold.benchmarks.rising SCENE...``."""

from __future__ import annotations

import math
from dataclasses import dataclass
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

FOLDED = "folded"
"""The codec without a model ..."""

MODELS = f"{FOLDED},innovations,balle48-relu-cal-l1,balle48-relu-uncal-l1"
"""... and all shipped models."""

WHOLE = "whole"
"""A scene that is not cropped."""

LOWEST, HIGHEST = 0.005, 2.0
"""Bits per sample of the first and the last budget; small scenes take more."""

POINTS = 20


NO_LESS = 1e-3
"""Decibels that are no fall: decoded counts are rounded."""


@dataclass(frozen=True)
class Rising:
    """A scene coded into budgets that rise.

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
        """Decibels by which a budget gives less than the best of all smaller ones, where it does."""
        found, best = [], -math.inf
        for _, level in self.curve:
            if level < best - NO_LESS:
                found.append(best - level)
            best = max(best, level)
        return found


def measure_rising(scene: SceneSource, model: str, rates: list[float]) -> Rising:
    """Code a scene into budgets, and decode it again as it was foreseen on board: without restoration.

    Parameters
    ----------
    scene : SceneSource
        Of any type.
    model : str
        Package of a trained encoder, or `FOLDED`.
    rates : list of float
        Bits per sample, rising.

    Returns
    -------
    Rising
    """
    curve, refused = [], 0
    package = None if model == FOLDED else Registry().find(model)
    models = [] if package is None else [package.source]
    for rate in rates:
        try:
            stream = Encoder(bps=rate, model=package).encode(scene)
        except BudgetError:
            refused += 1
            continue
        decoded = ArraySource(Decoder(stream, models=models, restore="off").decode())
        curve.append((8 * len(stream) / scene.info.count, compare_scenes(scene, decoded).whole.psnr))
    return Rising(curve, refused)


def cropped(scene: SceneSource, crop: str) -> SceneSource:
    """A part of a scene, a third of the way from its first line and sample.

    Parameters
    ----------
    scene : SceneSource
        Of any type.
    crop : str
        `WHOLE`, or lines and samples as ``10x12``.

    Returns
    -------
    SceneSource
        As large as the scene at most.

    Raises
    ------
    click.BadParameter
        If it reads otherwise.
    """
    if crop == WHOLE:
        return scene
    try:
        lines, samples = (int(one) for one in crop.split("x"))
    except ValueError as error:
        raise click.BadParameter(
            f"{crop} is no crop: give lines and samples, as 10x12, or {WHOLE}"
        ) from error
    info = scene.info
    lines, samples = min(max(lines, 1), info.lines), min(max(samples, 1), info.samples)
    line, sample = (info.lines - lines) // 3, (info.samples - samples) // 3
    block = scene.read(slice(0, info.bands), slice(line, line + lines))[:, :, sample : sample + samples]
    return ArraySource(np.ascontiguousarray(block))


@click.command()
@click.argument("scenes", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--models",
    default=MODELS,
    show_default=True,
    callback=options.names,
    help="Packages: a,b,c.",
)
@click.option(
    "--crops", default=WHOLE, show_default=True, callback=options.names, help="Parts: 10x10,1x64,whole."
)
@click.option("--lowest", type=click.FloatRange(0, min_open=True), default=LOWEST, show_default=True)
@click.option("--highest", type=click.FloatRange(0, min_open=True), default=HIGHEST, show_default=True)
@click.option("--points", type=click.IntRange(2), default=POINTS, show_default=True, help="Budgets.")
@options.figures_option("Write all points.")
def main(
    scenes: tuple[Path, ...],
    models: tuple[str, ...],
    crops: tuple[str, ...],
    lowest: float,
    highest: float,
    points: int,
    json_path: Path | None,
) -> None:
    """Code scenes, or crops of them, into budgets that rise; print where quality falls."""
    rates = np.geomspace(lowest, highest, points).tolist()
    report: dict[str, dict[str, Curve]] = {}
    total = 0
    for path in scenes:
        for crop in crops:
            scene = cropped(open_scene(path), crop)
            name = path.stem if crop == WHOLE else f"{path.stem}@{crop}"
            for model in models:
                found = measure_rising(scene, model, rates)
                report.setdefault(name, {})[model] = found.curve
                total += len(found.falls)
                said = ", ".join(f"{fall:.3f} dB" for fall in found.falls) or "nothing"
                click.echo(
                    f"{name:<30}{model:<24}{len(found.curve)} budgets, {found.out_of_reach} out of reach; "
                    f"below what smaller ones gave by {said}"
                )
                click.echo("    " + "  ".join(f"{rate:.4f} {level:.2f}" for rate, level in found.curve))
    click.echo(f"falls in all: {total}")
    if json_path is not None:
        write_figures(json_path, report)


if __name__ == "__main__":
    run(main)
