"""The segments of a stream by the number of their strip, and what is left of those that are damaged."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import suppress

from bandfold.bitstream.container.sections import RawSection
from bandfold.bitstream.container.segment_layout import (
    ChunkedSegment,
    SegmentHeader,
    read_segment_header,
    segment_index,
    split_segment,
)
from bandfold.common.errors import StreamError


class StripSegments:
    """Finds the segment of each strip; of several for the same strip, the first one that is intact.

    Parameters
    ----------
    sections : iterable of RawSection
        Segment sections in the order of the stream. Those without a readable strip number are left out.
    keep_damaged : bool
        Whether the leading chunks of segments with a wrong checksum are kept, where their own ones agree.

    Attributes
    ----------
    intact : dict of int to RawSection
        Segments with a right checksum, by the number of the strip.
    """

    def __init__(self, sections: Iterable[RawSection], *, keep_damaged: bool = True) -> None:
        self.intact: dict[int, RawSection] = {}
        self._damaged: dict[int, ChunkedSegment] = {}
        for section in sections:
            with suppress(StreamError):
                if section.intact:
                    self.intact.setdefault(segment_index(section.payload), section)
                elif keep_damaged:
                    remains = split_segment(section.payload, intact=False)
                    self._damaged.setdefault(remains.place.index, remains)
        self._numbers = sorted(self.intact)

    def segment(self, strip: int) -> ChunkedSegment:
        """The segment of a strip, or what is left of it.

        Parameters
        ----------
        strip : int
            Number of the strip, from 0.

        Returns
        -------
        ChunkedSegment
            Its place and its chunks, not decoded.

        Raises
        ------
        StreamError
            If it is absent or damaged in its first chunk.
        """
        if strip in self.intact:
            return split_segment(self.intact[strip].payload)
        if strip in self._damaged:
            return self._damaged[strip]
        raise StreamError(f"segment {strip} is missing or its checksum is wrong")

    def place(self, strip: int) -> SegmentHeader:
        """What the intact segment of a strip names: fold, rotations, step and height.

        Parameters
        ----------
        strip : int
            Number of a strip with an intact segment.

        Returns
        -------
        SegmentHeader
            Read from the first bytes of the segment.

        Raises
        ------
        StreamError
            If these bytes break a rule of the format.
        """
        return read_segment_header(self.intact[strip].payload)[0]

    def places(self) -> Iterator[SegmentHeader]:
        """What each intact segment names, by rising number of the strip; unreadable ones are skipped."""
        for strip in self._numbers:
            with suppress(StreamError):
                yield self.place(strip)

    def nearest(self, strip: int) -> list[int]:
        """The intact segments next to a strip, its own first if it has one.

        Parameters
        ----------
        strip : int
            Number of the strip, from 0.

        Returns
        -------
        list of int
            Up to two numbers of strips.
        """
        at = bisect_left(self._numbers, strip)
        near = (*self._numbers[max(at - 1, 0) : at], *self._numbers[at : at + 1])
        return sorted(near, key=lambda number: number != strip)

    def last_line(self, strip_lines: int, largest: int) -> int:
        """Where the last strip that is there ends, damaged ones included.

        Parameters
        ----------
        strip_lines : int
            Lines of every strip but a lower last one.
        largest : int
            Ends beyond this line are claims of corrupt segments and are ignored.

        Returns
        -------
        int
            Line behind the last one, 0 without any segment.
        """
        places = [remains.place for remains in self._damaged.values()]
        ends = [
            place.index * strip_lines + (place.lines or strip_lines) for place in (*places, *self.places())
        ]
        return max((end for end in ends if end <= largest), default=0)
