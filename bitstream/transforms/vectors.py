"""Orthonormal bases as both sides know them: coarsely quantised vectors, made orthonormal again.

Both sides round the result to 2**-16, so coarse entries tilt the components a little but lose no energy
between the kept ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bandfold.common import exact

BASIS_UNIT = 65536.0
"""Integer entries of a basis are in units of ``1 / BASIS_UNIT``."""

MOST_ROW_SHIFT = 16
"""Bits by which rows are told more coarsely than others, at most."""


@dataclass(frozen=True)
class Vectors:
    """Quantised column vectors.

    Parameters
    ----------
    codes : ndarray of int64, shape (n, count)
        Entries; column ``k`` is in units of ``2**-precision[k]``, and row ``i`` in ``2**row_shifts[i]`` of
        them.
    precision : ndarray of int64, shape (count,)
        1 to 16 bits.
    row_shifts : ndarray of int64, shape (n,), optional
        How much more coarsely than the others a row is told, 0 to `MOST_ROW_SHIFT` bits; all 0 if not given.
    weights : ndarray, shape (n,), optional
        The columns are orthonormal in coordinates that are multiplied by these numbers, see
        `bandfold.bitstream.transforms.coding_weights`; all 1 if not given.
    """

    codes: NDArray[np.int64]
    precision: NDArray[np.int64]
    row_shifts: NDArray[np.int64] | None = field(default=None, kw_only=True)
    weights: NDArray[np.float64] | None = field(default=None, kw_only=True)

    @property
    def count(self) -> int:
        """Number of vectors."""
        return int(self.codes.shape[1])

    @cached_property
    def orthonormal(self) -> NDArray[np.float64]:
        """The columns made orthonormal from first to last, shape (n, count)."""
        # Codes are scaled by powers of two, which is exact.
        exponents = -self.precision.astype(np.int32)
        if self.row_shifts is not None:
            exponents = exponents + self.row_shifts.astype(np.int32)[:, None]
        return exact.orthonormalise(np.ldexp(self.codes.astype(np.float64), exponents))

    @cached_property
    def integers(self) -> NDArray[np.float64]:
        """What turns counts into components, shape (n, count): integers, in units of ``1 / BASIS_UNIT``.

        The orthonormal basis, its rows times the weights.
        """
        if self.weights is None:
            return np.rint(self.orthonormal * BASIS_UNIT)
        return np.rint(self.orthonormal * self.weights[:, None] * BASIS_UNIT)

    @property
    def rounded(self) -> NDArray[np.float64]:
        """The basis as far as `integers` tell it, shape (n, count): orthonormal to ``2**-16`` and weights."""
        basis = self.integers / BASIS_UNIT
        return basis if self.weights is None else basis / self.weights[:, None]

    @cached_property
    def inverse(self) -> NDArray[np.float64]:
        """Map from components back to what they were made of, in floating point: shape (n, count).

        The rounded basis is orthonormal to 2**-16, too little for the strongest component of 16-bit data.
        With weights it is so in weighted coordinates: what is not coded is zero there.
        """
        basis = self.rounded
        inverse = np.linalg.solve(basis.T @ basis, basis.T).T
        if self.weights is not None:
            inverse /= self.weights[:, None]
        return np.asarray(inverse, dtype=np.float64)


@dataclass(frozen=True)
class Taken(Vectors):
    """Some columns of a basis.

    Parameters
    ----------
    codes : ndarray of int64, shape (n, count)
        Entries of the columns, as in `Vectors`.
    precision : ndarray of int64, shape (count,)
        Bits of each column, as in `Vectors`.
    whole : ndarray, shape (n, all)
        The basis, orthonormal.
    columns : tuple of int
        Which columns, from 0.
    row_shifts : ndarray of int64, optional
        Not used: the columns are given as they are.
    weights : ndarray, shape (n,), optional
        As in `Vectors`.
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

    Parameters
    ----------
    codes : ndarray of int64, shape (width, count)
        Entries of the matrix; column ``k`` is in units of ``2**-precision[k]``.
    precision : ndarray of int64, shape (count,)
        1 to 16 bits of each column of the matrix.
    columns : ndarray, shape (n, width)
        What is combined.
    shifts : ndarray of int64, shape (width,)
        Codes of row ``i`` are multiples of ``2**shifts[i]``: the stronger a component, the coarser.
    row_shifts : ndarray of int64, optional
        Not used: `codes` are whole.
    weights : ndarray, shape (n,), optional
        As in `Vectors`.
    """

    columns: NDArray[np.float64]
    shifts: NDArray[np.int64]

    @cached_property
    def orthonormal(self) -> NDArray[np.float64]:
        """The combined columns, shape (n, count)."""
        matrix = np.ldexp(self.codes.astype(np.float64), -self.precision.astype(np.int32))
        return exact.orthonormalise(exact.product(self.columns, matrix))
