"""Where sections begin and end, without reading what is in them."""

from __future__ import annotations

from .sections import SIGNATURE
from .varint import read_varint

PREAMBLE_SIZE = len(SIGNATURE) + 2
"""Bytes before the first section."""

LARGEST_FRAME = 1 + 10 + 1 + 4
"""Bytes of a section before its payload, at most."""


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
