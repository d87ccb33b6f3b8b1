"""Raw bits of a payload: signs, and low bits of large magnitudes, which no table would shorten."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import StreamError
from bandfold.common.kernels import Structure, structure


class BitWriter:
    """Collects raw bits."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.uint8]] = []

    def flags(self, bits: NDArray[np.uint8]) -> None:
        """Append bits.

        Parameters
        ----------
        bits : ndarray of uint8, shape (n,)
            Zeros and ones.
        """
        self._parts.append(bits)

    def fields(self, values: NDArray[np.int64], widths: NDArray[np.int32]) -> None:
        """Append binary numbers, most significant bit first, one after the other.

        Parameters
        ----------
        values : ndarray of int64, shape (n,)
            Of which the low bits are written.
        widths : ndarray of int32, shape (n,)
            Bits of each value that are written.
        """
        self._parts.append(field_bits(values, widths))

    def data(self) -> bytes:
        """All bits, most significant first, the last byte filled with zeros."""
        return np.packbits(np.concatenate(self._parts)).tobytes() if self._parts else b""


def field_bits(values: NDArray[np.int64], widths: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Low bits of values, most significant first, one value after the other.

    Parameters
    ----------
    values : ndarray of int64, shape (n,)
        The values.
    widths : ndarray of int32, shape (n,)
        Bits of each value.

    Returns
    -------
    ndarray of uint8, shape (sum of widths,)
        Zeros and ones.
    """
    start = np.repeat(np.cumsum(widths) - widths, widths)
    place = np.arange(start.size) - start
    shift = np.repeat(widths, widths) - 1 - place
    return ((np.repeat(values, widths) >> shift) & 1).astype(np.uint8)


@structure("bf_bits(bits: uint8[bit_count], bit_count: int64, next_bit: int64)")
class BitReader(Structure):
    """Reads what a `BitWriter` wrote.

    Parameters
    ----------
    data : bytes
        All bits, most significant first.

    Attributes
    ----------
    next_bit : int
        Number of the bit that is read next.
    """

    next_bit: int

    def __init__(self, data: bytes) -> None:
        super().__init__(bits=np.unpackbits(np.frombuffer(data, dtype=np.uint8)), next_bit=0)

    @property
    def left(self) -> int:
        """Bits that were not read yet."""
        return int(self.arrays["bits"].size) - self.next_bit

    def flags(self, count: int) -> NDArray[np.uint8]:
        """Read bits.

        Parameters
        ----------
        count : int
            How many.

        Returns
        -------
        ndarray of uint8, shape (count,)
            Zeros and ones.

        Raises
        ------
        StreamError
            If so many are not left.
        """
        bits, start = self.arrays["bits"], self.next_bit
        if count > bits.size - start:
            raise StreamError("raw bits end too early: the segment is corrupt")
        self.next_bit = start + count
        return bits[start : start + count]

    def fields(self, widths: NDArray[np.int32]) -> NDArray[np.int64]:
        """Read binary numbers.

        Parameters
        ----------
        widths : ndarray of int32, shape (n,)
            Bits of each number.

        Returns
        -------
        ndarray of int64, shape (n,)

        Raises
        ------
        StreamError
            If so many bits are not left.
        """
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
        rest = self.arrays["bits"][self.next_bit :]
        if rest.size >= 8 or rest.any():
            raise StreamError("raw bits do not end where they should: the segment is corrupt")
