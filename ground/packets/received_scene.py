"""One scene as far as its packets arrived: its stream, and what is missing of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bandfold.bitstream.container.packet_layout import COUNTS
from bandfold.bitstream.container.sections import Section
from bandfold.bitstream.packages.registry import Registry
from bandfold.common.errors import BandfoldError
from bandfold.ground.stream.parsed_stream import ParsedStream

Ranges = list[tuple[int, int]]
"""Half-open ranges, rising."""


@dataclass(frozen=True)
class PacketCounts:
    """Packets of a scene.

    Parameters
    ----------
    received : int
        Packets that arrived.
    duplicates : int
        How many of them had arrived before.
    sent : int or None
        Packets that were sent; None if no closing packet arrived, and more may be missing at the end.
    lost : list of tuple of int
        Half-open ranges of packets, as far as the last one known.
    first_count : int
        Sequence count of packet 0.
    """

    received: int
    duplicates: int
    sent: int | None
    lost: Ranges
    first_count: int


@dataclass(frozen=True)
class PartialSection:
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
class SectionCounts:
    """Sections of the stream of a scene.

    Parameters
    ----------
    whole : int
        Sections that are intact.
    sent : int or None
        Sections that were sent; None if no closing packet arrived.
    lost : list of tuple of int
        Half-open ranges of sections of which nothing arrived.
    partial : list of PartialSection
        Sections of which something arrived.
    """

    whole: int
    sent: int | None
    lost: Ranges
    partial: list[PartialSection]


@dataclass(frozen=True)
class LostStrips:
    """Strips of a scene that cannot be decoded.

    Parameters
    ----------
    lines : dict of int to tuple of int
        Half-open range of lines, by number of the strip.
    reason : str or None
        Why they are not known, if they are not: nothing can be decoded, or a package is not at hand.
    """

    lines: dict[int, tuple[int, int]]
    reason: str | None = None


@dataclass(frozen=True)
class ReceivedScene:
    """A scene as far as it arrived.

    Parameters
    ----------
    apid : int
        Application process identifier of its packets.
    scene : int
        Number of the scene.
    time : datetime
        Earliest time code, UTC.
    stream : bytes
        Preamble and all whole sections, in order. Of segments whose beginning arrived, what is missing is
        zeros: they are not intact, but nothing that arrived is thrown away.
    packets : PacketCounts
        Which packets arrived.
    sections : SectionCounts
        Which sections arrived.
    """

    apid: int
    scene: int
    time: datetime
    stream: bytes
    packets: PacketCounts
    sections: SectionCounts

    def lost_strips(self, registry: Registry | None = None) -> LostStrips:
        """Which strips of the scene are lost: their own segment is not whole, or what it names is not there.

        Parameters
        ----------
        registry : Registry, optional
            Where packages that the stream names are looked for.

        Returns
        -------
        LostStrips
            With a reason instead, where nothing can be decoded.
        """
        try:
            stream = ParsedStream.parse(self.stream, None, 1 << 62, registry)
            lost = [index for index in range(stream.header.strip_count) if not stream.usable(index)]
            strips = [stream.header.strip(index) for index in lost]
            return LostStrips({index: (one.start, one.stop) for index, one in zip(lost, strips, strict=True)})
        except BandfoldError as error:
            return LostStrips({}, str(error))

    def complete(self, strips: LostStrips) -> bool:
        """Whether nothing of the stream is missing; lost copies do not count.

        Parameters
        ----------
        strips : LostStrips
            From `lost_strips`.

        Returns
        -------
        bool
            Whether all sections and strips are there.
        """
        return not (self.sections.lost or self.sections.partial or strips.lines or strips.reason)

    def report(self, strips: LostStrips) -> dict[str, Any]:
        """What arrived and what is missing.

        Parameters
        ----------
        strips : LostStrips
            From `lost_strips`.

        Returns
        -------
        dict
            Ready for JSON; all ranges are half-open.
        """
        packets, sections = self.packets, self.sections
        return {
            "apid": self.apid,
            "scene": self.scene,
            "time": self.time.isoformat(),
            "complete": self.complete(strips),
            "end_seen": packets.sent is not None,
            "packets": {
                "received": packets.received,
                "duplicates": packets.duplicates,
                "sent": packets.sent,
                "missing": sum(stop - start for start, stop in packets.lost),
                "ranges": [
                    {"packets": [start, stop], "first_count": (packets.first_count + start) % COUNTS}
                    for start, stop in packets.lost
                ],
            },
            "sections": {
                "whole": sections.whole,
                "sent": sections.sent,
                "missing": [[start, stop] for start, stop in sections.lost],
                "partial": [
                    {
                        "section": one.number,
                        "kind": _kind_name(one.kind),
                        "bytes": one.length,
                        "missing": [[start, stop] for start, stop in one.missing],
                    }
                    for one in sections.partial
                ],
            },
            "strips": {
                "missing": [
                    {"strip": index, "lines": [start, stop]} for index, (start, stop) in strips.lines.items()
                ],
                "unknown": strips.reason,
            },
        }


def _kind_name(kind: int) -> str:
    return Section(kind).name.lower() if kind in Section._value2member_map_ else f"kind {kind}"
