"""What each effort takes and saves, as whole commands: ``python -m bandfold.benchmarks.effort``."""

from __future__ import annotations

import math
import os
import statistics
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.measures.one_core import machine
from bandfold.benchmarks.measures.quality import psnr
from bandfold.benchmarks.scenes.scene_file import read_whole
from bandfold.benchmarks.timing.sweep import Geometry, synthetic_file
from bandfold.benchmarks.timing.whole_command import CommandRun, run_command
from bandfold.formats.envi.reader import open_envi
from bandfold.ground import Decoder
from bandfold.onboard.effort import DEFAULT_EFFORT, EFFORTS
from bandfold.programs.options import bps_option, figures_option, geometry_options, whole_numbers
from bandfold.programs.program import run, write_figures

STEEPER = 1.1
"""Times the rate at which the default is measured a second time, for the slope of bytes over quality."""


@dataclass(frozen=True)
class Measured:
    """An effort on a scene.

    Parameters
    ----------
    effort : int
        Which one.
    runs : tuple of CommandRun
        Of ``bandfold encode``.
    nbytes : int
        Of the stream.
    psnr : float
        In dB, decoded without restoration.
    """

    effort: int
    runs: tuple[CommandRun, ...]
    nbytes: int
    psnr: float

    @property
    def wall(self) -> float:
        """Median of the seconds on the clock."""
        return statistics.median(one.wall for one in self.runs)

    @property
    def processor(self) -> float:
        """Median of the seconds of processor time."""
        return statistics.median(one.processor for one in self.runs)

    @property
    def peak_bytes(self) -> int:
        """Most memory that was resident in any run."""
        return max(one.peak_bytes for one in self.runs)


@click.command()
@geometry_options(512, 680, 224)
@click.option(
    "--scene",
    "path",
    type=click.Path(path_type=Path, exists=True),
    help="ENVI header of a scene, in place of a made-up one.",
)
@bps_option
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="Rounds over all efforts.")
@click.option(
    "--efforts",
    default=",".join(map(str, EFFORTS)),
    callback=whole_numbers,
    show_default=True,
    help="Which ones; the default is always among them.",
)
@figures_option("Write figures here.")
def main(
    lines: int,
    samples: int,
    bands: int,
    path: Path | None,
    bps: float,
    runs: int,
    efforts: list[int],
    json_path: Path | None,
) -> None:
    """Whole commands of all efforts on one core, in turns: bytes at equal quality, speed, memory."""
    with tempfile.TemporaryDirectory(prefix="bandfold-effort-") as name:
        folder = Path(name)
        header = path or synthetic_file(folder, Geometry(lines, samples, bands))
        info = open_envi(header).info
        found = measure(header, folder, bps, runs, sorted({DEFAULT_EFFORT, *efforts}))
    told = machine()
    click.echo(f"{info.lines} x {info.samples} x {info.bands} at {bps:g} bps on {told['processor']}\n")
    click.echo(effort_text(found[:-1], found[-1], info.count))
    if json_path:
        content: dict[str, Any] = {
            "machine": told,
            "bps": bps,
            "efforts": [asdict(one) for one in found[:-1]],
        }
        write_figures(json_path, content)


def measure(header: Path, folder: Path, bps: float, runs: int, efforts: list[int]) -> list[Measured]:
    """Encode a scene at each effort, round by round.

    Parameters
    ----------
    header : Path
        Of the scene.
    folder : Path
        For streams.
    bps : float
        Bits per sample.
    runs : int
        Rounds; every other one goes the other way.
    efforts : list of int
        Which ones.

    Returns
    -------
    list of Measured
        In the order of `efforts`, and behind them the default at `STEEPER` times the rate.
    """
    core = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    jobs = [(effort, bps) for effort in efforts] + [(DEFAULT_EFFORT, bps * STEEPER)]
    taken: dict[tuple[int, float], list[CommandRun]] = {job: [] for job in jobs}
    for turn in range(runs):
        for effort, rate in jobs if turn % 2 == 0 else reversed(jobs):
            words = ["encode", str(header), "-o", str(_stream(folder, effort, rate))]
            words += ["--bps", repr(rate), "--effort", str(effort)]
            taken[effort, rate].append(run_command(words, core))
    cube = read_whole(open_envi(header))
    return [_measured(cube, folder, job, taken[job]) for job in jobs]


def effort_text(found: list[Measured], steeper: Measured, count: int) -> str:
    """Write efforts as a table of Markdown.

    Parameters
    ----------
    found : list of Measured
        The default among them.
    steeper : Measured
        The default at a higher rate.
    count : int
        Samples of the scene.

    Returns
    -------
    str
    """
    usual = next(one for one in found if one.effort == DEFAULT_EFFORT)
    slope = math.log(steeper.nbytes / usual.nbytes) / (steeper.psnr - usual.psnr)
    rows = [
        "| effort | bytes at equal PSNR | Msamples/s, wall clock | Msamples/s, processor | MB resident |",
        "|---|---|---|---|---|",
    ]
    for one in found:
        share = math.log(one.nbytes / usual.nbytes) + slope * (usual.psnr - one.psnr)
        rows.append(
            f"| {one.effort} | {100 * math.expm1(share):+.1f} % | {count / one.wall / 1e6:.1f} "
            f"| {count / one.processor / 1e6:.1f} | {one.peak_bytes / 1e6:.0f} |"
        )
    return "\n".join(rows)


def _stream(folder: Path, effort: int, rate: float) -> Path:
    return folder / f"{effort}-{rate:g}.bf"


def _measured(
    cube: NDArray[np.generic], folder: Path, job: tuple[int, float], runs: list[CommandRun]
) -> Measured:
    stream = _stream(folder, *job).read_bytes()
    return Measured(job[0], tuple(runs), len(stream), psnr(cube, Decoder(stream, restore="off").decode()))


if __name__ == "__main__":
    run(main)
