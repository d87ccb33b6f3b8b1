"""The container: a signature, a version and sections, each with its length and checksums."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

import google_crc32c
import numpy as np

from bandfold.common.errors import StreamError

SIGNATURE = b"\x89BNDF\r\n\x1a"
"""First eight bytes; the line ends catch transfers in text mode."""

VERSION = 2
"""Version of the format that is written, and the only one that is read."""

PREAMBLE = len(SIGNATURE) + 2
"""Bytes before the first section."""

CHECK_BYTES = 5
"""Bytes of check and checksum, between the length of a section and its payload."""

LARGEST_FRAME = 1 + 10 + 1 + 4
"""Bytes of a section before its payload, at most."""

LONGEST_NUMBER = 10
"""Bytes of a 64-bit integer."""

_WINDOW = 1 << 20
"""Bytes that are searched at once for the beginning of a section."""

_EFFORT = 8
"""Times the bytes of a stream that a search for lost sections may look at, at most."""


class Section(IntEnum):
    """Kinds of sections."""

    HEADER = 1
    METADATA = 2
    FOLD = 3
    ROTATION = 4
    SEGMENT = 5
    END = 6
    REFINEMENT = 7
    LIMITS = 8


class RawSection(NamedTuple):
    """A section as found in a stream.

    Parameters
    ----------
    kind : int
        A `Section`, or a number that this version does not know.
    payload : bytes
        What there is of it, if it is not intact.
    intact : bool
        Whether the checksum agrees and nothing is missing.
    size : int
        Bytes in the stream, frame included.
    """

    kind: int
    payload: bytes
    intact: bool
    size: int


def write_preamble() -> bytes:
    """Signature and version."""
    return SIGNATURE + struct.pack("<H", VERSION)


def section_frame(kind: Section, payload: bytes) -> bytes:
    """What stands before the payload of a section.

    That is its kind, the length, a check of both, and the CRC-32C of kind, length and payload.

    Parameters
    ----------
    kind : Section
        What the section holds.
    payload : bytes
        Its content.

    Returns
    -------
    bytes
    """
    head = bytes([kind]) + write_varint(len(payload))
    checksum = google_crc32c.extend(google_crc32c.value(head), payload)
    return head + bytes([_check(head)]) + struct.pack("<I", checksum)


def write_section(kind: Section, payload: bytes) -> bytes:
    """A section: its frame, and its payload.

    Parameters
    ----------
    kind : Section
        What the section holds.
    payload : bytes
        Its content.

    Returns
    -------
    bytes
    """
    return section_frame(kind, payload) + payload


def section_bytes(length: int) -> int:
    """Bytes of a section whose payload has so many."""
    return 1 + len(write_varint(length)) + CHECK_BYTES + length


def read_sections(data: bytes) -> Iterator[RawSection]:
    """Walk through the sections of a stream.

    Parameters
    ----------
    data : bytes
        The whole stream.

    Yields
    ------
    RawSection
        In order; their sizes add up to what follows the preamble. One that is damaged comes with ``intact``
        false. If no section begins where its length says, the walk goes on at the next place where an intact
        one does.

    Raises
    ------
    StreamError
        If this is no bandfold stream or one of another version.
    """
    if data[: len(SIGNATURE)] != SIGNATURE:
        raise StreamError(
            "not a bandfold stream: the signature at byte 0 is wrong; name a file that bandfold encode wrote"
        )
    if len(data) < PREAMBLE:
        raise StreamError("stream ends before its version: it is truncated")
    (version,) = struct.unpack_from("<H", data, len(SIGNATURE))
    if version != VERSION:
        raise StreamError(
            f"stream has format version {version}, this program reads version {VERSION}: use another release"
        )
    walk = _Walk(data)
    position = PREAMBLE
    while position < len(data):
        section = walk.section(position)
        yield section
        position += section.size


def read_frame(data: bytes) -> tuple[int, int, int]:
    """Read where a section ends, from its beginning alone.

    Parameters
    ----------
    data : bytes
        A stream from the beginning of the section on, at least `LARGEST_FRAME` bytes of it.

    Returns
    -------
    kind, before, length : int
        A `Section` or an unknown kind, bytes before the payload, and bytes of the payload.

    Raises
    ------
    StreamError
        If no section begins here.
    """
    length, position = read_varint(data, 1)
    # A check of kind and length, then that of the payload.
    return data[0], position + 5, length


class _Frame(NamedTuple):
    """Where a section says that its payload is."""

    kind: int
    head: bytes
    body: int
    end: int
    checksum: int


class _Walk:
    """Sections of a stream by position, with a bound on the work that damage may cause."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._effort = _EFFORT * len(data)

    def section(self, position: int) -> RawSection:
        """The section at a position; up to the next intact one if it is not intact itself."""
        data = self._data
        frame = _frame(data, position)
        if frame is not None and self._effort >= 0 and self._intact(frame):
            return RawSection(frame.kind, data[frame.body : frame.end], True, frame.end - position)
        if frame is not None:
            # What is intact is walked over once; what is not may lie over the same bytes again and again.
            self._effort -= min(frame.end, len(data)) - position
        if self._effort < 0:
            return RawSection(data[position], data[position + 1 :], False, len(data) - position)
        if frame is not None and (frame.end == len(data) or self._begins(frame.end)):
            end = frame.end
        else:
            end = self._search(position + 1)
        payload = b"" if frame is None else data[frame.body : min(frame.end, end)]
        return RawSection(data[position] if frame is None else frame.kind, payload, False, end - position)

    def _intact(self, frame: _Frame) -> bool:
        if frame.end > len(self._data):
            return False
        payload = self._data[frame.body : frame.end]
        return frame.checksum == int(google_crc32c.extend(google_crc32c.value(frame.head), payload))

    def _begins(self, position: int) -> bool:
        """Whether an intact section begins somewhere."""
        frame = _frame(self._data, position)
        if frame is None or frame.end > len(self._data):
            return False
        self._effort -= frame.end - position
        return self._effort >= 0 and self._intact(frame)

    def _search(self, start: int) -> int:
        """The next position at which an intact section of a known kind begins; the end if there is none."""
        data = self._data
        for low in range(start, len(data), _WINDOW):
            window = np.frombuffer(data, np.uint8, min(_WINDOW, len(data) - low), low)
            for place in np.flatnonzero((window >= min(Section)) & (window <= max(Section))).tolist():
                if self._begins(low + place):
                    return low + place
                if self._effort < 0:
                    return len(data)
        return len(data)


