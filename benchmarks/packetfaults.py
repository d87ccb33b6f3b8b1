"""Whether the ground says exactly what lost packets cost, and tells streams of one number apart.

``python -m bandfold.benchmarks.packetfaults``
"""

from __future__ import annotations

import random
from dataclasses import asdict
from pathlib import Path

import click

from bandfold.benchmarks.damage.packet_mixes import MIX_HEAD, SITUATIONS, MixTally, PacketMixes
from bandfold.benchmarks.damage.packet_reports import REPORT_HEAD, ReportTally, sent_streams
from bandfold.programs.options import figures_option
from bandfold.programs.program import run, write_figures

PERCENT = (1.0, 5.0, 10.0)
"""Shares of packets that are dropped."""


@click.command()
@click.option("--lines", type=click.IntRange(32), default=512, show_default=True, help="Of each scene.")
@click.option("--size", type=click.IntRange(64), default=256, show_default=True, help="Bytes of a packet.")
@click.option("--rounds", type=click.IntRange(1), default=25, show_default=True, help="For each share.")
@click.option(
    "--trials",
    type=click.IntRange(0),
    default=10_000,
    show_default=True,
    help="With several streams of one number, cut-off streams and restarts.",
)
@figures_option("Write here.")
def main(lines: int, size: int, rounds: int, trials: int, json_path: Path | None) -> None:
    """Drop CCSDS packets, and compare what the ground reports with what was dropped."""
    chance = random.Random(0)
    tallies = []
    click.echo(REPORT_HEAD)
    for name, sent in sent_streams(lines, size).items():
        for percent in PERCENT:
            tally = ReportTally(f"{name}, {len(sent.packets)} packets", percent)
            for _ in range(rounds):
                kept = [number for number in range(len(sent.packets)) if chance.random() * 100 >= percent]
                sent.lose(kept, tally)
            tallies.append(tally)
            click.echo(tally.row())
    mixes = [MixTally(name) for name in SITUATIONS]
    streams = PacketMixes(size)
    for trial in range(trials):
        streams.trial(mixes[trial % len(mixes)], chance)
    click.echo(f"\n{MIX_HEAD}")
    for mix in mixes:
        click.echo(mix.row())
    if json_path:
        write_figures(
            json_path, {"losses": [asdict(one) for one in tallies], "mixes": [asdict(one) for one in mixes]}
        )


if __name__ == "__main__":
    run(main)
