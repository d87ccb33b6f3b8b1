"""The container: a signature, a version and sections, each with its length and checksum."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import google_crc32c

from .errors import StreamError
from .varint import read_varint, write_varint

SIGNATURE = b"\x89BNDF\r\n\x1a"
"""First eight bytes; the line ends catch transfers in text mode."""

VERSION = 1
"""Version of the format that is written, and the only one that is read."""


class Section(IntEnum):
    """Kinds of sections."""

    HEADER = 1
    METADATA = 2
    FOLD = 3
    ROTATION = 4
    SEGMENT = 5


@dataclass(frozen=True)
class RawSection:
    """A section as found in a stream.

    Parameters
    ----------
    kind : int
        A `Section`, or a number that this version does not know.
    payload : bytes
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


def write_section(kind: Section, payload: bytes) -> bytes:
    """Frame a section: kind, length, CRC-32C of kind, length and payload, payload.

    Parameters
    ----------
    kind : Section
    payload : bytes

    Returns
    -------
    bytes
    """
    head = bytes([kind]) + write_varint(len(payload))
    return head + struct.pack("<I", google_crc32c.value(head + payload)) + payload


def read_sections(data: bytes) -> Iterator[RawSection]:
    """Walk through the sections of a stream.

    Parameters
    ----------
    data : bytes
        The whole stream.

    Yields
    ------
    RawSection
        In order. A section with a wrong checksum comes with ``intact`` false. Where the frame cannot be
        followed any more (its length leads past the end), the last section yielded is not intact.

    Raises
    ------
    StreamError
        If this is no bandfold stream or one of another version.
    """
    if data[: len(SIGNATURE)] != SIGNATURE:
        raise StreamError("not a bandfold stream: the signature at byte 0 is wrong")
    position = len(SIGNATURE)
    if len(data) < position + 2:
        raise StreamError("stream ends before its version: it is truncated")
    (version,) = struct.unpack_from("<H", data, position)
    if version != VERSION:
        raise StreamError(
            f"stream has format version {version}, this program reads version {VERSION}: use another release"
        )
    position += 2
    while position < len(data):
        start = position
        kind = data[position]
        try:
            length, position = read_varint(data, position + 1)
        except StreamError:
            yield RawSection(kind, b"", intact=False, size=len(data) - start)
            return
        head = data[start:position]
        body = position + 4
        payload = data[body : body + length]
        intact = body + length <= len(data)
        if intact:
            (checksum,) = struct.unpack_from("<I", data, position)
            intact = checksum == google_crc32c.value(head + payload)
        position = min(body + length, len(data))
        yield RawSection(kind, payload, intact, position - start)
