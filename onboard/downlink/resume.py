"""What is there of a stream that was cut off, so that it can be continued, and what of it is damaged."""

from __future__ import annotations

from dataclasses import dataclass, field

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.refinement_layout import ErrorLimits, Refinement, segment_checksum
from bandfold.bitstream.container.sections import (
    LARGEST_FRAME,
    PREAMBLE,
    RawSection,
    Section,
    read_frame,
    read_sections,
    read_varint,
)
from bandfold.bitstream.container.segment_layout import SegmentHeader, read_segment_header
from bandfold.common.errors import StreamError


@dataclass(frozen=True)
class PartDamage:
    """Strips of a stream that was cut off that are lost, though more was there behind their beginning.

    Parameters
    ----------
    reason : str
        What is damaged.
    strips : int
        Lost strips, the first damaged one and all behind it.
    lines : tuple of int
        Half-open range of their lines.
    """

    reason: str
    strips: int
    lines: tuple[int, int]


@dataclass(frozen=True)
class Begun:
    """An open stream without an end.

    Parameters
    ----------
    header : Header
        Its first intact header.
    size : int
        Bytes up to the end of its last strip that is kept, with its refinement if strips are refined.
    last : SegmentHeader
        Of that strip.
    next_basis : int
        A number that no fold of the stream has.
    first : tuple of bytes
        Payloads of the fold and the segment of strip 0: what an encoder of the same scene makes again.
    metadata : bool
        Whether there is an intact METADATA section.
    damage : PartDamage or None
        What is lost behind the strip that is kept; with `keep_damaged`, what is damaged before it.
    limits : ErrorLimits or None
        Limits of errors, if strips are refined.
    refined : int
        How many of the bytes tell limits and refine strips.
    """

    header: Header
    size: int
    last: SegmentHeader
    next_basis: int
    first: tuple[bytes, bytes]
    metadata: bool = True
    damage: PartDamage | None = None
    limits: ErrorLimits | None = None
    refined: int = 0

    @property
    def strips(self) -> int:
        """Strips that are there, up to the last one that is kept."""
        return self.last.index + 1

    @property
    def lines(self) -> int:
        """Their lines."""
        return self.last.index * self.header.strip_lines + (self.last.lines or self.header.strip_lines)

    @property
    def low(self) -> bool:
        """Whether the last strip is lower than the others, so that nothing can follow."""
        return self.last.lines is not None

    @property
    def step_code(self) -> int:
        """Quantiser step of the last strip, in units of ``1 / 256`` of a count of the header."""
        return (self.last.step_code or self.header.step_code) << self.last.doublings


@dataclass
class _Part:
    """Sections of a part file, by what they are for."""

    header: Header | None = None
    headers: list[int] = field(default_factory=list)
    bases: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    folds: dict[int, bytes] = field(default_factory=dict)
    segments: dict[int, tuple[SegmentHeader, int]] = field(default_factory=dict)
    first: bytes = b""
    damaged: list[int] = field(default_factory=list)
    metadata: bool = False
    ended: bool = False
    limits: ErrorLimits | None = None
    refinements: dict[int, int] = field(default_factory=dict)
    extra: list[tuple[int, int]] = field(default_factory=list)

    def leave_unrefined(self) -> None:
        """Forget the last segment if its refinement was never written, and let strips end behind theirs."""
        if self.limits is None:
            return
        last = max(self.segments, default=0)
        if last not in self.refinements:
            self.segments.pop(last, None)
        for index, end in self.refinements.items():
            place, _ = self.segments[index]
            self.segments[index] = place, end

    def needs(self, strip: int) -> list[tuple[str, list[int]]]:
        """What a strip needs beside its segment: its name, and where its intact copies end."""
        place, _ = self.segments[strip]
        needs = [("header", self.headers), (f"fold {place.fold}", self._ends(Section.FOLD, place.fold))]
        if place.rotation is not None:
            needs.append((f"rotation {place.rotation}", self._ends(Section.ROTATION, place.rotation)))
        return needs

    def _ends(self, kind: Section, number: int) -> list[int]:
        return self.bases.get((kind, number), [])

    def unusable(self, strip: int, size: int | None = None) -> str | None:
        """Why a strip cannot be used, with the first bytes of the part alone; None if it can."""
        if strip not in self.segments:
            return f"strip {strip} is damaged or missing"
        if self.limits is not None and strip not in self.refinements:
            return f"the refinement of strip {strip} is damaged or missing"
        for name, ends in self.needs(strip):
            if not ends or (size is not None and min(ends) > size):
                return f"{name}, which strip {strip} needs, is damaged or missing"
        return None


