"""Samples as positions on an axis of cells, where not all values matter: one value stands for each cell.

Cells of a relative limit grow with the values in them. Products that were calibrated by a factor use few of
the values of their type: where a band tells which, each cell has one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

SHARE_UNIT = 1 << 16
"""Shares of a relative limit are in units of ``1 / SHARE_UNIT``."""

_LONGEST_TABLE = 1 << 20


@dataclass(frozen=True, eq=False)
class ValueAxis:
    """Cells of neighbouring values.

    Parameters
    ----------
    firsts : ndarray of int64, shape (cells,)
        First value of each cell, rising.
    centres : ndarray of int32, shape (cells,)
        Value that stands for each cell.
    lowest, highest : int
        Range of the values.
    """

    firsts: NDArray[np.int64]
    centres: NDArray[np.int32]
    lowest: int
    highest: int

    @cached_property
    def _table(self) -> NDArray[np.int32] | None:
        """Position of each value of the range, where it is short enough."""
        if self.highest - self.lowest >= _LONGEST_TABLE:
            return None
        ends = np.append(self.firsts[1:], self.highest + 1)
        lengths = np.diff(ends, prepend=self.lowest)
        return np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)

    def positions(self, values: NDArray[np.int32]) -> NDArray[np.int32]:
        """Numbers of the cells that values are in.

        Parameters
        ----------
        values : ndarray of int32
            Those outside the range count as its ends.

        Returns
        -------
        ndarray of int32, same shape
        """
        held = np.clip(values, self.lowest, self.highest)
        if self._table is None:
            searched = np.searchsorted(self.firsts, held, side="right") - 1
            return np.maximum(searched, 0).astype(np.int32)
        return np.take(self._table, held.astype(np.int64) - self.lowest)

    def values(self, positions: NDArray[np.integer]) -> NDArray[np.int32]:
        """What stands for cells.

        Parameters
        ----------
        positions : ndarray of integers
            Numbers of cells.

        Returns
        -------
        ndarray of int32, same shape
        """
        return np.take(self.centres, positions)


def used_axis(values: NDArray[np.int32], lowest: int, highest: int) -> ValueAxis:
    """Cells around the values that a band uses.

    Parameters
    ----------
    values : ndarray of int32, shape (cells,)
        In rising order, all of them between the ends of the range; at least one.
    lowest, highest : int
        Range of the values.

    Returns
    -------
    ValueAxis
        A value that is not used belongs to the nearest one that is, the higher one of two.
    """
    wide = values.astype(np.int64)
    firsts = np.concatenate([[lowest], (wide[:-1] + wide[1:] + 1) >> 1])
    return ValueAxis(firsts, values, lowest, highest)


@lru_cache(maxsize=8)
def relative_axis(share: int, floor: int, lowest: int, highest: int) -> ValueAxis:
    """Widest cells such that no value is off by more than its limit.

    The limit of a value x is the larger one of `floor` and ``|x| * share // SHARE_UNIT``.

    Parameters
    ----------
    share : int
        In units of ``1 / SHARE_UNIT``, 1 to ``SHARE_UNIT - 1``.
    floor : int
        Smallest limit in counts, not negative.
    lowest, highest : int
        Range of the values.

    Returns
    -------
    ValueAxis

    Raises
    ------
    ValueError
        If `share` or `floor` is out of its range.
    """
    if not 0 < share < SHARE_UNIT or floor < 0:
        raise ValueError(f"share {share} or floor {floor} of a relative limit is out of its range")
    above = _cells(share, floor, max(lowest, floor + 1), highest)
    below = _cells(share, floor, max(-highest, floor + 1), -lowest)
    cells = [(-last, -centre) for _, centre, last in reversed(below)]
    if lowest <= floor and highest >= -floor:
        cells.append((-floor, 0))
    cells += [(first, centre) for first, centre, _ in above]
    firsts, centres = (np.array(part, dtype=np.int64) for part in zip(*cells, strict=True))
    return ValueAxis(firsts, np.clip(centres, lowest, highest).astype(np.int32), lowest, highest)


def _cells(share: int, floor: int, first: int, highest: int) -> list[tuple[int, int, int]]:
    """First value, centre and last value of each cell from a positive value on."""
    cells = []
    while first <= highest:
        centre = first + max(floor, first * share // SHARE_UNIT)
        # The last x with x - x * share // SHARE_UNIT <= centre.
        last = max(centre + floor, centre * SHARE_UNIT // (SHARE_UNIT - share))
        cells.append((first, centre, last))
        first = last + 1
    return cells
