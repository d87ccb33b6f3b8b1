"""How many strips are lost with packets that are lost at random."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.ground import Decoder
from bandfold.ground.packets.packet_reader import Packet, find_packets
from bandfold.ground.packets.reassembly import Reassembly
from bandfold.ground.packets.received_scene import ReceivedScene
from bandfold.onboard.downlink.packets import PacketSettings, packetise

_SEED = 1
"""Of the losses."""


@dataclass(frozen=True)
class Loss:
    """A scene whose packets are lost at random, many times over.

    Attributes
    ----------
    strip_lines : int
        Lines of a strip.
    packet_bytes : int
        Bytes of a packet, at most.
    repeat : int
        Strips after which header and bases are sent again; 0 for never.
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


def lose(packets: Sequence[Packet], share: float, chance: random.Random) -> ReceivedScene | None:
    """Lose each packet with the same probability and put together what is left.

    Parameters
    ----------
    packets : sequence of Packet
        What was sent, in its order.
    share : float
        Probability that a packet is lost, 0 to 1.
    chance : random.Random
        Source of chance.

    Returns
    -------
    ReceivedScene or None
        None if everything was lost.
    """
    kept = [packet for packet in packets if chance.random() >= share]
    reassembly = Reassembly()
    reassembly.add(kept)
    return reassembly.assemble() if kept else None


def measure_losses(
    stream: bytes, settings: PacketSettings, strip_lines: int, lost: float, trials: int
) -> Loss:
    """Lose packets of a stream many times.

    Parameters
    ----------
    stream : bytes
        The encoded scene.
    settings : PacketSettings
        How it is cut into packets.
    strip_lines : int
        Lines of a strip that it was encoded with; only noted.
    lost : float
        Probability that a packet is lost, 0 to 1.
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


def lost_sections(assembly: ReceivedScene | None, total: int) -> list[int]:
    """Numbers of the sections that are not whole.

    Parameters
    ----------
    assembly : ReceivedScene or None
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
    lost = {one.number for one in assembly.sections.partial}
    for start, stop in assembly.sections.lost:
        lost.update(range(start, stop))
    # Without closing packets the ground does not know of what is missing at the end.
    return sorted(lost | set(range(assembly.sections.whole + len(lost), total)))


def strips_that_differ(stream: bytes, settings: PacketSettings, lost: float) -> tuple[int, int, int]:
    """Lose packets once and compare what is decoded with what the whole stream gives.

    Parameters
    ----------
    stream : bytes
        The encoded scene.
    settings : PacketSettings
        How it is cut into packets.
    lost : float
        Probability that a packet is lost, 0 to 1.

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
    whole = _strips_by_line(stream)
    part = _strips_by_line(assembly.stream)
    others = set(whole) - {start for start, _ in missing.lines.values()}
    differing = sum(not np.array_equal(whole[start], part[start]) for start in others)
    return len(whole), len(missing.lines), differing


def _strips_by_line(stream: bytes) -> dict[int, Any]:
    """Decode a stream into its strips, by first line."""
    return {lines.start: block for lines, block in Decoder(stream).strips()}


def losses_table(losses: Sequence[Loss]) -> str:
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
