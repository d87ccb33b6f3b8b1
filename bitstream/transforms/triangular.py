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


def is_triangular(codes: NDArray[np.int64]) -> bool:
    """Whether all vectors are zero in the pivots of those before.

    Parameters
    ----------
    codes : ndarray of int64, shape (n, count)
        Vectors in columns, ``count <= n``.

    Returns
    -------
    bool
    """
    left = OpenRows(len(codes))
    for column in codes.T:
        if np.count_nonzero(column) > np.count_nonzero(column[left.rows]):
            return False
        left.close(column[left.rows])
    return True
