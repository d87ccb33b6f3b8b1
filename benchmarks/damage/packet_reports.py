"""Packets dropped, and whether the ground reports exactly what that cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.packet_layout import CLOSING, OVERHEAD_BYTES, PacketHead
from bandfold.bitstream.container.sections import Section, read_sections, read_varint
from bandfold.bitstream.container.segment_layout import read_segment_header
from bandfold.ground import Decoder
from bandfold.ground.packets.packet_reader import find_packets
from bandfold.ground.packets.reassembly import Reassembly
from bandfold.onboard import ArraySource, Encoder
from bandfold.onboard.downlink.packet_writer import PacketWriter
from bandfold.onboard.downlink.packets import PacketSettings, packetise
from bandfold.synthetic.scenes import SyntheticScene

_HEAD = 13
"""Bytes of a packet before its own header."""

_NEEDED = (Section.FOLD, Section.ROTATION)
"""Sections that segments name: without any one of its number a strip cannot be decoded."""


REPORT_HEAD = (
    "| stream | packets dropped | times | nothing decodes | all decodes | strips lost | not reported exactly "
    "| wrong elsewhere | silent | slowest s |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)
"""First two lines of the Markdown table whose rows are those of `ReportTally.row`."""


@dataclass
class ReportTally:
    """What became of a stream whose packets were dropped.

    Attributes
    ----------
    name : str
        Of the stream, with its packets.
    percent : float
        Of the packets that were dropped.
    rounds, hopeless, untouched : int
        Times that it was done; those after which nothing can be decoded, and those that cost no strip.
    strips, lost : int
        Strips that were sent and lost, over all rounds in which something is decoded.
    inexact : int
        Rounds after which lost packets or strips are not reported exactly.
    wrong : int
        Rounds after which lines that are not reported differ from those of the intact stream.
    silent : int
        Rounds after which a section is missing and the stream passes for complete.
    slowest : float
        Seconds that putting together and decoding took at most.
    """

    name: str
    percent: float
    rounds: int = 0
    hopeless: int = 0
    untouched: int = 0
    strips: int = 0
    lost: int = 0
    inexact: int = 0
    wrong: int = 0
    silent: int = 0
    slowest: float = 0.0

    def row(self) -> str:
        """Return a row of a Markdown table under `REPORT_HEAD`."""
        return (
            f"| {self.name} | {self.percent:g} % | {self.rounds} | {self.hopeless} | {self.untouched} "
            f"| {self.lost / max(self.strips, 1):.1%} | {self.inexact} | {self.wrong} | {self.silent} "
            f"| {self.slowest:.2f} |"
        )


class Sent:
    """A stream and its packets, and what each strip needs of them.

    Parameters
    ----------
    stream : bytes
        The intact stream.
    packets : sequence of bytes
        Its CCSDS packets in the order in which they are sent, the closing ones last.
    """

    def __init__(self, stream: bytes, packets: Sequence[bytes]) -> None:
        self.packets = packets
        self.whole: NDArray[Any] = Decoder(stream).decode()
        heads = [PacketHead.unpack(packet, _HEAD) for packet in packets]
        self._heads = [head for head in heads if head is not None]
        self._sizes: dict[int, int] = {}
        self._kinds: dict[int, int] = {}
        by_number: dict[tuple[int, int], set[int]] = {}
        segments: dict[int, tuple[int, set[tuple[int, int]]]] = {}
        for number, section in enumerate(read_sections(stream)):
            self._sizes[number], self._kinds[number] = section.size, section.kind
            if section.kind in _NEEDED:
                by_number.setdefault((section.kind, read_varint(section.payload, 0)[0]), set()).add(number)
            elif section.kind == Section.SEGMENT:
                place, _ = read_segment_header(section.payload)
                needs = {(int(Section.FOLD), place.fold)}
                if place.rotation is not None:
                    needs.add((int(Section.ROTATION), place.rotation))
                segments[place.index] = number, needs
        # Any one of sections that say the same will do.
        self._needs = {
            index: [{number}, *(by_number[need] for need in sorted(needs))]
            for index, (number, needs) in segments.items()
        }

    def arrived(self, numbers: Sequence[int]) -> set[int]:
        """Find the sections of which every byte is in some packets.

        Parameters
        ----------
        numbers : sequence of int
            Of the packets that arrived.

        Returns
        -------
        set of int
            Numbers of the sections.
        """
        offsets: dict[int, dict[int, int]] = {}
        for number in numbers:
            head = self._heads[number]
            if head.kind != CLOSING:
                data = len(self.packets[number]) - OVERHEAD_BYTES
                offsets.setdefault(head.section, {})[head.offset] = data
        return {section for section, found in offsets.items() if sum(found.values()) == self._sizes[section]}

    def lost(self, whole: set[int]) -> set[int] | None:
        """Find the strips that cannot be decoded.

        Parameters
        ----------
        whole : set of int
            Numbers of the sections that arrived.

        Returns
        -------
        set of int or None
            Numbers of the strips; None if there is no header or no fold at all, so that nothing decodes.
        """
        kinds = {self._kinds[number] for number in whole}
        if not {Section.HEADER, Section.FOLD} <= kinds:
            return None
        return {index for index, needs in self._needs.items() if any(not need & whole for need in needs)}

    def lose(self, numbers: Sequence[int], tally: ReportTally) -> None:
        """Put together and decode what some packets give, and compare the reports with what is missing.

        Parameters
        ----------
        numbers : sequence of int
            Of the packets that arrived, in rising order.
        tally : ReportTally
            Takes the result.
        """
        tally.rounds += 1
        whole = self.arrived(numbers)
        expected = self.lost(whole)
        if not numbers:
            tally.hopeless += 1
            return
        started = time.perf_counter()
        reassembly = Reassembly()
        reassembly.add(find_packets(b"".join(self.packets[number] for number in numbers)).packets)
        assembly = reassembly.assemble()
        strips = assembly.lost_strips()
        tally.silent += len(whole) < len(self._sizes) and self._closed(numbers) and assembly.complete(strips)
        told = {number for start, stop in assembly.packets.lost for number in range(start, stop)}
        end = len(self.packets) if self._closed(numbers) else numbers[-1] + 1
        exact = told == set(range(end)) - set(numbers)
        if expected is None or strips.reason is not None:
            # A stream without any segment cannot be decoded either.
            empty = expected is not None and len(expected) == len(self._needs)
            tally.hopeless += 1
            tally.inexact += not (exact and strips.reason is not None and (expected is None or empty))
            return
        decoder = Decoder(assembly.stream)
        decoded = decoder.decode()
        tally.slowest = max(tally.slowest, time.perf_counter() - started)
        lines = decoded.shape[1]
        good = np.ones(lines, dtype=np.bool_)
        for damage in decoder.damage:
            good[damage.lines] = False
        # Where the end is lost, strips behind the last one that is there are not known to be missing.
        known = -(-lines // decoder.strip_lines)
        seen = {index for index in expected if index < known}
        reported = {int(one) for one in np.flatnonzero(~good) // decoder.strip_lines}
        behind = known < len(self._needs)
        exact &= set(strips.lines) == seen == reported and behind <= (not decoder.complete)
        tally.inexact += not exact
        tally.wrong += not np.array_equal(decoded[:, good], self.whole[:, :lines][:, good])
        tally.untouched += not expected
        tally.strips += len(self._needs)
        tally.lost += len(expected)

    def _closed(self, numbers: Sequence[int]) -> bool:
        """Whether a closing packet is among them."""
        return any(self._heads[number].kind == CLOSING for number in numbers)


def sent_streams(lines: int, size: int) -> dict[str, Sent]:
    """Encode a scene in several ways, and pack the streams into packets.

    Parameters
    ----------
    lines : int
        Of the scene.
    size : int
        Bytes of a packet, at most.

    Returns
    -------
    dict of str to Sent
        Streams by what they are.
    """
    settings = PacketSettings(1, size=size, scene=1, repeat=4)
    upper, lower = (
        SyntheticScene(lines // 2, 24, 12, seed=seed).read(slice(0, 12), slice(0, lines // 2))
        for seed in (2, 3)
    )
    # Two lands, so that a stream needs several folds.
    cube = np.concatenate([upper, (lower[::-1] // 3 + 900).astype(np.uint16)], axis=1)
    found = {}
    for name, step, spectral in (("whole scene", 30.0, "auto"), ("band by band", 60.0, "none")):
        stream = Encoder(step=step, spectral=spectral, strip_lines=8).encode(cube)
        found[name] = Sent(stream, list(packetise(stream, settings)))
    parts: list[bytes] = []
    packets: list[bytes] = []
    writer = PacketWriter(settings, packets.append)

    def write(section: bytes) -> None:
        parts.append(section)
        writer.write(section)

    Encoder(step=30.0, strip_lines=8, stream=True, repeat=0).encode_in_parts(ArraySource(cube), write)
    found["packets of lines as they come"] = Sent(b"".join(parts), packets)
    return found
