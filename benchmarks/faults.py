"""What damage does to streams: ``python -m bandfold.benchmarks.faults``."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from bandfold.benchmarks.damage.decode_trial import DAMAGE_HEAD, DamageTally, Subject
from bandfold.benchmarks.damage.mutations import (
    cut,
    flipped,
    mutated,
    mutated_payload,
    without_packets,
    without_segments,
)
from bandfold.benchmarks.damage.streams import long_stream, model_stream, small_streams
from bandfold.benchmarks.measures.peak_memory import peak_resident
from bandfold.programs.options import figures_option
from bandfold.programs.program import run, write_figures

DROPPED = (1, 5, 10)
"""Shares of packets and of segments that are dropped, in percent."""

ROUNDS = 25
"""Times that each share is dropped."""

_MEBI = 1 << 20

Mutation = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Campaign:
    """One way to damage streams: a row of the table.

    Attributes
    ----------
    name : str
        Of the row.
    trials : iterator of (Subject, bytes)
        Streams, each with a damaged copy; drawn when they are asked for.
    honest : bool
        Whether checksums are as they were, so that what is changed must be found.
    """

    name: str
    trials: Iterator[tuple[Subject, bytes]]
    honest: bool = True


def campaigns(mutations: int) -> Iterator[Campaign]:
    """Damage streams in every way.

    Parameters
    ----------
    mutations : int
        Mutated streams, half of them with checksums made right again.

    Yields
    ------
    Campaign
        To be run, or left out, before the next one is asked for: all draw from one source of chance.
    """
    chance = random.Random(0)
    subjects = {name: Subject(data) for name, data in small_streams().items()}
    for name, subject in {**subjects, "trained model": Subject(model_stream())}.items():
        size = len(subject.data)
        yield Campaign(f"{name}, {size} bytes: every bit flipped", _each(subject, flipped(subject.data)))
        yield Campaign(f"{name}: cut at every byte", _each(subject, cut(subject.data)))
    long = Subject(long_stream())
    for what, drop in (("packets", without_packets), ("segments", without_segments)):
        for percent in DROPPED:
            name = f"long stream, {len(long.data)} bytes: {percent} % of {what} dropped"
            yield Campaign(name, _dropped(long, drop, percent, chance))
    yield Campaign("mutated", _in_turn(subjects, mutated, chance, mutations // 2))
    lying = _in_turn(subjects, mutated_payload, chance, mutations // 2)
    yield Campaign("mutated, checksums made right", lying, honest=False)


def _each(subject: Subject, damaged: Iterable[bytes]) -> Iterator[tuple[Subject, bytes]]:
    return ((subject, one) for one in damaged)


def _dropped(
    subject: Subject, drop: Callable[[bytes, int, random.Random], bytes], percent: int, chance: random.Random
) -> Iterator[tuple[Subject, bytes]]:
    for _ in range(ROUNDS):
        yield subject, drop(subject.data, percent, chance)


def _in_turn(
    subjects: Mapping[str, Subject], mutation: Mutation, chance: random.Random, count: int
) -> Iterator[tuple[Subject, bytes]]:
    several = list(subjects.values())
    for number in range(count):
        subject = several[number % len(several)]
        yield subject, mutation(subject.data, chance)


@click.command()
@click.option("--mutations", type=click.IntRange(2), default=10_000, show_default=True)
@click.option("--only", default="", help="Rows whose name holds this text.  [default: all]")
@figures_option("Write here.")
def main(mutations: int, only: str, json_path: Path | None) -> None:
    """Damage streams in every way, and see what decoders make of them."""
    click.echo(DAMAGE_HEAD)
    before = peak_resident()
    tallies = []
    for campaign in campaigns(mutations):
        if only in campaign.name:
            tally = DamageTally(campaign.name)
            for subject, damaged in campaign.trials:
                subject.try_out(damaged, tally, honest=campaign.honest)
            tallies.append(tally)
            click.echo(tally.row())
    click.echo(f"\nPeak memory rose by {(peak_resident() - before) / _MEBI:.0f} MiB.")
    for tally in tallies:
        for crash in tally.crashes[:5]:
            click.echo(f"{tally.name}: {crash}")
    if json_path:
        write_figures(json_path, [asdict(tally) for tally in tallies])


if __name__ == "__main__":
    run(main)
