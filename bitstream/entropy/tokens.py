"""Integers as tokens: small magnitudes are symbols of their own, larger ones a symbol and raw bits.

Magnitudes below 16 are tokens 0-15. Above, every octave has two tokens, and the bits below the second most
significant one are written raw. The alphabet reaches 2**36, far beyond any latent of 16-bit samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import StreamError

DIRECT = 16
"""Magnitudes below this are tokens."""

TOKENS = 80
"""Size of the alphabet."""

LARGEST_MAGNITUDE = (1 << 36) - 1
"""The last token of the alphabet still reaches this."""


def to_tokens(magnitudes: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Split magnitudes into tokens and numbers of raw bits.

    Parameters
    ----------
    magnitudes : ndarray of int64, shape (n,)
        0 to `LARGEST_MAGNITUDE`.

    Returns
    -------
    tokens : ndarray of int32, shape (n,)
    widths : ndarray of int32, shape (n,)
        Low bits of the magnitude that follow raw.
    """
    tokens = magnitudes.astype(np.int32)
    widths = np.zeros_like(tokens)
    large = np.flatnonzero(magnitudes >= DIRECT)
    if large.size:
        value = magnitudes[large]
        exponent = np.frexp(value.astype(np.float64))[1].astype(np.int64) - 1
        tokens[large] = DIRECT + 2 * (exponent - 4) + ((value >> (exponent - 1)) & 1)
        widths[large] = exponent - 1
    return tokens, widths


def token_base(tokens: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Smallest magnitude of each token and the number of raw bits to add: the inverse of `to_tokens`.

    Parameters
    ----------
    tokens : ndarray of int32

    Returns
    -------
    base : ndarray of int64
    widths : ndarray of int32
    """
    base = tokens.astype(np.int64)
    widths = np.zeros_like(tokens)
    large = tokens >= DIRECT
    if large.any():
        octave, half = np.divmod(tokens[large].astype(np.int64) - DIRECT, 2)
        base[large] = (2 + half) << (octave + 3)
        widths[large] = octave + 3
    return base, widths


class BitWriter:
    """Collects raw bits."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.uint8]] = []

    def flags(self, bits: NDArray[np.uint8]) -> None:
        """Append bits, given as zeros and ones."""
        self._parts.append(bits)

    def fields(self, values: NDArray[np.int64], widths: NDArray[np.int32]) -> None:
        """Append the low `widths` bits of `values`, most significant first, one value after the other."""
        if values.size == 0:
            return
        start = np.repeat(np.cumsum(widths) - widths, widths)
        place = np.arange(start.size) - start
        shift = np.repeat(widths, widths) - 1 - place
        self._parts.append(((np.repeat(values, widths) >> shift) & 1).astype(np.uint8))

    def data(self) -> bytes:
        """All bits, most significant first, the last byte filled with zeros."""
        return np.packbits(np.concatenate(self._parts)).tobytes() if self._parts else b""


class BitReader:
    """Reads what a `BitWriter` wrote.

    Parameters
    ----------
    data : bytes

    Attributes
    ----------
    bits : ndarray of uint8
        All of them, as zeros and ones.
    position : int
        The next one.
    """

    def __init__(self, data: bytes) -> None:
        self.bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8))
        self.position = 0

    def flags(self, count: int) -> NDArray[np.uint8]:
        """Read `count` bits as zeros and ones.

        Raises
        ------
        StreamError
            If so many are not left.
        """
        start = self.position
        if count > self.bits.size - start:
            raise StreamError("raw bits end too early: the segment is corrupt")
        self.position += count
        return self.bits[start : self.position]

    def fields(self, widths: NDArray[np.int32]) -> NDArray[np.int64]:
        """Read one value for each width; raises `StreamError` as `flags` does."""
        bits = self.flags(int(widths.sum()))
        values = np.zeros(widths.size, dtype=np.int64)
        start = np.cumsum(widths) - widths
        for place in range(int(widths.max(initial=0))):
            live = widths > place
            values[live] = values[live] << 1 | bits[start[live] + place]
        return values

    def finish(self) -> None:
        """Check that less than a byte is left, all zero.

        Raises
        ------
        StreamError
            Otherwise.
        """
        rest = self.bits[self.position :]
        if rest.size >= 8 or rest.any():
            raise StreamError("raw bits do not end where they should: the segment is corrupt")
