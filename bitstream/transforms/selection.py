"""What a scene takes from the fold of its sensor.

It selects components, and may turn those of the second fold against each other by a small matrix of its own:
a sensor's components of one scene are nearly, but not quite, uncorrelated in another.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bandfold.common import exact

from .klt import Fold, Vectors
from .sensor_basis import SensorBasis


@dataclass(frozen=True)
class Taken(Vectors):
    """Some columns of a basis.

    Parameters
    ----------
    whole : ndarray, shape (n, all)
        The basis, orthonormal.
    columns : tuple of int
    """

    whole: NDArray[np.float64]
    columns: tuple[int, ...]

    @cached_property
    def orthonormal(self) -> NDArray[np.float64]:
        """The columns, shape (n, count)."""
        return self.whole[:, list(self.columns)]


@dataclass(frozen=True)
class Turned(Vectors):
    """Columns that are combined by a matrix and made orthonormal again.

    `codes` and `precision` are those of the matrix, shape (width, count).

    Parameters
    ----------
    columns : ndarray, shape (n, width)
        What is combined.
    shifts : ndarray of int64, shape (width,)
        Codes of row ``i`` are multiples of ``2**shifts[i]``: the stronger a component, the coarser.
    """

    columns: NDArray[np.float64]
    shifts: NDArray[np.int64]

    @cached_property
    def orthonormal(self) -> NDArray[np.float64]:
        """The combined columns, shape (n, count)."""
        matrix = np.ldexp(self.codes.astype(np.float64), -self.precision.astype(np.int32))
        return exact.orthonormalise(exact.product(self.columns, matrix))


@dataclass(frozen=True)
class Turn:
    """A matrix that combines columns.

    Parameters
    ----------
    codes : ndarray of int64, shape (width, count)
        Column ``k`` is in units of ``2**-precision[k]``.
    precision : ndarray of int64, shape (count,)
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

    def fold(self, means: NDArray[np.int64], mean_shift: int) -> Fold:
        """The fold of a scene that selects so.

        Parameters
        ----------
        means : ndarray of int64, shape (bands,)
            Of the scene, as in `Fold`.
        mean_shift : int

        Returns
        -------
        Fold
        """
        first = []
        for vectors, rows, others in zip(self.sensor.first, self.rows, self.others, strict=True):
            taken = (*range(rows), *others)
            codes, precision = vectors.codes[:, list(taken)], vectors.precision[list(taken)]
            first.append(Taken(codes, precision, vectors.orthonormal, taken))
        return Fold(
            self.sensor.ends, means, mean_shift, tuple(first), self.rows, self.second_fold(), selection=self
        )

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
