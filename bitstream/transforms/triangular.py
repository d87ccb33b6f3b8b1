"""Vectors that leave out entries which orthogonality tells.

Vectors are made orthonormal from first to last, so a multiple of those before may be added to each: the
result is the same. With such multiples the entry in the row of the largest entry of each vector before, its
**pivot**, is made zero and need not be told: as in Gaussian elimination, vectors become a triangular matrix.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class OpenRows:
    """The rows that the next vector of a list tells.

    Parameters
    ----------
    length : int
        Rows of the first vector.

    Attributes
    ----------
    rows : ndarray of int64
        In rising order; one less after each vector.
    """

    def __init__(self, length: int) -> None:
        self.rows = np.arange(length)

    def close(self, entries: NDArray[np.int64]) -> None:
        """Close the pivot of a vector: the row of its largest entry, the first of equals.

        Parameters
        ----------
        entries : ndarray of int64, shape (rows,)
            Of the open rows.
        """
        pivot = int(np.abs(entries).argmax())
        self.rows = np.concatenate([self.rows[:pivot], self.rows[pivot + 1 :]])


def closing_vectors(codes: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Find in the pivot of which vector each row is, if all vectors are zero in the pivots of those before.

    Parameters
    ----------
    codes : ndarray of int64, shape (n, count)
        Vectors in columns, ``count <= n``.

    Returns
    -------
    ndarray of int64, shape (n,), or None
        Numbers of the vectors, and ``count`` in rows that are no pivot: vector ``k`` tells the rows whose
        number is not below ``k``. None where a vector is not zero in such a pivot.
    """
    count, magnitudes = codes.shape[1], np.abs(codes)
    pivots = magnitudes.argmax(axis=0) if len(codes) else np.zeros(0, np.intp)
    if not magnitudes[pivots, np.arange(count)].all():
        # A vector of zeros has its pivot in the first of the rows that are left.
        left = OpenRows(len(codes))
        for place, column in enumerate(codes.T):
            entries = column[left.rows]
            pivots[place] = left.rows[np.abs(entries).argmax()]
            left.close(entries)
    if np.triu(magnitudes[pivots], 1).any():
        return None
    numbers = np.full(len(codes), count, dtype=np.int64)
    numbers[pivots] = np.arange(count)
    return numbers
