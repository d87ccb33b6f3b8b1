"""How vectors are written: their precisions, and entries that earlier vectors do not tell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.triangular import OpenRows, closing_vectors
from bandfold.bitstream.transforms.vectors import MOST_ROW_SHIFT, Vectors
from bandfold.common.errors import StreamError

from .entry_code import read_entries, write_entries
from .payload import SIDE_UNIT, PayloadReader, PayloadWriter

PREDICTORS = ((0, 0), (1, 0), (2, -1))
"""Weights of the entries one and two bands before: none, the entry before, the line through both."""

CHANGE_MEAN = SIDE_UNIT
"""Expected magnitude of changes of precisions and shifts."""

FINEST_PRECISION = 16
"""Bits of entries of vectors at most."""

LARGEST_ENTRY = 1 << 20
"""Entries of unit vectors at the finest precision stay far below this."""


def are_triangular(lists: Sequence[Vectors]) -> bool:
    """Whether lists of vectors leave out what can be left out, and something can or rows are shifted.

    Parameters
    ----------
    lists : sequence of Vectors
        As they are told.

    Returns
    -------
    bool
        See `bandfold.bitstream.transforms.triangular`.

    Raises
    ------
    ValueError
        If rows are shifted of vectors that do not leave out what can be left out: no stream tells these.
    """
    shifted = any(one.row_shifts is not None for one in lists)
    triangular = all(closing_vectors(one.codes) is not None for one in lists)
    if shifted and not triangular:
        raise ValueError("rows of vectors are shifted that are not triangular")
    return triangular and (shifted or max(one.count for one in lists) > 1)


def _open_rows(vectors: Vectors, *, triangular: bool) -> list[NDArray[np.intp]]:
    """Rows that each vector tells."""
    numbers = closing_vectors(vectors.codes) if triangular else None
    if numbers is None:
        return [np.arange(len(vectors.codes))] * vectors.count
    return [np.flatnonzero(numbers >= place) for place in range(vectors.count)]


class RowMeans:
    """Running mean magnitudes of the rows of vectors, and how much more coarsely rows are told than others.

    Parameters
    ----------
    shifts : ndarray of int64, shape (rows,)
        Of each row, see `bandfold.bitstream.transforms.vectors.Vectors`.
    follow : bool
        Whether entries are larger the more finely their vector is told; otherwise vectors are told so that
        entries are of the same size in all of them.
    """

    def __init__(self, shifts: NDArray[np.int64], *, follow: bool = False) -> None:
        self.shifts = shifts
        self._follow = follow
        self._precision = 0
        self._means = np.zeros(len(shifts), dtype=np.int64)

    def begin(self, rows: NDArray[np.integer], precision: int) -> tuple[int, NDArray[np.int64]]:
        """Begin a vector.

        Parameters
        ----------
        rows : ndarray of integers, shape (n,)
            Those that are told, in rising order, one at least.
        precision : int
            Bits of the vector.

        Returns
        -------
        mean : int
            Expected magnitude of its first entry, in ``1 / SIDE_UNIT``.
        means : ndarray of int64, shape (n,)
            Running means of the rows, 0 where there is none.
        """
        if self._follow:
            change, self._precision = precision - self._precision, precision
            moved = self._means << change if change > 0 else self._means >> -change
            self._means = np.where(self._means > 0, np.maximum(moved, 1), 0)
        return max(expected_entry(len(rows), precision) >> int(self.shifts[rows[0]]), 1), self._means[rows]

    def end(self, rows: NDArray[np.integer], means: NDArray[np.int64]) -> None:
        """Take in what the running means are behind a vector."""
        self._means[rows] = means


def write_vectors(
    payload: PayloadWriter,
    vectors: Vectors,
    *,
    triangular: bool,
    predicted: bool = False,
    means: RowMeans | None = None,
) -> None:
    """Append vectors to a payload.

    Parameters
    ----------
    payload : PayloadWriter
        Where they are written.
    vectors : Vectors
        Codes and precisions.
    triangular : bool
        Whether entries in the pivots of earlier vectors, which are 0, are left out.
    predicted : bool
        Whether rows have a natural order, in which entries are predicted from those before them.
    means : RowMeans, optional
        What was told of each row before; without it entries follow from those of their own vector alone.
    """
    write_precisions(payload, vectors.precision)
    rows = _open_rows(vectors, triangular=triangular)
    columns = [column[told] for column, told in zip(vectors.codes.T, rows, strict=True)]
    if predicted:
        modes, columns = best_residuals(columns)
        payload.integers(modes, CHANGE_MEAN, signed=False)
    precisions = vectors.precision.tolist()
    if means is None:
        expected = [
            expected_entry(len(column), bits) for column, bits in zip(columns, precisions, strict=True)
        ]
        payload.integer_lists(columns, expected)
        return
    for column, told, bits in zip(columns, rows, precisions, strict=True):
        first, of_rows = means.begin(told, bits)
        write_entries(payload, np.ascontiguousarray(column), first, of_rows)
        means.end(told, of_rows)


def read_vectors(
    payload: PayloadReader,
    length: int,
    count: int,
    *,
    triangular: bool,
    predicted: bool = False,
    means: RowMeans | None = None,
) -> Vectors:
    """Read what `write_vectors` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where they are read.
    length, count : int
        Entries of each vector, and number of vectors, which is not above it.
    triangular, predicted, means
        As they were written.

    Returns
    -------
    Vectors

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    precision = read_precisions(payload, count)
    modes = payload.integers(count if predicted else 0, CHANGE_MEAN, signed=False)
    if modes and max(modes) >= len(PREDICTORS):
        raise StreamError("an eigenvector has an unknown predictor: the stream is corrupt")
    codes = np.zeros((length, count), dtype=np.int64)
    left = OpenRows(length)
    for index, bits in enumerate(precision.tolist()):
        told = left.rows
        if means is None:
            entries = payload.numbers(len(told), expected_entry(len(told), bits))
        else:
            first, of_rows = means.begin(told, bits)
            entries = read_entries(payload, first, of_rows)
            means.end(told, of_rows)
        if predicted:
            entries = _predict(entries, modes[index])
        codes[left.rows, index] = entries
        if triangular:
            left.close(entries)
    shifts = means.shifts if means is not None and means.shifts.any() else None
    return Vectors(codes, precision, row_shifts=shifts)


