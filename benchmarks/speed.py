"""Speed beside OpenJPEG, on one core and from a file: ``python -m bandfold.benchmarks.speed``."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from bandfold.bitstream.errors import OutputError

from .onecore import machine, restart_on_one_core
from .program import run
from .scenefile import write_scene
from .synthetic import SyntheticScene
from .timing import BandfoldRunner, OpenJpegRunner, Runner, Times, growth, spread, take_turns

_SEED = 1


def synthetic_file(folder: Path, lines: int, samples: int, bands: int) -> Path:
    """Write a synthetic scene.

    Parameters
    ----------
    folder : Path
        Where to.
    lines, samples, bands : int
        Geometry.

    Returns
    -------
    Path
        ENVI header.
    """
    header = folder / f"synthetic-{bands}.hdr"
    write_scene(header, SyntheticScene(lines, samples, bands, _SEED))
    return header


def sweep(folder: Path, lines: int, samples: int, bands: Sequence[int], bps: float, runs: int) -> list[Times]:
    """Time bandfold over growing numbers of bands.

    Parameters
    ----------
    folder : Path
        For the scenes; each is removed after use.
    lines, samples : int
        Geometry.
    bands : sequence of int
        Numbers of bands.
    bps : float
        Bits per sample.
    runs : int
        Timed runs each.

    Returns
    -------
    list of Times
        One per number of bands.
    """
    times = []
    for count in bands:
        header = synthetic_file(folder, lines, samples, count)
        times += take_turns([BandfoldRunner(bps)], header, runs)
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


def sweep_text(bands: Sequence[int], times: Sequence[Times]) -> str:
    """Describe the times over numbers of bands as a Markdown table.

    Parameters
    ----------
    bands : sequence of int
        Numbers of bands.
    times : sequence of Times
        Times for each.

    Returns
    -------
    str
        Lines of text, the fitted exponent last.
    """
    rows = ["| bands | encode s, median (range) | decode s, median (range) |", "|---:|---:|---:|"]
    rows += [
        f"| {count} | {spread(entry.encode)} | {spread(entry.decode)} |"
        for count, entry in zip(bands, times, strict=True)
    ]
    exponent = growth(bands, [statistics.median(entry.encode) for entry in times])
    return "\n".join([*rows, "", f"Encoding time grows with bands to the power of {exponent:.2f}."])


@click.command()
@click.option("--lines", type=click.IntRange(8), default=512, show_default=True)
@click.option("--samples", type=click.IntRange(8), default=680, show_default=True)
@click.option("--bands", type=click.IntRange(1), default=224, show_default=True)
@click.option("--bps", type=click.FloatRange(0, 32, min_open=True), default=0.5, show_default=True)
@click.option("--runs", type=click.IntRange(1), default=5, show_default=True, help="Timed rounds.")
@click.option("--sweep-bands", default="56,112,224,448", show_default=True, help="Empty for no sweep.")
@click.option("--sweep-runs", type=click.IntRange(1), default=3, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write times here.")
def main(
    lines: int,
    samples: int,
    bands: int,
    bps: float,
    runs: int,
    sweep_bands: str,
    sweep_runs: int,
    json_path: Path | None,
) -> None:
    """Encode and decode times on one core, beside OpenJPEG."""
    try:
        counts = [int(item) for item in sweep_bands.split(",") if item.strip()]
    except ValueError as error:
        raise click.BadParameter("--sweep-bands takes whole numbers with commas between") from error
    content: dict[str, Any] = {
        "machine": machine(),
        "lines": lines,
        "samples": samples,
        "bands": bands,
        "bps": bps,
    }
    click.echo(
        f"{lines} x {samples} x {bands} at {bps:g} bps on one core of {content['machine']['processor']}\n"
    )
    with tempfile.TemporaryDirectory(prefix="bandfold-speed-") as name:
        folder = Path(name)
        runners: list[Runner] = [BandfoldRunner(bps), OpenJpegRunner(bps)]
        duel = take_turns(runners, synthetic_file(folder, lines, samples, bands), runs)
        click.echo(duel_text(duel, lines * samples * bands) + "\n")
        content["duel"] = [asdict(entry) for entry in duel]
        if counts:
            times = sweep(folder, lines, samples, counts, bps, sweep_runs)
            click.echo(sweep_text(counts, times))
            content["sweep"] = {str(count): asdict(entry) for count, entry in zip(counts, times, strict=True)}
    if json_path:
        try:
            json_path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{json_path} cannot be written: {error}") from error


if __name__ == "__main__":
    restart_on_one_core("bandfold.benchmarks.speed")
    run(main)
