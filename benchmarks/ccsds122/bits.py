"""Bits out of numbers and numbers out of bits, the most significant bit first."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint8]
"""One bit an element."""


def to_bits(values: NDArray[np.int64], lengths: NDArray[np.int64]) -> Bits:
    """Write numbers one after another.

    Parameters
    ----------
    values : ndarray of int64, shape (count,)
        Their lower bits are written, so that negative ones appear in two's complement.
    lengths : ndarray of int64, shape (count,)
        Bits of each, 0 to 62.

    Returns
    -------
    ndarray of uint8, shape (sum of lengths,)
        Bits.
    """
    ends = np.cumsum(lengths)
    places = np.repeat(ends, lengths) - 1 - np.arange(ends[-1] if len(ends) else 0)
    bits: Bits = ((np.repeat(values, lengths) >> places) & 1).astype(np.uint8)
    return bits


class BitReader:
    """Reads numbers from bits that may end anywhere.

    Parameters
    ----------
    data : bytes
        What is read.
    start : int
        Bytes to leave out.
    size : int
        Bytes that may be read from there on; fewer if the data ends before.

    Attributes
    ----------
    position : int
        Bits that were read, counted from the start.
    count : int
        Bits there are.
    bits : bytes
        One bit a byte, with zeros after the end.
    windows : list of int
        The next eight bits at each position.
    """

    def __init__(self, data: bytes, start: int, size: int) -> None:
        bits = np.unpackbits(np.frombuffer(data[start : start + size], np.uint8))
        self.position = 0
        self.count = len(bits)
        padded = np.concatenate([bits, np.zeros(_PADDING, np.uint8)])
        self.bits = padded.tobytes()
        windows = np.zeros(self.count + _PADDING - 7, np.int64)
        for offset in range(8):
            windows = 2 * windows + padded[offset : offset + len(windows)]
        self.windows: list[int] = windows.tolist()

    def read(self, length: int) -> int:
        """Read a number.

        Parameters
        ----------
        length : int
            Bits.

        Returns
        -------
        int
            Not negative.

        Raises
        ------
        EndOfBitsError
            If there are not so many.
        """
        end = self.position + length
        if end > self.count:
            self.end()
        value = 0
        for bit in self.bits[self.position : end]:
            value = 2 * value + bit
        self.position = end
        return value

    def end(self) -> NoReturn:
        """Give up within a number that is cut off: nothing is left.

        Raises
        ------
        EndOfBitsError
            Always.
        """
        self.position = self.count
        raise EndOfBitsError

    def read_zeros(self) -> int:
        """Read zeros up to a one, and the one.

        Returns
        -------
        int
            How many zeros there were.

        Raises
        ------
        EndOfBitsError
            If no one follows.
        """
        found = self.bits.find(1, self.position, self.count)
        if found < 0:
            self.end()
        zeros, self.position = found - self.position, found + 1
        return zeros

    def read_single(self, count: int) -> Bits:
        """Read single bits, as many as there are.

        Parameters
        ----------
        count : int
            At most so many.

        Returns
        -------
        ndarray of uint8, shape (at most count,)
            Bits.
        """
        taken = min(count, self.count - self.position)
        found = np.frombuffer(self.bits, np.uint8, taken, self.position)
        self.position += taken
        return found


class EndOfBitsError(Exception):
    """There are no more bits: the rate limit was met here, which is no error."""


_PADDING = 64
"""Zeros after the end: more than any code word, so that the end need not be looked for within one."""
