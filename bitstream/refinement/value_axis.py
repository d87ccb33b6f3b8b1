"""Samples as positions on an axis of cells, where not all values matter: one value stands for each cell.

Cells of a relative limit grow with the values in them. In such a strip samples and base are positions of
their cells, coded without loss.
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
        size = self.highest - self.lowest + 1
        return self._search(np.arange(self.lowest, self.highest + 1)) if size <= _LONGEST_TABLE else None

    def _search(self, values: NDArray[np.integer]) -> NDArray[np.int32]:
        return np.maximum(np.searchsorted(self.firsts, values, side="right") - 1, 0).astype(np.int32)

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
            return self._search(held)
        found: NDArray[np.int32] = self._table[held.astype(np.int64) - self.lowest]
        return found

    def values(self, positions: NDArray[np.int32]) -> NDArray[np.int32]:
        """What stands for cells.

        Parameters
        ----------
        positions : ndarray of int32
            Numbers of cells.

        Returns
        -------
        ndarray of int32, same shape
        """
        found: NDArray[np.int32] = self.centres[positions]
        return found


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
