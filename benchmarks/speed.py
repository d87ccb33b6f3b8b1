"""Speed beside OpenJPEG, stage by stage, over threads and sizes: ``python -m bandfold.benchmarks.speed``."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from bandfold.benchmarks.measures.one_core import machine, one_core, restart_with_one_thread
from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.benchmarks.timing.stages import stages_text, time_stages
from bandfold.benchmarks.timing.timing import (
    BandfoldRunner,
    OpenJpegRunner,
    Runner,
    Times,
    elapsed_times,
    growth,
    spread,
    take_turns,
)
from bandfold.calibration.program import run
from bandfold.common.errors import OutputError
from bandfold.synthetic.scenes import SyntheticScene

_SEED = 1


@dataclass(frozen=True)
class Geometry:
    """Size of a synthetic scene.

    Parameters
    ----------
    lines, samples, bands : int
    """

    lines: int
    samples: int
    bands: int

    @property
    def count(self) -> int:
        """Samples in all."""
        return self.lines * self.samples * self.bands

    def __str__(self) -> str:
        """As tables write it."""
        return f"{self.lines} x {self.samples} x {self.bands}"


def synthetic_file(folder: Path, geometry: Geometry) -> Path:
    """Write a synthetic scene.

    Parameters
    ----------
    folder : Path
        Where to.
    geometry : Geometry

    Returns
    -------
    Path
        ENVI header.
    """
    header = folder / f"synthetic-{geometry.lines}-{geometry.bands}.hdr"
    write_scene(header, SyntheticScene(geometry.lines, geometry.samples, geometry.bands, _SEED))
    return header


def sweep(
    folder: Path, geometries: Sequence[Geometry], bps: float, runs: int, *, stream: bool = False
) -> list[Times]:
    """Time bandfold over growing scenes.

    Parameters
    ----------
    folder : Path
        For the scenes; each is removed after use.
    geometries : sequence of Geometry
    bps : float
        Bits per sample.
    runs : int
        Timed runs each.
    stream : bool
        Code strip after strip.

    Returns
    -------
    list of Times
        One for each.
    """
    times = []
    for geometry in geometries:
        header = synthetic_file(folder, geometry)
        times += take_turns([BandfoldRunner(bps, stream=stream, decodes=False)], header, runs)
        header.with_suffix(".img").unlink()
    return times


def duel_text(times: Sequence[Times], count: int) -> str:
    """Describe the times of several codecs on one scene as a Markdown table.

    Parameters
    ----------
    times : sequence of Times
        The first one is what the others are compared with.
    count : int
        Samples in the scene.

    Returns
    -------
    str
        Lines of text.
    """
    rows = [
        "| codec | bps | encode s, median (range) | relative | Msamples/s | decode s, median (range) |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    first = statistics.median(times[0].encode)
    for entry in times:
        median = statistics.median(entry.encode)
        rows.append(
            f"| {entry.name} | {8 * entry.size / count:.3f} | {spread(entry.encode)} | {median / first:.2f} "
            f"| {count / median / 1e6:.1f} | {spread(entry.decode)} |"
        )
    return "\n".join(rows)


def threads_text(times: Sequence[Times], count: int) -> str:
    """Describe elapsed times over numbers of threads as a Markdown table.

    Parameters
    ----------
    times : sequence of Times
        The first one is what the others are compared with.
    count : int
        Samples in the scene.

    Returns
    -------
    str
        Lines of text.
    """
    rows = ["| | encode s, median (range) | Msamples/s | times the first |", "|---|---:|---:|---:|"]
    first = statistics.median(times[0].encode)
    for entry in times:
        median = statistics.median(entry.encode)
        rows.append(
            f"| {entry.name} | {spread(entry.encode)} | {count / median / 1e6:.1f} | {first / median:.2f} |"
        )
    return "\n".join(rows)


def sweep_text(name: str, counts: Sequence[int], times: Sequence[Times]) -> str:
    """Describe the times over growing scenes as a Markdown table.

    Parameters
    ----------
    name : str
        What grows: bands or lines.
    counts : sequence of int
        How many there are.
    times : sequence of Times
        Times for each.

    Returns
    -------
    str
        Lines of text, the fitted exponent last.
    """
    rows = [f"| {name} | encode s, median (range) |", "|---:|---:|"]
    rows += [f"| {count} | {spread(entry.encode)} |" for count, entry in zip(counts, times, strict=True)]
    exponent = growth(counts, [statistics.median(entry.encode) for entry in times])
    return "\n".join([*rows, "", f"Encoding time grows with {name} to the power of {exponent:.2f}."])


def numbers(text: str) -> list[int]:
    """Read whole numbers with commas between.

    Parameters
    ----------
    text : str
        Empty for none.

    Returns
    -------
    list of int

    Raises
    ------
    click.BadParameter
        If something else is there.
    """
    try:
        return [int(item) for item in text.split(",") if item.strip()]
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no list of whole numbers with commas between") from error


@click.command()
@click.option("--lines", type=click.IntRange(8), default=512, show_default=True)
@click.option("--samples", type=click.IntRange(8), default=680, show_default=True)
@click.option("--bands", type=click.IntRange(1), default=224, show_default=True)
@click.option("--bps", type=click.FloatRange(0, 32, min_open=True), default=0.5, show_default=True)
@click.option("--runs", type=click.IntRange(1), default=5, show_default=True, help="Timed rounds.")
@click.option(
    "--stage-runs", type=click.IntRange(0), default=3, show_default=True, help="Of each stage; 0 for none."
)
@click.option("--sweep-bands", default="56,112,224,448,896", show_default=True, help="Empty for no sweep.")
@click.option(
    "--sweep-lines",
    default="512,1024,2048,4096,8192",
    show_default=True,
    help="Over a quarter of the samples and bands, whole and as a stream; empty for no sweep.",
)
@click.option("--sweep-runs", type=click.IntRange(1), default=3, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write times here.")
def main(
    lines: int,
    samples: int,
    bands: int,
    bps: float,
    runs: int,
    stage_runs: int,
    sweep_bands: str,
    sweep_lines: str,
    sweep_runs: int,
    json_path: Path | None,
) -> None:
    """Encode and decode times on one core, beside OpenJPEG; every stage, and two threads on two cores."""
    band_counts, line_counts = numbers(sweep_bands), numbers(sweep_lines)
    scene = Geometry(lines, samples, bands)
    content: dict[str, Any] = {"machine": machine(), "scene": asdict(scene), "bps": bps}
    click.echo(f"{scene} at {bps:g} bps on {content['machine']['processor']}\n")
    with tempfile.TemporaryDirectory(prefix="bandfold-speed-") as name:
        folder = Path(name)
        header = synthetic_file(folder, scene)
        with one_core():
            runners: list[Runner] = [
                BandfoldRunner(bps),
                BandfoldRunner(bps, uniform=True),
                BandfoldRunner(bps, stream=True),
                BandfoldRunner(bps, stream=True, uniform=True),
                OpenJpegRunner(bps),
            ]
            duel = take_turns(runners, header, runs)
        click.echo("One core:\n\n" + duel_text(duel, scene.count) + "\n")
        content["duel"] = [asdict(entry) for entry in duel]
        threads = elapsed_times([BandfoldRunner(bps), BandfoldRunner(bps, threads=2)], header, runs)
        click.echo("Elapsed time on all cores:\n\n" + threads_text(threads, scene.count) + "\n")
        content["threads"] = [asdict(entry) for entry in threads]
        if stage_runs:
            stages = [time_stages(header, bps, count, stage_runs) for count in (1, 2)]
            click.echo(stages_text(stages, scene.count) + "\n")
            content["stages"] = [asdict(entry) for entry in stages]
        header.with_suffix(".img").unlink()
        with one_core():
            if band_counts:
                times = sweep(
                    folder, [Geometry(lines, samples, count) for count in band_counts], bps, sweep_runs
                )
                click.echo(sweep_text("bands", band_counts, times) + "\n")
                content["sweep_bands"] = dict(zip(sweep_bands.split(","), map(asdict, times), strict=True))
            narrow = [Geometry(count, max(samples // 4, 8), max(bands // 4, 1)) for count in line_counts]
            for stream in (False, True) if narrow else ():
                times = sweep(folder, narrow, bps, sweep_runs, stream=stream)
                click.echo(sweep_text("lines of a stream" if stream else "lines", line_counts, times) + "\n")
                key = "sweep_stream_lines" if stream else "sweep_lines"
                content[key] = dict(zip(sweep_lines.split(","), map(asdict, times), strict=True))
    if json_path:
        try:
            json_path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{json_path} cannot be written: {error}") from error


if __name__ == "__main__":
    restart_with_one_thread("bandfold.benchmarks.speed")
    run(main)
