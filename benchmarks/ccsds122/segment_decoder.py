"""The bits of a segment in, blocks out, wherever the bits end (sections 4.3 to 4.5 of CCSDS 122.0-B-2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .bits import BitReader
from .depths import dc_quantiser
from .differences import read_differences
from .header import Header, Limits
from .plane_decoder import PlaneDecoder

MIDDLE = 0.375
"""Where a value is put in the interval that is left of it, as a part of it from the end nearer to 0.

The standard leaves it open. This is what the decoder of the recorded curves seems to take: they are met
within 0.03 dB, and missed by up to 0.15 dB half-way."""


class SegmentDecoder:
    """Decodes the blocks of one segment.

    Parameters
    ----------
    reader : BitReader
        Stands after the header; ends where the segment ends.
    count : int
        Blocks of the segment.
    shifts : ndarray of int64, shape (64,)
        Weights, as `bandfold.benchmarks.ccsds122.blocks.column_shifts` finds them.
    """

    def __init__(self, reader: BitReader, count: int, shifts: NDArray[np.int64]) -> None:
        self._reader = reader
        self._count = count
        self._shift, self._shifts = int(shifts[0]), shifts[1:]
        self._dc = np.zeros(count, np.int64)
        self._dc_open = np.zeros(count, np.int64)
        self._magnitudes = np.zeros((count, 63), np.int64)
        self._negative = np.zeros((count, 63), np.bool_)
        self._open = np.zeros((count, 63), np.int64)

    def decode(self, header: Header, limits: Limits) -> NDArray[np.float64]:
        """Decode all that is there.

        Parameters
        ----------
        header : Header
            Of the segment.
        limits : Limits
            That hold for it.

        Returns
        -------
        ndarray of float64, shape (blocks, 64)
            Coefficients with their weights, each in the middle of what is known of it.
        """
        self._decode(header, limits)
        # Below a weight there are no bits: what is open ends there.
        dc_low, low = self._shift, self._shifts
        blocks = np.empty((self._count, 64))
        blocks[:, 0] = self._dc + _middle(self._dc_open, dc_low)
        values = self._magnitudes + np.where(self._magnitudes > 0, _middle(self._open, low), 0)
        blocks[:, 1:] = np.where(self._negative, -values, values)
        return blocks

    def _decode(self, header: Header, limits: Limits) -> None:
        quantiser = dc_quantiser(header.dc_depth, header.ac_depth, self._shift)
        if not self._read_dc(header.dc_depth, quantiser):
            return
        for plane in range(quantiser - 1, max(header.ac_depth, self._shift) - 1, -1):
            self._refine_dc(plane)
        if limits.dc_only:
            return
        depths = self._read_depths(header.ac_depth)
        planes = PlaneDecoder(self._reader, depths, self._shifts)
        for plane in range(header.ac_depth - 1, limits.plane - 1, -1):
            if self._shift <= plane < quantiser:
                self._refine_dc(plane)
            last = limits.stage if plane == limits.plane else 4
            known = self._magnitudes > 0
            new, negative = planes.read(plane, last)
            self._magnitudes[new] = 1 << plane
            self._open[new] = plane
            self._negative |= negative
            if last == 4:
                self._refine(plane, known)

    def _read_dc(self, depth: int, quantiser: int) -> bool:
        """Read the first part of DC coefficients; False if the bits end within it."""
        width = max(depth - quantiser, 1)
        if width == 1:
            found = -self._reader.read_single(self._count).astype(np.int64)
        else:
            found = read_differences(self._reader, self._count, width, signed=True)
        # A block that is not told is taken to be as those that are, on average.
        rest = self._count - len(found)
        values = np.pad(found, (0, rest), constant_values=round(found.mean()) if len(found) else 0)
        self._dc[:] = values << quantiser
        self._dc_open[:] = quantiser
        return rest == 0

    def _refine_dc(self, plane: int) -> None:
        bits = self._reader.read_single(self._count)
        self._dc[: len(bits)] += bits.astype(np.int64) << plane
        self._dc_open[: len(bits)] = plane

    def _read_depths(self, depth: int) -> NDArray[np.int64]:
        """Depths of blocks; 0 for those beyond the end, of which nothing follows."""
        width = depth.bit_length()
        if width == 0:
            return np.zeros(self._count, np.int64)
        if width == 1:
            found = self._reader.read_single(self._count).astype(np.int64)
        else:
            found = read_differences(self._reader, self._count, width, signed=False)
        return np.pad(found, (0, self._count - len(found)))

    def _refine(self, plane: int, known: NDArray[np.bool_]) -> None:
        """Stage 4."""
        rows, columns = np.nonzero(known & (self._shifts <= plane))
        bits = self._reader.read_single(len(rows))
        places = rows[: len(bits)], columns[: len(bits)]
        self._magnitudes[places] += bits.astype(np.int64) << plane
        self._open[places] = plane


def _middle(planes: NDArray[np.int64], low: NDArray[np.int64] | int) -> NDArray[np.float64]:
    """What to add to values of which the bits below a plane are not known."""
    steps = np.left_shift(1, planes) - np.left_shift(1, np.minimum(low, planes))
    return MIDDLE * steps
