"""Variable-length unsigned integers (LEB128): seven bits a byte, least significant first."""

from __future__ import annotations

from bandfold.common.errors import StreamError

LONGEST = 10
"""Bytes of a 64-bit integer."""


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
    position : int
        Where it starts.

    Returns
    -------
    value : int
    position : int
        Where it ends.

    Raises
    ------
    StreamError
        If the data end inside it or it is longer than 64 bits.
    """
    value = 0
    for place in range(LONGEST):
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