def _frame(data: bytes, position: int) -> _Frame | None:
    """Read a frame; None where there is none whose check agrees."""
    try:
        length, behind = read_varint(data, position + 1)
    except StreamError:
        return None
    body = behind + CHECK_BYTES
    head = data[position:behind]
    if body > len(data) or data[behind] != _check(head):
        return None
    (checksum,) = struct.unpack_from("<I", data, behind + 1)
    return _Frame(data[position], head, body, body + length, checksum)


def _check(head: bytes) -> int:
    return int(google_crc32c.value(head)) & 0xFF


def write_varint(value: int) -> bytes:
    """Encode an unsigned integer.

    Parameters
    ----------
    value : int
        0 to 2**64 - 1.

    Returns
    -------
    bytes
        1 to 10 bytes.
    """
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Decode an unsigned integer.

    Parameters
    ----------
    data : bytes
        What the integer lies in.
    position : int
        Where it starts.

    Returns
    -------
    value : int
        The integer, 0 to 2**64 - 1.
    position : int
        Where it ends.

    Raises
    ------
    StreamError
        If the data end inside it or it is longer than 64 bits.
    """
    value = 0
    for place in range(LONGEST_NUMBER):
        if position >= len(data):
            raise StreamError(f"stream ends inside a number at byte {position}: it is truncated")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            if value >> 64:
                break
            return value, position
    raise StreamError(f"number at byte {position} is longer than 64 bits: the stream is corrupt")
