"""Streams put together from packets, in any order, with duplicates and losses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bandfold.bitstream.container.packet_layout import CLOSING, CLOSING_DATA, COUNTS
from bandfold.bitstream.container.sections import SIGNATURE, Section, read_sections
from bandfold.common.errors import StreamError

from .packet_reader import Packet
from .received_scene import PacketCounts, PartialSection, Ranges, ReceivedScene, SectionCounts

FILL_LIMIT = 16
"""Zeros in place of missing bytes, at most, for each byte that arrived: lengths are only claims."""


class Reassembly:
    """Sorts packets by scene and section, and puts scenes together."""

    def __init__(self) -> None:
        self._scenes: dict[tuple[int, int], _SceneParts] = {}

    @property
    def scenes(self) -> list[tuple[int, int]]:
        """APID and number of each scene, in order of arrival."""
        return list(self._scenes)

    def add(self, packets: Iterable[Packet]) -> None:
        """Sort packets in.

        Parameters
        ----------
        packets : iterable of Packet
            In any order, and again.
        """
        for packet in packets:
            key = packet.apid, packet.head.scene
            if key not in self._scenes:
                self._scenes[key] = _SceneParts(packet)
            self._scenes[key].add(packet)

    def assemble(self, apid: int | None = None, scene: int | None = None) -> ReceivedScene:
        """Put one scene together.

        Parameters
        ----------
        apid : int, optional
            Application process identifier of its packets, where there are several.
        scene : int, optional
            Number of the scene, where there are several.

        Returns
        -------
        ReceivedScene
            As far as it arrived.

        Raises
        ------
        StreamError
            If no packet of such a scene has arrived, or several scenes fit.
        """
        fitting = [
            key
            for key in self._scenes
            if (apid is None or key[0] == apid) and (scene is None or key[1] == scene)
        ]
        if not self._scenes:
            raise StreamError("no packet of bandfold has been found: are these files of space packets?")
        if len(fitting) != 1:
            names = ", ".join(f"scene {number} of APID {one}" for one, number in self._scenes)
            raise StreamError(f"choose one scene with --scene and --apid; there are packets of {names}")
        return self._scenes[fitting[0]].assembly(*fitting[0])


@dataclass
class _SectionParts:
    """What arrived of a section: data by their offset."""

    data: dict[int, bytes] = field(default_factory=dict)

    def missing(self, length: int) -> Ranges:
        gaps, reached = [], 0
        for offset in sorted(self.data):
            if offset > reached:
                gaps.append((reached, offset))
            reached = max(reached, offset + len(self.data[offset]))
        return [*gaps, (reached, length)] if reached < length else gaps

    def joined(self, length: int) -> bytes:
        """All data, zeros where they are missing; packets of another size may bring some of them twice."""
        whole = bytearray(length)
        for offset, data in self.data.items():
            whole[offset : offset + len(data)] = data
        return bytes(whole)


class _SceneParts:
    """What arrived of a scene."""

    def __init__(self, first: Packet) -> None:
        self._first_count = (first.count - first.head.packet) % COUNTS
        self._version = first.head.version
        self._time = first.time
        self._received = self._bytes = 0
        self._numbers: set[int] = set()
        self._closing: tuple[int, int] | None = None
        # Of what claims another length no packet may get in: CRC-16 lets one damaged packet in 65536 pass.
        self._sections: dict[int, dict[tuple[int, int], _SectionParts]] = {}

    def add(self, packet: Packet) -> None:
        head = packet.head
        self._received += 1
        self._numbers.add(head.packet)
        self._time = min(self._time, packet.time)
        if head.kind == CLOSING:
            if len(packet.data) == CLOSING_DATA.size:
                self._closing = head.section, CLOSING_DATA.unpack(packet.data)[0]
            return
        section = self._sections.setdefault(head.section, {}).setdefault(
            (head.kind, head.length), _SectionParts()
        )
        known = section.data.get(head.offset, b"")
        if len(packet.data) > len(known):
            section.data[head.offset] = packet.data
            self._bytes += len(packet.data) - len(known)

    def assembly(self, apid: int, scene: int) -> ReceivedScene:
        preamble = SIGNATURE + self._version.to_bytes(2, "little")
        parts, partial = [], []
        spare = FILL_LIMIT * self._bytes
        for number in sorted(self._sections):
            (kind, length), best = min(
                self._sections[number].items(), key=lambda one: _size(one[1].missing(one[0][1]))
            )
            missing = best.missing(length)
            gaps = _size(missing)
            if not gaps and _intact(preamble + best.joined(length)):
                parts.append(best.joined(length))
                continue
            partial.append(PartialSection(number, kind, length, missing))
            if kind == Section.SEGMENT and 0 not in dict(missing) and gaps <= spare:
                spare -= gaps
                parts.append(best.joined(length))
        sections, packets = self._closing or (None, None)
        last = max(self._numbers) + 1 if packets is None else packets
        last_section = max(self._sections, default=-1) + 1 if sections is None else sections
        numbers = sorted(self._numbers)
        return ReceivedScene(
            apid,
            scene,
            self._time,
            preamble + b"".join(parts),
            PacketCounts(
                self._received,
                self._received - len(numbers),
                packets,
                list(_gaps(numbers, last)),
                self._first_count,
            ),
            SectionCounts(
                len(self._sections) - len(partial),
                sections,
                list(_gaps(sorted(self._sections), last_section)),
                partial,
            ),
        )


def _intact(data: bytes) -> bool:
    """Whether a stream of one section holds it whole."""
    sections = list(read_sections(data))
    return len(sections) == 1 and sections[0].intact


def _gaps(numbers: list[int], end: int) -> Iterator[tuple[int, int]]:
    """Ranges below `end` that are not among rising numbers."""
    reached = 0
    for number in [*numbers, end]:
        if number > reached:
            yield reached, number
        reached = number + 1


def _size(ranges: Ranges) -> int:
    return sum(stop - start for start, stop in ranges)
