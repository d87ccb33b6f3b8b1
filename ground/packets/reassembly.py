"""Streams put together from packets, in any order, with duplicates and losses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bandfold.bitstream.container.packet_layout import (
    CLOSING,
    CLOSING_DATA,
    CLOSING_DATA_1,
    COUNTS,
    section_digest,
)
from bandfold.bitstream.container.sections import SIGNATURE, Section
from bandfold.common.errors import StreamError

from .packet_reader import Packet
from .received_scene import (
    PacketCounts,
    PartialSection,
    Ranges,
    ReceivedScene,
    SectionCounts,
    StreamName,
    StreamProof,
)
from .section_parts import SectionParts

FILL_LIMIT = 16
"""Zeros in place of missing bytes, at most, for each byte that arrived: lengths are only claims."""

NAMED = 8
"""Streams or sections that a message names."""


class Reassembly:
    """Sorts packets by stream and section, and puts streams together."""

    def __init__(self) -> None:
        self._streams: dict[StreamName, _StreamParts] = {}

    @property
    def streams(self) -> list[StreamName]:
        """APID, scene and identity of each stream, in order of arrival."""
        return list(self._streams)

    def add(self, packets: Iterable[Packet]) -> None:
        """Sort packets in.

        Parameters
        ----------
        packets : iterable of Packet
            In any order, and again.
        """
        for packet in packets:
            name = StreamName(packet.apid, packet.head.scene, packet.head.identity)
            if name not in self._streams:
                self._streams[name] = _StreamParts(packet)
            self._streams[name].add(packet)

    def assemble(
        self, apid: int | None = None, scene: int | None = None, identity: str | None = None
    ) -> ReceivedScene:
        """Put one stream together.

        Parameters
        ----------
        apid : int, optional
            Application process identifier of its packets, where there are several.
        scene : int, optional
            Number of the scene, where there are several.
        identity : str, optional
            Identity of the stream or how it begins, in hexadecimal digits, where there are several.

        Returns
        -------
        ReceivedScene
            As far as it arrived.

        Raises
        ------
        StreamError
            If no packet of such a stream has arrived, or several streams fit, or packets of the first layout
            are of several streams with one APID and number of the scene.
        """
        fitting = [
            name
            for name in self._streams
            if (apid is None or name.apid == apid)
            and (scene is None or name.scene == scene)
            and (identity is None or (name.identity or b"").hex().startswith(identity.lower()))
        ]
        if not self._streams:
            raise StreamError("no packet of bandfold has been found: are these files of space packets?")
        if len(fitting) != 1:
            named = [f"{parts.received} packets of {name}" for name, parts in self._streams.items()]
            rest = f", and {len(named) - NAMED} more" if len(named) > NAMED else ""
            raise StreamError(
                "choose one stream with --scene, --apid and --identity; there are "
                f"{', '.join(named[:NAMED])}{rest}"
            )
        return self._streams[fitting[0]].assembly(fitting[0])


class _StreamParts:
    """What arrived of a stream."""

    def __init__(self, first: Packet) -> None:
        self._first_count = _first_count(first)
        self._runs = {self._first_count}
        self._version = first.head.version
        self._time = first.time
        self.received = 0
        self._bytes = self._duplicates = self._renumbered = 0
        # What packets hold, by their number: as hashes, for the data are kept already.
        self._contents: dict[int, int] = {}
        self._closing: set[tuple[int, int, bytes | None]] = set()
        # Of what claims another length no packet may get in: CRC-16 lets one damaged packet in 65536 pass.
        self._sections: dict[int, dict[tuple[int, int], SectionParts]] = {}

    def add(self, packet: Packet) -> None:
        head = packet.head
        self.received += 1
        self._runs.add(_first_count(packet))
        content = hash((head, packet.data))
        known = self._contents.get(head.packet)
        if known is None:
            self._contents[head.packet] = content
        elif known == content:
            self._duplicates += 1
        else:
            self._renumbered += 1
        self._time = min(self._time, packet.time)
        if head.kind == CLOSING:
            self._close(packet)
            return
        section = self._sections.setdefault(head.section, {}).setdefault(
            (head.kind, head.length), SectionParts()
        )
        self._bytes += section.add(head.offset, packet.data)

    def _close(self, packet: Packet) -> None:
        """Take what a closing packet tells."""
        layout = CLOSING_DATA_1 if packet.head.identity is None else CLOSING_DATA
        if len(packet.data) == layout.size:
            packets, digest = (*layout.unpack(packet.data), None)[:2]
            self._closing.add((packet.head.section, packets, digest))

    def assembly(self, name: StreamName) -> ReceivedScene:
        whole: dict[int, bytes] = {}
        remnants: dict[int, bytes] = {}
        partial, contradicted = [], []
        spare = FILL_LIMIT * self._bytes
        for number in sorted(self._sections):
            claims = self._sections[number]
            intact = self._intact(name, number)
            if len(claims) > 1 or any(parts.contradicts(intact) for parts in claims.values()):
                contradicted.append(number)
            if intact:
                whole[number] = intact
                continue
            (kind, length), best = min(claims.items(), key=lambda one: _size(one[1].missing(one[0][1])))
            missing = best.missing(length)
            gaps = _size(missing)
            partial.append(PartialSection(number, kind, length, missing))
            if kind == Section.SEGMENT and 0 not in dict(missing) and gaps <= spare:
                spare -= gaps
                remnants[number] = best.joined(length)
        sections = max((sections for sections, _, _ in self._closing), default=None)
        packets = max((packets for _, packets, _ in self._closing), default=None)
        numbers = sorted(self._contents)
        last = numbers[-1] + 1 if packets is None else packets
        last_section = max(self._sections, default=-1) + 1 if sections is None else sections
        lost = list(_gaps(sorted(self._sections), last_section))
        preamble = SIGNATURE + self._version.to_bytes(2, "little")
        parts = {**whole, **remnants}
        return ReceivedScene(
            name,
            self._time,
            preamble + b"".join(parts[number] for number in sorted(parts)),
            PacketCounts(
                self.received,
                self._duplicates,
                packets,
                list(_gaps(numbers, last)),
                self._first_count,
                self._renumbered,
            ),
            SectionCounts(len(whole), sections, lost, partial, contradicted),
            self._proof(name, whole, contradicted, incomplete=bool(lost or partial)),
        )

    def _intact(self, name: StreamName, number: int) -> bytes:
        """The section of a number, if its checksum proves one; empty if it proves none."""
        found = [
            data
            for (_, length), parts in self._sections[number].items()
            if not parts.missing(length)
            for data in parts.intact(length, self._version)
        ]
        if len(found) > 1:
            raise StreamError(
                f"packets of two streams are mixed under {name}: section {number} came intact with "
                f"{len(found)} different contents; give the files of one pass alone"
            )
        return found[0] if found else b""

    def _proof(
        self, name: StreamName, whole: dict[int, bytes], contradicted: list[int], *, incomplete: bool
    ) -> StreamProof:
        """Whether all that arrived is of one stream."""
        told = {(sections, digest) for sections, _, digest in self._closing}
        digests = {digest for _, digest in told if digest is not None}
        agrees = None
        if digests and not incomplete:
            agrees = digests == {section_digest(whole[number] for number in sorted(whole))}
        doubts = []
        if contradicted:
            numbers = ", ".join(map(str, contradicted[:NAMED])) + (", ..." if contradicted[NAMED:] else "")
            doubts.append(f"packets bring different bytes of the same sections ({numbers})")
        if len(told) > 1:
            doubts.append("closing packets contradict each other")
        if told and max(self._sections, default=-1) >= min(sections for sections, _ in told):
            doubts.append("there are sections behind the last one that a closing packet tells")
        if agrees is False:
            doubts.append("the sections do not have the digest that the closing packets tell")
        # Without an identity nothing else tells two streams of one number apart.
        if name.identity is None and self._renumbered:
            doubts.append(f"{self._renumbered} packets have the number of another one and other content")
        if name.identity is None and len(self._runs) > 1:
            doubts.append("sequence counts and numbers of packets are those of several runs")
        return StreamProof(agrees, tuple(doubts))


def _first_count(packet: Packet) -> int:
    """Sequence count that packet 0 of the same run has."""
    return (packet.count - packet.head.packet) % COUNTS


def _gaps(numbers: list[int], end: int) -> Iterator[tuple[int, int]]:
    """Ranges below `end` that are not among rising numbers."""
    reached = 0
    for number in [*numbers, end]:
        if number > reached:
            yield reached, number
        reached = number + 1


def _size(ranges: Ranges) -> int:
    return sum(stop - start for start, stop in ranges)
