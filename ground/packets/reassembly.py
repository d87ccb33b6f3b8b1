"""Streams put together from packets, in any order, with duplicates and losses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bandfold.bitstream.container.packet_layout import CLOSING, CLOSING_DATA, COUNTS
from bandfold.bitstream.container.sections import SIGNATURE, Section, read_sections
from bandfold.bitstream.packages.registry import Registry
from bandfold.common.errors import BandfoldError, StreamError
from bandfold.ground.stream.parsed_stream import Stream

from .packet_reader import Packet

FILL_LIMIT = 16
"""Zeros in place of missing bytes, at most, for each byte that arrived: lengths are only claims."""

Ranges = list[tuple[int, int]]
"""Half-open ranges, rising."""


@dataclass(frozen=True)
class Partial:
    """A section of which something is missing.

    Parameters
    ----------
    number : int
        In the stream, from 0.
    kind : int
        A `Section`, or a number that this version does not know.
    length : int
        Bytes, frame included.
    missing : list of tuple of int
        Half-open ranges of bytes; empty if all bytes are there but the checksum of the section is wrong.
    """

    number: int
    kind: int
    length: int
    missing: Ranges


@dataclass(frozen=True)
class Strips:
    """Strips of a scene that cannot be decoded.

    Parameters
    ----------
    lost : dict of int to tuple of int
        Half-open range of lines, by number of the strip.
    reason : str or None
        Why they are not known, if they are not: nothing can be decoded, or a package is not at hand.
    """

    lost: dict[int, tuple[int, int]]
    reason: str | None = None


@dataclass(frozen=True)
class Assembly:
    """A scene as far as it arrived.

    Attributes
    ----------
    apid, scene : int
    time : datetime
        Earliest time code.
    stream : bytes
        Preamble and all whole sections, in order. Of segments whose beginning arrived, what is missing is
        zeros: they are not intact, but nothing that arrived is thrown away.
    received, duplicates : int
        Packets, and how many of them had arrived before.
    total : int or None
        Packets that were sent; None if no closing packet arrived, and more may be missing at the end.
    lost : list of tuple of int
        Half-open ranges of packets, as far as the last one known.
    first_count : int
        Sequence count of packet 0.
    whole : int
        Sections that are intact.
    section_total : int or None
        Sections that were sent; None as in `total`.
    lost_sections : list of tuple of int
        Half-open ranges of sections of which nothing arrived.
    partial : list of Partial
        Sections of which something arrived.
    """

    apid: int
    scene: int
    time: datetime
    stream: bytes
    received: int
    duplicates: int
    total: int | None
    lost: Ranges
    first_count: int
    whole: int
    section_total: int | None
    lost_sections: Ranges
    partial: list[Partial]

    def lost_strips(self, registry: Registry | None = None) -> Strips:
        """Which strips of the scene are lost: their own segment is not whole, or what it names is not there.

        Parameters
        ----------
        registry : Registry, optional
            Where packages that the stream names are looked for.

        Returns
        -------
        Strips
        """
        try:
            stream = Stream.parse(self.stream, None, 1 << 62, registry)
            lost = [index for index in range(stream.header.strip_count) if not stream.usable(index)]
            strips = [stream.header.strip(index) for index in lost]
            return Strips({index: (one.start, one.stop) for index, one in zip(lost, strips, strict=True)})
        except BandfoldError as error:
            return Strips({}, str(error))

    def complete(self, strips: Strips) -> bool:
        """Whether nothing of the stream is missing; lost copies do not count."""
        return not (self.lost_sections or self.partial or strips.lost or strips.reason)

    def report(self, strips: Strips) -> dict[str, Any]:
        """What arrived and what is missing.

        Parameters
        ----------
        strips : Strips
            Of `lost_strips`.

        Returns
        -------
        dict
            Ready for JSON; all ranges are half-open.
        """
        return {
            "apid": self.apid,
            "scene": self.scene,
            "time": self.time.isoformat(),
            "complete": self.complete(strips),
            "end_seen": self.total is not None,
            "packets": {
                "received": self.received,
                "duplicates": self.duplicates,
                "sent": self.total,
                "missing": sum(stop - start for start, stop in self.lost),
                "ranges": [
                    {"packets": [start, stop], "first_count": (self.first_count + start) % COUNTS}
                    for start, stop in self.lost
                ],
            },
            "sections": {
                "whole": self.whole,
                "sent": self.section_total,
                "missing": [[start, stop] for start, stop in self.lost_sections],
                "partial": [
                    {
                        "section": one.number,
                        "kind": kind_name(one.kind),
                        "bytes": one.length,
                        "missing": [[start, stop] for start, stop in one.missing],
                    }
                    for one in self.partial
                ],
            },
            "strips": {
                "missing": [
                    {"strip": index, "lines": [start, stop]} for index, (start, stop) in strips.lost.items()
                ],
                "unknown": strips.reason,
            },
        }


class Reassembly:
    """Packets sorted by scene and section."""

    def __init__(self) -> None:
        self._scenes: dict[tuple[int, int], _Scene] = {}

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
                self._scenes[key] = _Scene(packet)
            self._scenes[key].add(packet)

    def assemble(self, apid: int | None = None, scene: int | None = None) -> Assembly:
        """Put one scene together.

        Parameters
        ----------
        apid, scene : int, optional
            Which one, where there are several.

        Returns
        -------
        Assembly

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
class _Section:
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


class _Scene:
    """What arrived of a scene."""

    def __init__(self, first: Packet) -> None:
        self._first_count = (first.count - first.head.packet) % COUNTS
        self._version = first.head.version
        self._time = first.time
        self._received = self._bytes = 0
        self._numbers: set[int] = set()
        self._closing: tuple[int, int] | None = None
        # Of what claims another length no packet may get in: CRC-16 lets one damaged packet in 65536 pass.
        self._sections: dict[int, dict[tuple[int, int], _Section]] = {}

    def add(self, packet: Packet) -> None:
        head = packet.head
        self._received += 1
        self._numbers.add(head.packet)
        self._time = min(self._time, packet.time)
        if head.kind == CLOSING:
            if len(packet.data) == CLOSING_DATA.size:
                self._closing = head.section, CLOSING_DATA.unpack(packet.data)[0]
            return
        section = self._sections.setdefault(head.section, {}).setdefault((head.kind, head.length), _Section())
        known = section.data.get(head.offset, b"")
        if len(packet.data) > len(known):
            section.data[head.offset] = packet.data
            self._bytes += len(packet.data) - len(known)

    def assembly(self, apid: int, scene: int) -> Assembly:
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
            partial.append(Partial(number, kind, length, missing))
            if kind == Section.SEGMENT and 0 not in dict(missing) and gaps <= spare:
                spare -= gaps
                parts.append(best.joined(length))
        sections, packets = self._closing or (None, None)
        last = max(self._numbers) + 1 if packets is None else packets
        last_section = max(self._sections, default=-1) + 1 if sections is None else sections
        return Assembly(
            apid,
            scene,
            self._time,
            preamble + b"".join(parts),
            self._received,
            self._received - len(self._numbers),
            packets,
            list(_gaps(sorted(self._numbers), last)),
            self._first_count,
            len(self._sections) - len(partial),
            sections,
            list(_gaps(sorted(self._sections), last_section)),
            partial,
        )


def kind_name(kind: int) -> str:
    """Name of a kind of sections."""
    return Section(kind).name.lower() if kind in Section._value2member_map_ else f"kind {kind}"


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
