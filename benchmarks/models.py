"""Models against each other, by true streams: ``python -m bandfold.benchmarks.models MODEL...``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.measures.bdrate import Curve, bd_rate
from bandfold.benchmarks.measures.quality import psnr
from bandfold.benchmarks.scenes.evaluation_scenes import find_scenes
from bandfold.bitstream.packages.package import Package
from bandfold.bitstream.packages.registry import Registry
from bandfold.common.errors import SettingsError
from bandfold.ground.decoder import Decoder
from bandfold.onboard.encoder import Encoder
from bandfold.programs import options
from bandfold.programs.program import run, write_figures

POINTS = 5
"""Steps that each model codes a scene at, evenly over the contrasts of the first one in the logarithm."""


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--scenes", "folder", type=options.FOLDER, required=True)
@click.option("--names", required=True, callback=options.names, help="These scenes: a,b,c.")
@click.option("--points", type=click.IntRange(2), default=POINTS, show_default=True)
@options.figures_option("Write all points.")
def main(
    models: tuple[str, ...], folder: Path, names: tuple[str, ...], points: int, json_path: Path | None
) -> None:
    """Code scenes with packages, and print the rate of each at the quality of the first.

    Streams are whole files, decoded again. Scenes that a model was trained on are refused.
    """
    registry = Registry()
    packages = [registry.find(model) for model in models]
    labels = _labels(packages, models)
    scenes = {scene.name: scene for scene in find_scenes(folder, names)}
    report: dict[str, dict[str, Curve]] = {}
    for name in names:
        for package in packages:
            if name in package.manifest.card.get("training scenes", ()):
                raise SettingsError(
                    f"{package.name} was trained on {name}: nothing is measured on such scenes"
                )
        cube = scenes[name].read()
        report[name] = {
            label: _curve(package, cube, _steps(packages[0], cube, points))
            for label, package in zip(labels, packages, strict=True)
        }
        _print(name, report[name])
    if json_path is not None:
        write_figures(json_path, report)


def _labels(packages: list[Package], models: tuple[str, ...]) -> list[str]:
    """Names of packages, or of files where two packages have the same name."""
    names = [package.name for package in packages]
    return names if len(set(names)) == len(names) else [Path(model).stem for model in models]


def _steps(package: Package, cube: NDArray[Any], points: int) -> list[float]:
    deviation = float(np.sqrt(cube.var(axis=(1, 2), dtype=np.float64).mean()))
    low, high = package.manifest.card["contrast"]
    return [deviation / contrast for contrast in np.geomspace(low, high, points).tolist()]


def _curve(package: Package, cube: NDArray[Any], steps: list[float]) -> Curve:
    curve = []
    for step in steps:
        stream = Encoder(step=step, model=package).encode(cube)
        restored = Decoder(stream, models=[package.source]).decode()
        curve.append((8 * len(stream) / cube.size, psnr(cube, restored)))
    return curve


def _print(scene: str, curves: dict[str, Curve]) -> None:
    first = next(iter(curves))
    for label, curve in curves.items():
        points = "  ".join(f"{rate:.4f} {level:.2f}" for rate, level in curve)
        found = bd_rate(curves[first], curve)
        said = "no shared quality" if np.isnan(found.percent) else f"{found.percent:+.2f} %"
        click.echo(f"{scene:<26}{label:<30}{said:>10}   bps, dB: {points}")


if __name__ == "__main__":
    run(main)