def expected_entry(length: int, precision: int) -> int:
    """Expected magnitude of an entry of a unit vector of so many entries, in ``1 / SIDE_UNIT``.

    Parameters
    ----------
    length, precision : int
        Number of entries of the vector, and bits that an entry of 1 has.

    Returns
    -------
    int
        0.8 times the root mean square, by integers.
    """
    return max(math.isqrt((205 << (2 * precision)) * 205 // length), 1)


def best_residuals(columns: list[NDArray[np.int64]]) -> tuple[list[int], list[NDArray[np.int64]]]:
    """Predictor that leaves the smallest residual of each vector (the first of equals), and that residual."""
    if not columns:
        return [], []
    counts = [len(column) for column in columns]
    starts = np.cumsum([0, *counts[:-1]])
    # All vectors one behind the other, and the entries one and two places before each, 0 before a vector.
    entries = np.concatenate(columns)
    once, twice = np.zeros_like(entries), np.zeros_like(entries)
    once[1:], twice[2:] = entries[:-1], entries[:-2]
    once[starts] = twice[starts] = 0
    twice[starts[starts + 1 < len(entries)] + 1] = 0
    residuals = np.stack([entries - one * once - two * twice for one, two in PREDICTORS])
    modes = np.add.reduceat(np.abs(residuals), starts, axis=1).argmin(axis=0)
    best = residuals[np.repeat(modes, counts), np.arange(len(entries))]
    return modes.tolist(), np.split(best, starts[1:])


def _predict(residual: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    # No entry in range leaves more than four times itself: sums below stay far from overflow.
    if np.abs(residual).max(initial=0) <= 4 * LARGEST_ENTRY:
        column = residual
        for _ in range(mode):
            column = np.cumsum(column)
        if np.abs(column).max(initial=0) <= LARGEST_ENTRY:
            return column
    raise StreamError("an eigenvector has an entry far beyond 1: the stream is corrupt")


def write_precisions(payload: PayloadWriter, precision: NDArray[np.int64]) -> None:
    """Append the precisions of vectors, 1 to 16 bits each."""
    payload.integers(np.diff(precision, prepend=FINEST_PRECISION).tolist(), CHANGE_MEAN)


def write_row_shifts(payload: PayloadWriter, shifts: NDArray[np.int64]) -> None:
    """Append how much more coarsely rows are told than others, 0 to `MOST_ROW_SHIFT` bits."""
    payload.integers(np.diff(shifts, prepend=0).tolist(), CHANGE_MEAN)


def read_row_shifts(payload: PayloadReader, length: int) -> NDArray[np.int64]:
    """Read what `write_row_shifts` wrote; raises `StreamError` if one is impossible."""
    shifts = np.cumsum(payload.numbers(length, CHANGE_MEAN))
    if length and (shifts.min() < 0 or shifts.max() > MOST_ROW_SHIFT):
        raise StreamError(
            "rows of vectors are shifted by an impossible number of bits: the stream is corrupt"
        )
    return shifts


def read_precisions(payload: PayloadReader, count: int) -> NDArray[np.int64]:
    """Read what `write_precisions` wrote; raises `StreamError` if one is impossible."""
    precision = FINEST_PRECISION + np.cumsum(payload.numbers(count, CHANGE_MEAN))
    if count and (precision.min() < 1 or precision.max() > FINEST_PRECISION):
        raise StreamError("an eigenvector has an impossible precision: the stream is corrupt")
    return precision
