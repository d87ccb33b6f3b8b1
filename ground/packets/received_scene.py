"""One scene as far as its packets arrived: its stream, and what is missing of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bandfold.bitstream.container.packet_layout import COUNTS
from bandfold.bitstream.container.sections import Section
from bandfold.bitstream.container.stream_budget import UNLIMITED, StreamBudget
from bandfold.bitstream.packages.registry import Registry
from bandfold.common.errors import BandfoldError
from bandfold.ground.stream.parsed_stream import ParsedStream

Ranges = list[tuple[int, int]]
"""Half-open ranges, rising."""


@dataclass(frozen=True)
class StreamName:
    """By what packets of one stream are told from those of others.

    Parameters
    ----------
    apid : int
        Application process identifier of its packets.
    scene : int
        Number of the scene.
    identity : bytes or None
        Of the stream, 8 bytes; None in packets of the first layout, which have none.
    """

    apid: int
    scene: int
    identity: bytes | None

    def __str__(self) -> str:
        identity = "without identity" if self.identity is None else f"identity {self.identity.hex()}"
        return f"scene {self.scene} of APID {self.apid} ({identity})"


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
    renumbered : int
        Packets with the number of another one and other content: of the same stream cut in another way or,
        in the first layout, perhaps of another stream.
    """

    received: int
    duplicates: int
    sent: int | None
    lost: Ranges
    first_count: int
    renumbered: int = 0


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
    contradicted : list of int
        Sections of which packets brought different bytes. Of those that are whole, the bytes were taken that
        the checksum of the section proves.
    """

    whole: int
    sent: int | None
    lost: Ranges
    partial: list[PartialSection]
    contradicted: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class StreamProof:
    """What shows that all packets are of one stream.

    Parameters
    ----------
    digest : bool or None
        Whether all sections together have the digest that the closing packets tell; None if that is not
        known: sections or closing packets are missing, or the packets are of the first layout.
    doubts : tuple of str
        What speaks against it, a sentence each.
    """

    digest: bool | None
    doubts: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against it, or the digest settles it."""
        return self.digest is True or (self.digest is None and not self.doubts)


@dataclass(frozen=True)
class LostStrips:
    """Strips of a scene that cannot be decoded.

    Parameters
    ----------
    lines : dict of int to tuple of int
        Half-open range of lines, by number of the strip.
    reason : str or None
        Why they are not known, if they are not: nothing can be decoded, or a package is not at hand.
    ended : bool
        Whether it is known how many lines the scene has: the header or the end of the stream tells it. If
        not, more strips may be missing behind the last one.
    """

    lines: dict[int, tuple[int, int]]
    reason: str | None = None
    ended: bool = True


@dataclass(frozen=True)
class ReceivedScene:
    """A scene as far as it arrived.

    Parameters
    ----------
    name : StreamName
        By what its packets were told from others.
    time : datetime
        Earliest time code, UTC.
    stream : bytes
        Preamble and all whole sections, in order. Of segments whose beginning arrived, what is missing is
        zeros: they are not intact, but nothing that arrived is thrown away.
    packets : PacketCounts
        Which packets arrived.
    sections : SectionCounts
        Which sections arrived.
    proof : StreamProof
        Whether all of that is one stream.
    """

    name: StreamName
    time: datetime
    stream: bytes
    packets: PacketCounts
    sections: SectionCounts
    proof: StreamProof

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
            budget = StreamBudget(len(self.stream))
            # Nothing is decoded: a strip may take any memory.
            budget.memory_limit = UNLIMITED
            stream = ParsedStream.parse(self.stream, budget=budget, registry=registry)
            lost = [index for index in range(stream.header.strip_count) if not stream.usable(index)]
            strips = [stream.header.strip(index) for index in lost]
            lines = {index: (one.start, one.stop) for index, one in zip(lost, strips, strict=True)}
            return LostStrips(lines, ended=stream.complete)
        except BandfoldError as error:
            return LostStrips({}, str(error), ended=False)

    def complete(self, strips: LostStrips) -> bool:
        """Whether nothing of the stream is missing, and all of it is of one stream; lost copies do not count.

        Of a stream that was sent while its lines came in, only its end tells that nothing is missing.

        Parameters
        ----------
        strips : LostStrips
            From `lost_strips`.

        Returns
        -------
        bool
            Whether all sections, all strips and the end are there.
        """
        missing = self.sections.lost or self.sections.partial or strips.lines or strips.reason
        return strips.ended and not missing and self.proof.holds

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
        name, packets, sections = self.name, self.packets, self.sections
        return {
            "apid": name.apid,
            "scene": name.scene,
            "identity": None if name.identity is None else name.identity.hex(),
            "layout": 1 if name.identity is None else 2,
            "time": self.time.isoformat(),
            "complete": self.complete(strips),
            "end_seen": packets.sent is not None,
            "stream_ended": strips.ended,
            "digest_agrees": self.proof.digest,
            "doubts": list(self.proof.doubts),
            "packets": {
                "received": packets.received,
                "duplicates": packets.duplicates,
                "renumbered": packets.renumbered,
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
                "contradicted": sections.contradicted,
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
