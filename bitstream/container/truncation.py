"""Streams cut to size: refinements, then the chunks worth least for their bytes, go; nothing is decoded."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bandfold.common.errors import BudgetError, StreamError

from .header import PREDICTED, Header
from .refinement_layout import ErrorLimits, Refinement
from .sections import PREAMBLE, RawSection, Section, read_sections, write_preamble, write_section
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
    refined : int
        Refinements that it had.
    kept_refined : int
        Refinements that it has.
    """

    data: bytes
    chunks: int
    kept: int
    refined: int = 0
    kept_refined: int = 0


def truncate(data: bytes, nbytes: int) -> Truncated:
    """Cut a stream to size.

    Refinements go first, those of the last strips before those of the first ones; then chunks.

    Parameters
    ----------
    data : bytes
        A stream with a spectral transform or of predicted bands, all of it intact; or any with refinements,
        if it is enough to leave these out.
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
    refined = sum(one.kind == Section.REFINEMENT for one in sections)
    if refined and len(data) > nbytes:
        sections = _without_refinements(sections, header, nbytes)
    segments = {
        place: split_segment(one.payload) for place, one in enumerate(sections) if one.kind == Section.SEGMENT
    }
    chunks = sum(len(segment.chunks) for segment in segments.values())
    kept_refined = sum(one.kind == Section.REFINEMENT for one in sections)
    size = PREAMBLE + sum(one.size for one in sections)
    if size <= nbytes:
        whole = data if kept_refined == refined else write_preamble() + b"".join(map(_write, sections))
        return Truncated(whole, chunks, chunks, refined, kept_refined)
    if not header.spectral and header.transform != PREDICTED:
        raise StreamError("stream codes band by band: what is cut off would be whole bands; encode it again")
    kept = {place: len(segment.chunks) for place, segment in segments.items()}
    for place in _order(segments):
        before, count = segments[place], kept[place]
        size += _bytes(before.first(count - 1)) - _bytes(before.first(count))
        kept[place] = count - 1
        if size <= nbytes:
            cut = write_preamble() + b"".join(
                _write(one, segments[number].first(kept[number]) if number in segments else None)
                for number, one in enumerate(sections)
            )
            return Truncated(cut, chunks, sum(kept.values()), refined)
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


def _without_refinements(sections: list[RawSection], header: Header, nbytes: int) -> list[RawSection]:
    """Sections without as many refinements as must go, from the last strip on, and limits that say so."""
    index = {
        place: Refinement.unpack(one.payload).index
        for place, one in enumerate(sections)
        if one.kind == Section.REFINEMENT
    }
    size = PREAMBLE + sum(one.size for one in sections)
    left = sorted(index, key=lambda place: index[place])
    while left and size > nbytes:
        # Those of a strip go together.
        strip = index[left[-1]]
        while left and index[left[-1]] == strip:
            size -= sections[left.pop()].size
        if left:
            # The number of strips that are refined takes bytes of its own.
            size += sum(
                one.size - sections[place].size
                for place, one in enumerate(_limited(sections, header, strip))
                if one.kind == Section.LIMITS
            )
            sections = _limited(sections, header, strip)
        else:
            size -= sum(one.size for one in sections if one.kind == Section.LIMITS)
    kept = set(left)
    return [
        one
        for place, one in enumerate(sections)
        if place in kept or one.kind not in (Section.REFINEMENT, *(() if left else (Section.LIMITS,)))
    ]


def _limited(sections: list[RawSection], header: Header, strips: int) -> list[RawSection]:
    """Sections whose limits hold for the first strips only."""
    return [_limits_of(one, header, strips) if one.kind == Section.LIMITS else one for one in sections]


def _limits_of(section: RawSection, header: Header, strips: int) -> RawSection:
    payload = replace(ErrorLimits.unpack(section.payload, header.info.bands), strips=strips).pack()
    return RawSection(section.kind, payload, True, len(write_section(Section.LIMITS, payload)))


def _write(section: RawSection, segment: ChunkedSegment | None = None) -> bytes:
    # Kinds that this version does not know are copied with the others.
    payload = section.payload if segment is None else segment.pack()
    return write_section(section.kind, payload)  # type: ignore[arg-type]
