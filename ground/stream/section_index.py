"""The sections of a stream, sorted by kind and number, with the bytes that each kind takes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from bandfold.bitstream.container.sections import RawSection, Section, read_sections, read_varint
from bandfold.common.errors import StreamError

from .strip_segments import StripSegments


@dataclass(frozen=True)
class StreamSizes:
    """Where the bytes of a stream went.

    Parameters
    ----------
    total : int
        Bytes of the stream.
    by_kind : mapping of Section to int
        Bytes of the sections of each kind, frames included.
    damaged : int
        Bytes in sections that are not intact.
    """

    total: int
    by_kind: Mapping[Section, int]
    damaged: int


@dataclass(frozen=True)
class SectionIndex:
    """The sections of a stream that are intact; of repeated ones, the first.

    Parameters
    ----------
    single : mapping of int to bytes
        Payloads of the kinds of which a stream needs one: header, metadata, limits, end.
    numbered : mapping of Section to mapping of int to bytes
        Payloads of folds and of sets of rotations, by the number that segments name them by.
    segments : StripSegments
        Segments by the number of their strip.
    refinements : tuple of RawSection
        Refinements, intact or not, in the order of the stream.
    sizes : StreamSizes
        Bytes of the stream and of each kind of section.
    """

    single: Mapping[int, bytes]
    numbered: Mapping[Section, Mapping[int, bytes]]
    segments: StripSegments
    refinements: tuple[RawSection, ...]
    sizes: StreamSizes

    @staticmethod
    def read(data: bytes) -> SectionIndex:
        """Find the sections of a stream, those behind damaged ones too.

        Parameters
        ----------
        data : bytes
            The stream.

        Returns
        -------
        SectionIndex
            No payload but the numbers is read yet.

        Raises
        ------
        StreamError
            If the data do not begin as a stream of a known version.
        """
        single: dict[int, bytes] = {}
        numbered: dict[Section, dict[int, bytes]] = {Section.FOLD: {}, Section.ROTATION: {}}
        by_kind: dict[Section, int] = {}
        segments: list[RawSection] = []
        refinements: list[RawSection] = []
        damaged = 0
        for section in read_sections(data):
            damaged += 0 if section.intact else section.size
            if section.kind not in Section._value2member_map_:
                # Of a later version: it may be skipped.
                continue
            kind = Section(section.kind)
            by_kind[kind] = by_kind.get(kind, 0) + section.size
            if kind == Section.SEGMENT:
                segments.append(section)
            elif kind == Section.REFINEMENT:
                refinements.append(section)
            elif section.intact and kind in numbered:
                # One without a number is as good as absent: segments will miss it.
                with suppress(StreamError):
                    number, start = read_varint(section.payload, 0)
                    numbered[kind].setdefault(number, section.payload[start:])
            elif section.intact:
                single.setdefault(kind, section.payload)
        sizes = StreamSizes(len(data), by_kind, damaged)
        return SectionIndex(single, numbered, StripSegments(segments), tuple(refinements), sizes)

    def required(self, kind: Section) -> bytes:
        """The payload of a section that every stream needs.

        Parameters
        ----------
        kind : Section
            One of the kinds that occur once.

        Returns
        -------
        bytes
            Payload of the first intact section of that kind.

        Raises
        ------
        StreamError
            If there is none.
        """
        if kind not in self.single:
            raise StreamError(
                f"{kind.name.lower()} section is missing or corrupt: nothing can be decoded without it"
            )
        return self.single[kind]
