"""What is there of a stream that was cut off, so that it can be continued."""

from __future__ import annotations

from dataclasses import dataclass

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.sections import PREAMBLE, Section, read_sections, read_varint
from bandfold.bitstream.container.segment_layout import read_segment_header
from bandfold.common.errors import StreamError


@dataclass(frozen=True)
class Begun:
    """An open stream without an end.

    Parameters
    ----------
    header : Header
        Its first intact header.
    size : int
        Bytes up to the end of its last intact segment: what is kept.
    strips : int
        Strips that are there, up to the last one.
    lines : int
        Their lines.
    low : bool
        Whether the last strip is lower than the others, so that nothing can follow.
    step_code : int
        Of the last strip, in counts of the header.
    next_basis : int
        A number that no fold of the stream has.
    """

    header: Header
    size: int
    strips: int
    lines: int
    low: bool
    step_code: int
    next_basis: int


def find_begun(data: bytes) -> Begun | None:
    """Look at a stream that was cut off.

    Parameters
    ----------
    data : bytes
        All there is of it.

    Returns
    -------
    Begun or None
        None if it was cut off before the end of its first segment: there is nothing to continue.

    Raises
    ------
    StreamError
        If this is no stream, or one that cannot be continued: it is complete, or tells its lines.
    """
    if len(data) < PREAMBLE:
        return None
    header: Header | None = None
    position, size, next_basis = PREAMBLE, 0, 0
    last = None
    for section in read_sections(data):
        position += section.size
        if not section.intact:
            continue
        if section.kind == Section.HEADER and header is None:
            header = Header.unpack(section.payload)
        elif section.kind == Section.END:
            raise StreamError("stream is complete: there is nothing to resume")
        elif section.kind in (Section.FOLD, Section.ROTATION):
            next_basis = max(next_basis, read_varint(section.payload, 0)[0] + 1)
        elif section.kind == Section.SEGMENT:
            last, size = read_segment_header(section.payload)[0], position
    if header is None or last is None:
        return None
    if not header.open:
        raise StreamError("stream tells its number of lines: only what --stream began can be resumed")
    lines = last.index * header.strip_lines + (last.lines or header.strip_lines)
    return Begun(
        header,
        size,
        last.index + 1,
        lines,
        last.lines is not None,
        (last.step_code or header.step_code) << last.doublings,
        next_basis,
    )
