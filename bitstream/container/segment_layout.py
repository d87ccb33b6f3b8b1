"""The layout of a segment: a header, and chunks that hold its components, strongest first.

Each chunk is a payload of its own. What is left of a segment from which the last chunks are taken away, or
lost, is a segment of fewer components: it can be cut to size without being decoded, and decoded where its
end is damaged.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

import google_crc32c

from bandfold.common.errors import StreamError
from bandfold.common.scene import MOST_DOUBLINGS
from bandfold.common.spool import Pieces

from .sections import read_varint, write_varint

_FOLD, _ROTATED, _STEP, _LOW, _COARSE, _ESCAPES = 1, 2, 4, 8, 16, 32
_KNOWN_FLAGS = _FOLD | _ROTATED | _STEP | _LOW | _COARSE | _ESCAPES

LARGEST_WORTH = 255
"""Benefit of a chunk at most, see `worth_of`."""


@dataclass(frozen=True)
class SegmentHeader:
    """Which strip a segment holds, and what it is coded with.

    Parameters
    ----------
    index : int
        Number of the strip, from 0.
    fold : int
        Number of the fold.
    rotation : int or None
        Number of the set of rotations; None without rotations.
    step_code : int or None
        Step in units of ``1 / 256`` of a count; None for that of the header.
    lines : int or None
        Lines of a strip that is lower than the others; else None.
    doublings : int
        Its counts are worth ``2**doublings`` times what the scaling of the header says.
    escapes : bool
        Whether it holds samples that are kept exactly, beside its counts.
    """

    index: int
    fold: int = 0
    rotation: int | None = None
    step_code: int | None = None
    lines: int | None = None
    doublings: int = 0
    escapes: bool = False


@dataclass(frozen=True)
class Chunk:
    """Some components of a segment.

    Parameters
    ----------
    components : int
        How many components the chunk holds, behind those of the chunks before.
    data : bytes
        A payload.
    worth : int
        Squared error that it saves for each of its bytes, in half octaves: see `worth_of`. Not written where
        it is the only chunk.
    """

    components: int
    data: bytes
    worth: int = LARGEST_WORTH


@dataclass(frozen=True)
class ChunkedSegment:
    """A segment, its chunks not decoded.

    Parameters
    ----------
    place : SegmentHeader
        Where the segment belongs, and what it is coded with.
    chunks : tuple of Chunk
        At least one, in order of their components.
    lost : int
        Chunks behind them that are damaged or missing.
    """

    place: SegmentHeader
    chunks: tuple[Chunk, ...]
    lost: int = 0

    @property
    def components(self) -> int:
        """Components of all chunks."""
        return sum(chunk.components for chunk in self.chunks)

    def first(self, count: int) -> ChunkedSegment:
        """The segment without the chunks behind the first `count`."""
        return replace(self, chunks=self.chunks[:count], lost=0)

    def pack(self) -> bytes:
        """Payload of a segment section."""
        return bytes(self.pieces())

    def pieces(self) -> Pieces:
        """The same, not put together: large segments would be held twice."""
        head = _pack_header(self.place) + write_varint(len(self.chunks))
        if len(self.chunks) == 1:
            return Pieces([head + write_varint(self.chunks[0].components), self.chunks[0].data])
        for chunk in self.chunks:
            head += write_varint(chunk.components) + bytes([chunk.worth]) + write_varint(len(chunk.data))
        checksums = [google_crc32c.value(chunk.data) for chunk in self.chunks]
        checksums[0] = google_crc32c.value(head + self.chunks[0].data)
        head += struct.pack(f"<{len(checksums)}I", *checksums)
        return Pieces([head, *(chunk.data for chunk in self.chunks)])


def worth_of(energy: int, step_code: int, size: int) -> int:
    """Squared error that a chunk saves for each of its bytes, in half octaves.

    Parameters
    ----------
    energy : int
        Sum of squares of its quantised latents.
    step_code : int
        Quantiser step in units of ``1 / 256`` of a count.
    size : int
        Bytes.

    Returns
    -------
    int
        0 to 255: that of ``energy * step_code**2 // size``.
    """
    ratio = energy * step_code * step_code // max(size, 1)
    return min((ratio * ratio).bit_length(), LARGEST_WORTH)


def segment_index(payload: bytes) -> int:
    """Number of the strip of a segment, without reading the rest."""
    return read_varint(payload, 0)[0]


def read_segment_header(payload: bytes) -> tuple[SegmentHeader, int]:
    """Where a segment belongs, and where in its payload the rest begins.

    Parameters
    ----------
    payload : bytes
        Of a segment section.

    Returns
    -------
    place : SegmentHeader
        Where the segment belongs, and what it is coded with.
    position : int
        Bytes before the rest of the payload.

    Raises
    ------
    StreamError
        If the payload ends too early or a reserved bit is set.
    """
    index, position = read_varint(payload, 0)
    flags = payload[position] if position < len(payload) else _KNOWN_FLAGS + 1
    if flags & ~_KNOWN_FLAGS:
        raise StreamError("segment has reserved bits set: it is corrupt or of a later version")
    values: list[int | None] = []
    position += 1
    for flag in (_FOLD, _ROTATED, _STEP, _LOW, _COARSE):
        value = None
        if flags & flag:
            value, position = read_varint(payload, position)
        values.append(value)
    fold, rotation, step_code, lines, doublings = values
    if step_code == 0 or lines == 0:
        raise StreamError("segment has a step or a height of 0: it is corrupt")
    if doublings is not None and not 1 <= doublings <= MOST_DOUBLINGS:
        raise StreamError(f"segment has counts of 2**{doublings} times their value: it is corrupt")
    place = SegmentHeader(
        index, fold or 0, rotation, step_code, lines, doublings or 0, bool(flags & _ESCAPES)
    )
    return place, position


def split_segment(payload: bytes, *, intact: bool = True) -> ChunkedSegment:
    """Take a segment apart.

    Parameters
    ----------
    payload : bytes
        Of a segment section, or what there is of it.
    intact : bool
        Whether the checksum of the section agrees. Otherwise chunks are compared with their own checksums,
        and those behind the first one that is damaged are left out.

    Returns
    -------
    ChunkedSegment

    Raises
    ------
    StreamError
        If the payload breaks a rule, or there is no chunk that is known to be intact.
    """
    place, position = read_segment_header(payload)
    count, position = read_varint(payload, position)
    if not 1 <= count <= len(payload):
        raise StreamError(f"segment has {count} chunks: it is corrupt")
    if count == 1:
        components, position = read_varint(payload, position)
        if not intact:
            raise StreamError("segment has a wrong checksum, and but one chunk")
        return ChunkedSegment(place, (Chunk(components, payload[position:]),))
    told = []
    for _ in range(count):
        components, position = read_varint(payload, position)
        worth = payload[position] if position < len(payload) else 0
        size, position = read_varint(payload, position + 1)
        told.append((components, worth, size))
    head, start = payload[:position], position + 4 * count
    if start > len(payload):
        raise StreamError("segment ends inside its list of chunks: it is corrupt")
    checksums = struct.unpack_from(f"<{count}I", payload, position)
    chunks: list[Chunk] = []
    for (components, worth, size), checksum in zip(told, checksums, strict=True):
        data = payload[start : start + size]
        if len(data) < size or checksum != google_crc32c.value(data if chunks else head + data):
            break
        chunks.append(Chunk(components, data, worth))
        start += size
    complete = len(chunks) == count and start == len(payload)
    if not chunks or (intact and not complete):
        raise StreamError("chunks of a segment do not make it up: it is corrupt")
    return ChunkedSegment(place, tuple(chunks), count - len(chunks))


def _pack_header(place: SegmentHeader) -> bytes:
    rest = b""
    flags = _ESCAPES * place.escapes
    values = (place.fold or None, place.rotation, place.step_code, place.lines, place.doublings or None)
    for flag, value in zip((_FOLD, _ROTATED, _STEP, _LOW, _COARSE), values, strict=True):
        if value is not None:
            flags |= flag
            rest += write_varint(value)
    return write_varint(place.index) + bytes([flags]) + rest
