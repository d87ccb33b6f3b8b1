"""Streams cut to size: the chunks that are worth least for their bytes are taken away, nothing is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from bandfold.common.errors import BudgetError, StreamError

from .header import PREDICTED, Header
from .sections import RawSection, Section, read_sections, write_preamble, write_section
from .segment_layout import ChunkedSegment, split_segment


@dataclass(frozen=True)
class Truncated:
    """A stream that was cut.

    Parameters
    ----------
    data : bytes
        The stream of that size.
    chunks : int
        Chunks that it had.
    kept : int
        Chunks that it has.
    """

    data: bytes
    chunks: int
    kept: int


def truncate(data: bytes, nbytes: int) -> Truncated:
    """Cut a stream to size.

    Parameters
    ----------
    data : bytes
        A stream with a spectral transform or of predicted bands, all of it intact.
    nbytes : int
        Bytes at most.

    Returns
    -------
    Truncated
        The stream itself if it is small enough.

    Raises
    ------
    StreamError
        If it is damaged, or codes band by band: then no part of it serves all bands.
    BudgetError
        If the first chunks and what all strips need take more bytes than that.
    """
    sections = list(read_sections(data))
    if any(not section.intact for section in sections):
        raise StreamError("stream is damaged: cut the intact one, or decode what there is")
    header = next((Header.unpack(one.payload) for one in sections if one.kind == Section.HEADER), None)
    if header is None:
        raise StreamError("header section is missing: there is nothing to cut by")
    segments = {
        place: split_segment(one.payload) for place, one in enumerate(sections) if one.kind == Section.SEGMENT
    }
    chunks = sum(len(segment.chunks) for segment in segments.values())
    if len(data) <= nbytes:
        return Truncated(data, chunks, chunks)
    if not header.spectral and header.transform != PREDICTED:
        raise StreamError("stream codes band by band: what is cut off would be whole bands; encode it again")
    kept = {place: len(segment.chunks) for place, segment in segments.items()}
    size = len(data)
    for place in _order(segments):
        before, count = segments[place], kept[place]
        size += _bytes(before.first(count - 1)) - _bytes(before.first(count))
        kept[place] = count - 1
        if size <= nbytes:
            cut = write_preamble() + b"".join(
                _write(one, segments[number].first(kept[number]) if number in segments else None)
                for number, one in enumerate(sections)
            )
            return Truncated(cut, chunks, sum(kept.values()))
    raise BudgetError(
        f"{nbytes} bytes are too few: the strongest chunk of each strip and what all strips need take "
        f"{size}; give more, or encode the scene again"
    )


def _order(segments: dict[int, ChunkedSegment]) -> list[int]:
    """Places of the segments whose last chunk is to go, one after the other."""
    steps = []
    for place, segment in segments.items():
        # A chunk cannot stay without those before it: its worth counts for those only up to theirs.
        worth = segment.chunks[0].worth if segment.chunks else 0
        for number, chunk in enumerate(segment.chunks[1:], start=1):
            worth = min(worth, chunk.worth)
            steps.append((worth, -number, place))
    return [place for _, _, place in sorted(steps)]


def _bytes(segment: ChunkedSegment) -> int:
    return len(write_section(Section.SEGMENT, segment.pack()))


def _write(section: RawSection, segment: ChunkedSegment | None) -> bytes:
    # Kinds that this version does not know are copied with the others.
    payload = section.payload if segment is None else segment.pack()
    return write_section(section.kind, payload)  # type: ignore[arg-type]
