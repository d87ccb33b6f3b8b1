"""Hostile streams behind right checksums, through all commands: ``python -m bandfold.benchmarks.mutants``.

Input number N is the same in every run. Inputs go to processes of their own, `CHUNK` at a time, so that one
which ends its process is told and not the end of the campaign.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from bandfold.benchmarks.damage.command_trial import COMMANDS, CommandTally
from bandfold.benchmarks.damage.mutations import lying
from bandfold.benchmarks.damage.streams import hostile_seeds
from bandfold.common.workers import Workers
from bandfold.programs.options import figures_option
from bandfold.programs.program import run, write_figures

CHUNK = 10_000
"""Inputs of a process."""


def try_inputs(first: int, count: int) -> CommandTally:
    """Run all commands on some inputs, in this process.

    Parameters
    ----------
    first, count : int
        Number of the first input, and how many.

    Returns
    -------
    CommandTally
        What became of them.
    """
    seeds = hostile_seeds()
    names = list(seeds)
    tally = CommandTally()
    # What is loaded once is not the cost of an input.
    for data in seeds.values():
        CommandTally().try_out("intact", data)
    for number in range(first, first + count):
        name = names[number % len(names)]
        tally.try_out(f"{number} ({name})", lying(seeds[name], random.Random(number)))
    return tally


def try_elsewhere(first: int, count: int) -> CommandTally | str:
    """Run all commands on some inputs, in a process of their own.

    Parameters
    ----------
    first, count : int
        Number of the first input, and how many.

    Returns
    -------
    CommandTally or str
        What became of them, or how the process ended.
    """
    command = [sys.executable, "-m", __spec__.name, "--first", str(first), "--count", str(count), "--here"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        return f"inputs {first}:{first + count} ended their process with {done.returncode}: {last}"
    return CommandTally(**json.loads(done.stdout.splitlines()[-1]))


def summed(tallies: Sequence[CommandTally]) -> CommandTally:
    """Add up tallies.

    Parameters
    ----------
    tallies : sequence of CommandTally
        Of the chunks.

    Returns
    -------
    CommandTally
        Of all inputs.
    """
    whole = CommandTally()
    for one in tallies:
        whole.tried += one.tried
        whole.refused += one.refused
        whole.untyped += one.untyped
        whole.costly += one.costly
        whole.slowest = max(whole.slowest, one.slowest)
        whole.largest = max(whole.largest, one.largest)
    return whole


@click.command()
@click.option("--count", type=click.IntRange(1), default=10_000, show_default=True, help="Inputs.")
@click.option("--first", type=click.IntRange(0), default=0, show_default=True, help="Number of the first.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes at a time.")
@click.option("--here", is_flag=True, help="In this process, all of them; print the tally as JSON.")
@click.option("--sanitised", is_flag=True, help="Leave time and memory alone: sanitised kernels take more.")
@figures_option("Write here.")
def main(count: int, first: int, workers: int, here: bool, sanitised: bool, json_path: Path | None) -> None:
    """Mutate streams past their checksums, and run all commands on them."""
    if here:
        click.echo(json.dumps(asdict(try_inputs(first, count))))
        return
    started = time.perf_counter()
    chunks = [(start, min(CHUNK, first + count - start)) for start in range(first, first + count, CHUNK)]
    results = list(Workers(workers).map(lambda chunk: try_elsewhere(*chunk), chunks))
    crashes = [one for one in results if isinstance(one, str)]
    tally = summed([one for one in results if not isinstance(one, str)])
    click.echo(
        "| inputs | commands each | refused | untyped errors | over 2 s or 256 MiB | crashed processes "
        "| slowest s | memory rose by MiB |\n|---:|---:|---:|---:|---:|---:|---:|---:|"
    )
    click.echo(
        f"| {count} | {len(COMMANDS)} | {tally.refused / max(tally.tried, 1):.0%} | {len(tally.untyped)} "
        f"| {len(tally.costly)} | {len(crashes)} | {tally.slowest:.2f} | {tally.largest:.0f} |"
    )
    for line in (*crashes, *tally.untyped, *(() if sanitised else tally.costly)):
        click.echo(line)
    click.echo(f"{time.perf_counter() - started:.0f} s", err=True)
    if json_path:
        write_figures(json_path, [{"crashes": crashes, **asdict(tally)}])
    if crashes or tally.untyped or (tally.costly and not sanitised):
        raise SystemExit(1)


if __name__ == "__main__":
    run(main)
