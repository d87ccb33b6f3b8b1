"""What the package of a sensor costs and saves: ``python -m bandfold.benchmarks.sensors A.hdr B.hdr ...``.

Every scene is coded with a package that is fitted to the others, and compared with its own fold, whose
vectors are counted as nothing: that is more than any coder could do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bandfold.benchmarks.measures.bdrate import bd_rate
from bandfold.benchmarks.measures.quality import psnr
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.package import save_package
from bandfold.bitstream.payloads.klt_code import write_fold
from bandfold.bitstream.payloads.payload import PayloadWriter
from bandfold.calibration.corpus import open_scene
from bandfold.calibration.program import run
from bandfold.calibration.sensorfit import fit_sensor
from bandfold.common.errors import SettingsError
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder

STEPS = (160.0, 70.0, 30.0, 12.0)
"""Steps of a curve, in counts: 0.05 to 0.5 bits per sample on scenes of 16 bits."""

Curve = list[tuple[float, float]]


@dataclass(frozen=True)
class Figures:
    """What a package does to one scene.

    Attributes
    ----------
    own : float
        Rate of the scene's own fold against the same with its vectors for nothing, percent at equal quality.
    package, automatic : float
        Rate with the package, always taken or where it seems best, against the same.
    side : list of (int, int)
        Bytes of the fold section at each step: the scene's own, and with the package.
    taken : int
        At how many steps automatic coding takes the package.
    """

    own: float
    package: float
    automatic: float
    side: list[tuple[int, int]]
    taken: int


def measure(
    cube: NDArray[Any], others: Mapping[str, NDArray[Any]], steps: Sequence[float] = STEPS
) -> Figures:
    """Code a scene with a package that is fitted to others.

    Parameters
    ----------
    cube : ndarray, shape (bands, lines, samples)
        The scene: integers.
    others : mapping of str to ndarray
        Scenes of the same sensor by name.
    steps : sequence of float, optional
        Quantiser steps, at least two.

    Returns
    -------
    Figures
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "others.bfm"
        save_package(fit_sensor({name: ArraySource(one) for name, one in others.items()}, "others"), path)
        own = [_code(cube, step) for step in steps]
        taken = [_code(cube, step, sensor=path, spectral="sensor") for step in steps]
        automatic = [_code(cube, step, sensor=path) for step in steps]
    free = [
        ((size - report["bytes"]["basis"] + _bytes_of_means(decoder)) * 8 / cube.size, quality)
        for size, quality, report, decoder in own
    ]
    curves = [
        [(size * 8 / cube.size, quality) for size, quality, *_ in one] for one in (own, taken, automatic)
    ]
    first, second, third = (bd_rate(free, curve).percent for curve in curves)
    side = [
        (one[2]["bytes"]["basis"], other[2]["bytes"]["basis"]) for one, other in zip(own, taken, strict=True)
    ]
    return Figures(first, second, third, side, sum(one[2]["sensor"] is not None for one in automatic))


def _code(
    cube: NDArray[Any], step: float, sensor: os.PathLike[str] | None = None, spectral: str = "auto"
) -> tuple[int, float, dict[str, Any], Decoder]:
    stream = Encoder(step=step, sensor=sensor, spectral=spectral).encode(cube)
    decoder = Decoder(stream, models=[] if sensor is None else [sensor])
    quality = psnr(cube, decoder.decode())
    return len(stream), quality, decoder.report(), decoder


def _bytes_of_means(decoder: Decoder) -> int:
    """What a fold section takes without vectors."""
    payload = PayloadWriter(load_tables())
    write_fold(payload, replace(decoder.fold, first=(), merged=(), second=None))
    return len(payload.data())


@click.command()
@click.argument("scenes", nargs=-1, type=click.Path(path_type=Path))
def main(scenes: tuple[Path, ...]) -> None:
    """Code each of SCENES with a package that is fitted to the others."""
    if len(scenes) < 2:
        raise SettingsError("one scene leaves none to fit a package to: give at least two of one sensor")
    cubes = {}
    for path in scenes:
        source = open_scene(path)
        cubes[path.stem] = source.read(slice(0, source.info.bands), slice(0, source.info.lines))
    table = Table("scene", title="% of rate against the own fold with its vectors for nothing")
    for heading in ("own fold", "package", "auto", "auto takes it", "bytes of the fold: own, package"):
        table.add_column(heading, justify="right")
    for name, cube in cubes.items():
        found = measure(cube, {other: cubes[other] for other in cubes if other != name})
        rates = (f"{rate:+.1f}" for rate in (found.own, found.package, found.automatic))
        side = "; ".join(f"{one}, {other}" for one, other in found.side)
        table.add_row(name, *rates, f"{found.taken} of {len(STEPS)}", side)
    Console().print(table)


if __name__ == "__main__":
    run(main)
