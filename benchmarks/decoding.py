"""How fast scenes and parts are decoded, as whole commands: ``python -m bandfold.benchmarks.decoding``."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from bandfold.benchmarks.measures.one_core import machine
from bandfold.benchmarks.timing.sweep import Geometry, synthetic_file
from bandfold.benchmarks.timing.turns import spread
from bandfold.benchmarks.timing.whole_command import CommandRun, run_command
from bandfold.common.scene import SceneInfo
from bandfold.ground import Decoder
from bandfold.programs.options import FILE, bps_option, figures_option, geometry_options
from bandfold.programs.program import run, write_figures

RESTORATIONS = ("off", "auto")
"""Values of ``--restore``."""


@dataclass
class Decoding:
    """One way to decode a stream.

    Parameters
    ----------
    name : str
        What is decoded.
    restore : str
        Whether it is restored: one of `RESTORATIONS`.
    threads : int
        Strips that are decoded at a time.
    options : tuple of str
        What else the command is told.
    runs : list of CommandRun
        What it took, run by run.
    """

    name: str
    restore: str
    threads: int
    options: tuple[str, ...] = ()
    runs: list[CommandRun] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """Median of the seconds on the clock."""
        return statistics.median(one.wall for one in self.runs)


def ways(info: SceneInfo, threads: int) -> list[Decoding]:
    """List what is timed.

    Parameters
    ----------
    info : SceneInfo
        The scene.
    threads : int
        Of the second way.

    Returns
    -------
    list of Decoding
        Of each restoration the whole scene with one thread and with some, then parts of it with one.
    """
    band, line, sample = (f"{count // 2}:{count // 2 + 1}" for count in info.shape)
    parts = {
        "one band": ("--bands", band),
        "one line, all bands": ("--lines", line),
        "one pixel, all bands": ("--lines", line, "--samples", sample),
        "one band of one line": ("--bands", band, "--lines", line),
    }
    found = []
    for restore in RESTORATIONS:
        found += [Decoding("everything", restore, count) for count in dict.fromkeys((1, threads))]
        found += [Decoding(name, restore, 1, options) for name, options in parts.items()]
    return found


def measure(stream: Path, folder: Path, runs: int, decodings: Sequence[Decoding]) -> None:
    """Decode a stream in several ways, which take turns.

    Parameters
    ----------
    stream : Path
        The stream.
    folder : Path
        For what is decoded.
    runs : int
        Rounds; every other one goes the other way.
    decodings : sequence of Decoding
        Get their runs.
    """
    core = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    for turn in range(runs):
        for one in decodings if turn % 2 == 0 else reversed(decodings):
            words = ["decode", str(stream), "-o", str(folder / "decoded.hdr"), "--restore", one.restore]
            words += ["--threads", str(one.threads), *one.options]
            one.runs.append(run_command(words, core if one.threads == 1 else None))


def decoding_text(decodings: Sequence[Decoding], count: int) -> str:
    """Write a Markdown table.

    Parameters
    ----------
    decodings : sequence of Decoding
        With their runs; the whole scene comes first of each restoration.
    count : int
        Samples of the scene.

    Returns
    -------
    str
    """
    rows = [
        "| what | `--restore` | threads | s | processor s | Msamples/s | of everything | MB resident |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    whole = {one.restore: one.wall for one in reversed(decodings) if one.threads == 1 and not one.options}
    for one in decodings:
        speed = f"{count / one.wall / 1e6:.1f}" if not one.options else ""
        processor = statistics.median(taken.processor for taken in one.runs)
        rows.append(
            f"| {one.name} | {one.restore} | {one.threads} | {spread([taken.wall for taken in one.runs])} "
            f"| {processor:.2f} | {speed} | {one.wall / whole[one.restore]:.2f} "
            f"| {max(taken.peak_bytes for taken in one.runs) / 1e6:.0f} |"
        )
    return "\n".join(rows)


@click.command()
@geometry_options(512, 680, 224)
@bps_option
@click.option("--stream", "path", type=FILE, help="A stream of your own, in place of a made-up scene.")
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True, help="Of the second way.")
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="Rounds.")
@figures_option("Write times here.")
def main(
    lines: int,
    samples: int,
    bands: int,
    bps: float,
    path: Path | None,
    threads: int,
    runs: int,
    json_path: Path | None,
) -> None:
    """Time decodes of a scene and of parts of it, imports and writing of files included."""
    with tempfile.TemporaryDirectory(prefix="bandfold-decoding-") as name:
        folder = Path(name)
        stream = path or folder / "scene.bf"
        if path is None:
            header = synthetic_file(folder, Geometry(lines, samples, bands))
            run_command(["encode", str(header), "-o", str(stream), "--bps", repr(bps)])
        info = Decoder(stream, restore="off").info
        decodings = ways(info, threads)
        measure(stream, folder, runs, decodings)
    told = machine()
    click.echo(f"{info.lines} x {info.samples} x {info.bands} on {told['processor']}\n")
    click.echo(decoding_text(decodings, info.count))
    if json_path:
        write_figures(json_path, {"machine": told, "decodings": [asdict(one) for one in decodings]})


if __name__ == "__main__":
    run(main)