def find_begun(data: bytes, *, keep_damaged: bool = False) -> Begun | None:
    """Look at a stream that was cut off.

    Parameters
    ----------
    data : bytes
        All there is of it.
    keep_damaged : bool
        Whether to go on behind the last intact strip, whatever is damaged before it: lines that cannot be
        had again. By default the stream goes on behind the last strip before the first damaged one, so that
        in the end all of it is intact.

    Returns
    -------
    Begun or None
        None if it was cut off before the end of its first segment: there is nothing to continue.

    Raises
    ------
    StreamError
        If this is no stream, or one that cannot be continued: it is complete, tells its lines, or its header
        or its first strip is damaged.
    """
    if len(data) < PREAMBLE:
        return None
    part = _read_part(data)
    part.leave_unrefined()
    if not part.segments:
        return None
    if part.header is None:
        raise StreamError(
            "the header of the stream that was begun is damaged: it cannot be continued; move it away"
        )
    if not part.header.open:
        raise StreamError("stream tells its number of lines: only what --stream began can be resumed")
    end = max(part.segments) + 1
    broken = next((index for index in range(end) if part.unusable(index)), end)
    if part.ended and broken == end:
        raise StreamError("stream is complete: there is nothing to resume; give it the name of the output")
    count = end if keep_damaged else _kept(part, broken)
    if not count:
        raise StreamError(
            f"{part.unusable(0) or 'strip 0 is damaged'}: nothing before it can be continued; move the "
            "stream away, or begin anew (--overwrite)"
        )
    last, size = part.segments[count - 1]
    fold = part.segments[0][0].fold if 0 in part.segments else 0
    return Begun(
        part.header,
        size,
        last,
        _next_basis(part),
        (part.folds.get(fold, b""), part.first),
        part.metadata,
        _damage(part, broken, last, size),
        part.limits,
        sum(length for end, length in part.extra if end <= size),
    )


def _next_basis(part: _Part) -> int:
    """A number above those of all folds and rotations, also of lost ones that segments name."""
    places = [place for place, _ in part.segments.values()]
    named = [number for place in places for number in (place.fold, place.rotation) if number is not None]
    return max([*named, *(number for _, number in part.bases)]) + 1


def _kept(part: _Part, broken: int) -> int:
    """How many strips can be kept, so that what they need lies before the end of the last one."""
    count = broken
    while count:
        size = part.segments[count - 1][1]
        first = next((index for index in range(count) if part.unusable(index, size)), count)
        if first == count:
            return count
        count = first
    return 0


def _damage(part: _Part, broken: int, last: SegmentHeader, size: int) -> PartDamage | None:
    """What is lost behind the last strip that is kept, or damaged before it."""
    if part.header is None:
        return None
    height = part.header.strip_lines
    end = max(part.segments) + 1
    start = min(broken, last.index + 1)
    whole = sum(place > size for place in part.damaged)
    strips = max(end - start, whole)
    if not strips:
        return None
    highest = part.segments[end - 1][0]
    stop = (start + strips) * height
    if end == start + strips and highest.lines is not None:
        stop = (end - 1) * height + highest.lines
    return PartDamage(part.unusable(broken) or f"strip {broken} is damaged", strips, (start * height, stop))


def _read_part(data: bytes) -> _Part:
    part = _Part()
    checksums: dict[int, bytes] = {}
    position = PREAMBLE
    for section in read_sections(data):
        start, position = position, position + section.size
        if not section.intact:
            if _is_whole_segment(section, data[start:position]):
                part.damaged.append(position)
        elif section.kind == Section.HEADER:
            part.header = part.header or Header.unpack(section.payload)
            part.headers.append(position)
        elif section.kind == Section.END:
            part.ended = True
        elif section.kind == Section.METADATA:
            part.metadata = True
        elif section.kind in (Section.FOLD, Section.ROTATION):
            number = read_varint(section.payload, 0)[0]
            part.bases.setdefault((section.kind, number), []).append(position)
            if section.kind == Section.FOLD:
                part.folds.setdefault(number, section.payload)
        elif section.kind == Section.SEGMENT:
            place = read_segment_header(section.payload)[0]
            part.segments.setdefault(place.index, (place, position))
            checksums.setdefault(place.index, segment_checksum(section.payload))
            if place.index == 0:
                part.first = part.first or section.payload
        elif section.kind == Section.LIMITS and part.header is not None:
            part.limits = part.limits or ErrorLimits.unpack(section.payload, part.header.info.bands)
            part.extra.append((position, section.size))
        elif section.kind == Section.REFINEMENT:
            refinement = Refinement.unpack(section.payload)
            if checksums.get(refinement.index) == refinement.segment:
                part.refinements.setdefault(refinement.index, position)
            part.extra.append((position, section.size))
    return part


def _is_whole_segment(section: RawSection, data: bytes) -> bool:
    """Whether this is a damaged segment, and not one of which the end was never written."""
    if section.kind != Section.SEGMENT or len(data) < LARGEST_FRAME:
        return False
    _, before, length = read_frame(data)
    return before + length <= len(data)
