"""What a scene takes from the KLT of its sensor.

It selects components, and may turn those of the second fold against each other by a small matrix of its own:
a sensor's components of one scene are nearly, but not quite, uncorrelated in another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .sensor_basis import SensorBasis
from .vectors import Turned


@dataclass(frozen=True)
class Turn:
    """A small matrix that turns components of the second fold against each other.

    Parameters
    ----------
    codes : ndarray of int64, shape (width, count)
        Column ``k`` is in units of ``2**-precision[k]``.
    precision : ndarray of int64, shape (count,)
        1 to 16 bits of each column.
    shifts : ndarray of int64, shape (width,)
        As in `Turned`.
    """

    codes: NDArray[np.int64]
    precision: NDArray[np.int64]
    shifts: NDArray[np.int64]


@dataclass(frozen=True)
class Selection:
    """What a scene takes from the fold of its sensor.

    Parameters
    ----------
    sensor : SensorBasis
        Package that the vectors come from.
    rows : tuple of int
        How many of the merged components of each interval are used, from the first.
    width : int
        How many columns of the second fold are used, from the first; at most the sum of `rows`.
    second : Turn or tuple of int
        How those columns are combined, or which of them are components as they are.
    others : tuple of tuple of int
        For each interval the components beyond its `rows` that are coded as they are, rising.
    """

    sensor: SensorBasis
    rows: tuple[int, ...]
    width: int
    second: Turn | tuple[int, ...]
    others: tuple[tuple[int, ...], ...]

    @property
    def columns(self) -> NDArray[np.float64]:
        """The part of the second fold that is used, shape (sum of rows, width)."""
        starts = np.cumsum([0, *self.sensor.merged[:-1]]).tolist()
        kept = [
            row for start, used in zip(starts, self.rows, strict=True) for row in range(start, start + used)
        ]
        return self.sensor.second.orthonormal[kept, : self.width]

    def second_fold(self) -> Turned:
        """Vectors of the second fold, over the merged components that are used."""
        if isinstance(self.second, Turn):
            turn = self.second
        else:
            # One in the place of each column that is taken.
            codes = np.zeros((self.width, len(self.second)), dtype=np.int64)
            codes[list(self.second), np.arange(len(self.second))] = 2
            ones = np.ones(len(self.second), dtype=np.int64)
            turn = Turn(codes, ones, np.zeros(self.width, dtype=np.int64))
        return Turned(turn.codes, turn.precision, self.columns, turn.shifts)
