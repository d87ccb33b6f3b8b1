"""The layout of what bounds the errors of a stream: the limits, and the refinement of each strip."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import StreamError

from .sections import read_varint, write_varint

LARGEST_LIMIT = 65535
"""Error in counts that a limit allows at most."""

SHARE_UNIT = 1 << 16
"""Relative limits are in units of ``1 / SHARE_UNIT`` of a sample."""

_RELATIVE, _EXACT = 1, 2

IDENTITY_BYTES = 4
"""Of the checksum of a segment, and of the identity of tables."""


@dataclass(frozen=True)
class ErrorLimits:
    """Errors that were allowed when a stream was encoded.

    Parameters
    ----------
    counts : tuple of int
        Largest absolute error in counts, 0 to `LARGEST_LIMIT`: one for all bands, or one for each band.
    strips : int
        Strips that were refined to these limits, from the first one on; 0 for all.
    share : int
        With a relative limit, the error that a sample may have if that is more than the only one of `counts`:
        in units of ``1 / SHARE_UNIT`` of its magnitude, rounded down. 0 without.
    exact : bool
        Whether samples without an error in counts come back exactly: their scaling, if any, rounds nothing.
    """

    counts: tuple[int, ...]
    strips: int = 0
    share: int = 0
    exact: bool = False

    @property
    def relative(self) -> tuple[int, int] | None:
        """Share and floor of a relative limit; None without one."""
        return (self.share, self.counts[0]) if self.share else None

    def of_bands(self, bands: int) -> NDArray[np.int32]:
        """Limit of each band.

        Parameters
        ----------
        bands : int
            Number of bands.

        Returns
        -------
        ndarray of int32, shape (bands,)
            In counts.
        """
        return np.broadcast_to(np.array(self.counts, dtype=np.int32), bands).copy()

    def pack(self) -> bytes:
        """Payload of a limits section."""
        share = (self.share,) if self.share else ()
        values = (
            _RELATIVE * bool(share) | _EXACT * self.exact,
            self.strips,
            *share,
            len(self.counts),
            *self.counts,
        )
        return b"".join(map(write_varint, values))

    @staticmethod
    def unpack(payload: bytes, bands: int) -> ErrorLimits:
        """Read the payload of a limits section.

        Parameters
        ----------
        payload : bytes
            As `pack` made it.
        bands : int
            Of the scene.

        Returns
        -------
        ErrorLimits

        Raises
        ------
        StreamError
            If it breaks a rule of the format.
        """
        flags, position = read_varint(payload, 0)
        strips, position = read_varint(payload, position)
        share = 0
        if flags & _RELATIVE:
            share, position = read_varint(payload, position)
        count, position = read_varint(payload, position)
        if flags & ~(_RELATIVE | _EXACT):
            raise StreamError("limits have reserved bits set: they are corrupt or of a later version")
        if count not in (1, bands):
            raise StreamError(f"there are {count} limits for {bands} bands: they are corrupt")
        counts = []
        for _ in range(count):
            value, position = read_varint(payload, position)
            counts.append(value)
        relative = not flags & _RELATIVE or (0 < share < SHARE_UNIT and count == 1)
        if position != len(payload) or max(counts) > LARGEST_LIMIT or not relative:
            raise StreamError("limits have a wrong length or are out of range: they are corrupt")
        return ErrorLimits(tuple(counts), strips, share, bool(flags & _EXACT))


@dataclass(frozen=True)
class Refinement:
    """What the decoded counts of a segment lack to be within limits, not decoded.

    Parameters
    ----------
    index : int
        Number of the strip, from 0.
    segment : bytes
        Checksum of the payload of the segment that it refines: see `segment_checksum`.
    tables : bytes
        Identity of the tables that it is coded with, 4 bytes.
    residual : bytes
        See `bandfold.bitstream.refinement.residual_codec`.
    """

    index: int
    segment: bytes
    tables: bytes
    residual: bytes

    def pack(self) -> bytes:
        """Payload of a refinement section."""
        return write_varint(self.index) + self.segment + self.tables + self.residual

    @staticmethod
    def unpack(payload: bytes) -> Refinement:
        """Read the payload of a refinement section.

        Parameters
        ----------
        payload : bytes
            As `pack` made it.

        Returns
        -------
        Refinement

        Raises
        ------
        StreamError
            If it ends too early.
        """
        index, start = read_varint(payload, 0)
        middle, end = start + IDENTITY_BYTES, start + 2 * IDENTITY_BYTES
        if end > len(payload):
            raise StreamError("refinement ends before its residual: it is corrupt")
        return Refinement(index, payload[start:middle], payload[middle:end], payload[end:])


def segment_checksum(payload: bytes) -> bytes:
    """By which a refinement knows the segment that it belongs to.

    Parameters
    ----------
    payload : bytes
        Of the segment section.

    Returns
    -------
    bytes
        CRC-32C, 4 bytes, least significant first.
    """
    return struct.pack("<I", google_crc32c.value(payload))
