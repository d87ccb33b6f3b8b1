"""What lost packets cost a scene: ``python -m bandfold.benchmarks.packets``."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.calibration.program import run
from bandfold.common.atomic_files import atomic_output
from bandfold.ground import Decoder
from bandfold.ground.packets.packet_reader import Packet, find_packets
from bandfold.ground.packets.reassembly import Assembly, Reassembly
from bandfold.onboard import Encoder
from bandfold.onboard.downlink.packets import PacketSettings, packetise
from bandfold.synthetic.scenes import SyntheticScene

_SEED = 1


@dataclass(frozen=True)
class Loss:
    """A scene whose packets are lost at random, many times over.

    Attributes
    ----------
    strip_lines, packet_bytes, repeat : int
        Settings.
    packets : int
        Sent, copies and closing packets included.
    overhead : float
        Bytes of the packets over those of the stream, less one.
    lost : float
        Share of the packets that is lost.
    strips_lost : float
        Share of the strips that is lost, over all trials in which anything can be decoded.
    undecodable : float
        Share of the trials in which nothing can be decoded.
    """

    strip_lines: int
    packet_bytes: int
    repeat: int
    packets: int
    overhead: float
    lost: float
    strips_lost: float
    undecodable: float


def lose(packets: Sequence[Packet], share: float, chance: random.Random) -> Assembly | None:
    """Lose each packet with the same probability and put together what is left.

    Parameters
    ----------
    packets : sequence of Packet
        What was sent.
    share : float
        Probability of a loss.
    chance : random.Random
        Source of chance.

    Returns
    -------
    Assembly or None
        None if everything was lost.
    """
    kept = [packet for packet in packets if chance.random() >= share]
    reassembly = Reassembly()
    reassembly.add(kept)
    return reassembly.assemble() if kept else None


def measure(stream: bytes, settings: PacketSettings, strip_lines: int, lost: float, trials: int) -> Loss:
    """Lose packets of a stream many times.

    Parameters
    ----------
    stream : bytes
        The scene.
    settings : PacketSettings
        How it is cut.
    strip_lines : int
        How it was encoded; only noted.
    lost : float
        Share of the packets to lose.
    trials : int
        How many times.

    Returns
    -------
    Loss
        Means over the trials.
    """
    data = b"".join(packetise(stream, settings))
    packets = find_packets(data).packets
    chance = random.Random(_SEED)
    kinds = [section.kind for section in read_sections(stream)]
    strips = kinds.count(Section.SEGMENT)
    gone, undecodable = 0, 0
    for _ in range(trials):
        missing = [kinds[number] for number in lost_sections(lose(packets, lost, chance), len(kinds))]
        if all(kind in (Section.SEGMENT, Section.METADATA) for kind in missing):
            gone += missing.count(Section.SEGMENT)
        else:
            undecodable += 1
    return Loss(
        strip_lines,
        settings.size,
        settings.repeat,
        len(packets),
        len(data) / len(stream) - 1,
        lost,
        gone / max(strips * (trials - undecodable), 1),
        undecodable / trials,
    )


def lost_sections(assembly: Assembly | None, total: int) -> list[int]:
    """Numbers of the sections that are not whole.

    Parameters
    ----------
    assembly : Assembly or None
        What was put together; None if nothing arrived.
    total : int
        Sections that were sent.

    Returns
    -------
    list of int
        In rising order.
    """
    if assembly is None:
        return list(range(total))
    lost = {one.number for one in assembly.partial}
    for start, stop in assembly.lost_sections:
        lost.update(range(start, stop))
    # Without closing packets the ground does not know of what is missing at the end.
    return sorted(lost | set(range(assembly.whole + len(lost), total)))


def strips_that_differ(stream: bytes, settings: PacketSettings, lost: float) -> tuple[int, int, int]:
    """Lose packets once and compare what is decoded with what the whole stream gives.

    Parameters
    ----------
    stream : bytes
        The scene.
    settings : PacketSettings
        How it is cut.
    lost : float
        Share of the packets to lose.

    Returns
    -------
    strips, lost, differing : int
        Strips of the scene, those that are reported lost, and others that differ in any sample.
    """
    packets = find_packets(b"".join(packetise(stream, settings))).packets
    assembly = lose(packets, lost, random.Random(_SEED))
    missing = None if assembly is None else assembly.lost_strips()
    if assembly is None or missing is None or missing.reason:
        return 0, 0, 0
    whole = dict_of_strips(stream)
    part = dict_of_strips(assembly.stream)
    others = set(whole) - {start for start, _ in missing.lost.values()}
    differing = sum(not np.array_equal(whole[start], part[start]) for start in others)
    return len(whole), len(missing.lost), differing


def dict_of_strips(stream: bytes) -> dict[int, Any]:
    """Decode a stream into its strips, by first line."""
    return {lines.start: block for lines, block in Decoder(stream).strips()}


def table(losses: Sequence[Loss]) -> str:
    """Write losses as a Markdown table, a row for each setting.

    Parameters
    ----------
    losses : sequence of Loss
        Grouped by setting, the shares in the same order in each group.

    Returns
    -------
    str
        Lines of text.
    """
    shares = sorted({one.lost for one in losses})
    titles = "".join(f" {share:.0%} of the packets lost |" for share in shares)
    rows = [
        f"| lines of a strip | bytes of a packet | repeat | packets | overhead |{titles}",
        "|---:|---:|---:|---:|---:|" + "---:|" * len(shares),
    ]
    for start in range(0, len(losses), len(shares)):
        group = sorted(losses[start : start + len(shares)], key=lambda one: one.lost)
        one = group[0]
        cells = "".join(
            f" {each.strips_lost:.1%} of the strips{_undecodable(each.undecodable)} |" for each in group
        )
        rows.append(
            f"| {one.strip_lines} | {one.packet_bytes} | {one.repeat or 'never'} | {one.packets} "
            f"| {one.overhead:+.1%} |{cells}"
        )
    return "\n".join(rows)


def _undecodable(share: float) -> str:
    return f"; nothing in {share:.1%}" if share else ""


def _numbers(context: click.Context, parameter: click.Parameter, text: str) -> list[float]:
    try:
        return [float(item) for item in text.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no list of numbers with commas between") from error


@click.command()
@click.option("--lines", type=click.IntRange(8), default=512, show_default=True)
@click.option("--samples", type=click.IntRange(8), default=340, show_default=True)
@click.option("--bands", type=click.IntRange(1), default=112, show_default=True)
@click.option("--bps", type=click.FloatRange(0, 32, min_open=True), default=0.5, show_default=True)
@click.option("--strip-lines", default="8,64", callback=_numbers, show_default=True)
@click.option("--sizes", default="1024,4096,65542", callback=_numbers, show_default=True, help="Of packets.")
@click.option("--repeats", default="0,8", callback=_numbers, show_default=True)
@click.option("--losses", default="0.01,0.05,0.1", callback=_numbers, show_default=True)
@click.option("--trials", type=click.IntRange(1), default=100, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures here.")
def main(
    lines: int,
    samples: int,
    bands: int,
    bps: float,
    strip_lines: list[float],
    sizes: list[float],
    repeats: list[float],
    losses: list[float],
    trials: int,
    json_path: Path | None,
) -> None:
    """Strips lost over packets lost, on a synthetic scene."""
    scene = SyntheticScene(lines, samples, bands, _SEED)
    found: list[Loss] = []
    checks = []
    for height in map(int, strip_lines):
        stream = Encoder(bps=bps, strip_lines=height).encode(scene)
        for size in map(int, sizes):
            for repeat in map(int, repeats):
                settings = PacketSettings(1, size=size, scene=1, repeat=repeat)
                found += [measure(stream, settings, height, lost, trials) for lost in losses]
        settings = PacketSettings(1, size=int(sizes[0]), scene=1)
        strips, gone, differing = strips_that_differ(stream, settings, losses[0])
        checks.append({"strip_lines": height, "strips": strips, "lost": gone, "differing": differing})
    click.echo(f"{lines} x {samples} x {bands} at {bps:g} bps, {trials} trials\n\n{table(found)}\n")
    for check in checks:
        click.echo(
            f"Strips of {check['strip_lines']} lines: {check['lost']} of {check['strips']} lost, "
            f"{check['differing']} others differ from what all packets give."
        )
    if json_path:
        content = {"bps": bps, "trials": trials, "losses": [asdict(one) for one in found], "checks": checks}
        with atomic_output(json_path) as file:
            file.write((json.dumps(content, indent=1) + "\n").encode())


if __name__ == "__main__":
    run(main)
