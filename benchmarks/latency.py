"""How long strips of a stream take, beside busy processes too: ``python -m bandfold.benchmarks.latency``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from bandfold.benchmarks.board.estimates import PERCENTILES, percentiles
from bandfold.benchmarks.board.strips import StripTime, strip_times
from bandfold.benchmarks.measures.one_core import machine, restart_with_one_thread
from bandfold.onboard.settings import EncoderSettings
from bandfold.programs.options import bps_option, figures_option, geometry_options
from bandfold.programs.program import run, write_figures
from bandfold.synthetic.scenes import SyntheticScene

_BUSY = "while True: pass"

_TOLD = [name for name in PERCENTILES if name != "p95"]


@contextmanager
def busy_processes(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Let processes compete for the cores meanwhile.

    Parameters
    ----------
    count : int
        How many, each of which takes all of a core that it gets.

    Yields
    ------
    list of Popen
        The processes.
    """
    processes = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def latency_text(name: str, times: Sequence[StripTime]) -> str:
    """Write rows of a Markdown table.

    Parameters
    ----------
    name : str
        What else the machine does.
    times : sequence of StripTime
        Of all strips.

    Returns
    -------
    str
        First strips are told apart from those that have a new fold, and those from all others; times in
        milliseconds.
    """
    kinds = {
        "first strip": [one for one in times if one.first],
        "new fold": [one for one in times if one.folded and not one.first],
        "same fold": [one for one in times if not one.folded],
    }
    rows = []
    for kind, part in kinds.items():
        if not part:
            continue
        cells = [f"{len(part)}"]
        for values in ([one.seconds for one in part], [one.processor for one in part]):
            told = percentiles(values)
            cells += [f"{told[percentile]:.0f}" for percentile in _TOLD]
        rows.append(f"| {name} | {kind} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


_HEAD = (
    "| beside it | strips | how many | "
    + " | ".join(f"{what} {name}" for what in ("ms", "processor ms") for name in _TOLD)
    + " |\n|---|---|"
    + "---:|" * (1 + 2 * len(_TOLD))
)


@click.command()
@geometry_options(2048, 680, 224)
@bps_option
@click.option("--effort", type=click.IntRange(1, 9), default=5, show_default=True)
@click.option(
    "--strip-lines", type=click.IntRange(8), help="Lines of a strip.  [default: as an encoder has it]"
)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Of the encoder.")
@click.option("--busy", type=click.IntRange(0), default=2, show_default=True, help="Processes beside it.")
@click.option("--runs", type=click.IntRange(1), default=2, show_default=True, help="Streams of each kind.")
@figures_option("Write times here.")
def main(
    lines: int,
    samples: int,
    bands: int,
    json_path: Path | None,
    runs: int,
    busy: int,
    **options: Any,
) -> None:
    """Time each strip of streams of made-up scenes, from its last line to its segment."""
    settings = EncoderSettings(stream=True, **options)
    content: dict[str, Any] = {"machine": machine()}
    click.echo(f"{bands} bands x {lines} x {samples}: {options}\n\n{_HEAD}")
    for name, count in {"nothing": 0, f"{busy} busy processes": busy}.items():
        times: list[StripTime] = []
        with busy_processes(count):
            for seed in range(runs):
                times += strip_times(SyntheticScene(lines, samples, bands, seed), settings)
        click.echo(latency_text(name, times))
        content[name] = [asdict(one) for one in times]
        if not busy:
            break
    if json_path:
        write_figures(json_path, content)


if __name__ == "__main__":
    restart_with_one_thread("bandfold.benchmarks.latency")
    run(main)
