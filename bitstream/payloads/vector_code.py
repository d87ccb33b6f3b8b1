"""How vectors are written: their precisions, and entries that earlier vectors do not tell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.triangular import OpenRows, is_triangular
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.errors import StreamError

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
    """Whether lists of vectors leave out what can be left out, and something can.

    Parameters
    ----------
    lists : sequence of Vectors
        As they are told.

    Returns
    -------
    bool
        See `bandfold.bitstream.transforms.triangular`.
    """
    return max(one.count for one in lists) > 1 and all(is_triangular(one.codes) for one in lists)


def _told(vectors: Vectors, *, triangular: bool) -> list[NDArray[np.int64]]:
    """Entries of each vector that are told."""
    left, told = OpenRows(len(vectors.codes)), []
    for column in vectors.codes.T:
        told.append(column[left.rows])
        if triangular:
            left.close(told[-1])
    return told


def write_vectors(
    payload: PayloadWriter, vectors: Vectors, *, triangular: bool, predicted: bool = False
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
    """
    write_precisions(payload, vectors.precision)
    columns = _told(vectors, triangular=triangular)
    if predicted:
        modes = [best_predictor(column) for column in columns]
        payload.integers(modes, CHANGE_MEAN, signed=False)
        columns = [_residual(column, mode) for column, mode in zip(columns, modes, strict=True)]
    means = [
        expected_entry(len(column), precision)
        for column, precision in zip(columns, vectors.precision.tolist(), strict=True)
    ]
    payload.integer_lists(columns, means)


def read_vectors(
    payload: PayloadReader, length: int, count: int, *, triangular: bool, predicted: bool = False
) -> Vectors:
    """Read what `write_vectors` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where they are read.
    length, count : int
        Entries of each vector, and number of vectors, which is not above it.
    triangular, predicted : bool
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
        told = len(left.rows)
        entries = payload.numbers(told, expected_entry(told, bits))
        if predicted:
            entries = _predict(entries, modes[index])
        codes[left.rows, index] = entries
        if triangular:
            left.close(entries)
    return Vectors(codes, precision)


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


def best_predictor(column: NDArray[np.int64]) -> int:
    """Predictor that leaves the smallest residual (the first of equals)."""
    return min(range(len(PREDICTORS)), key=lambda mode: int(np.abs(_residual(column, mode)).sum()))


def _residual(column: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    once, twice = PREDICTORS[mode]
    padded = np.concatenate([np.zeros(2, dtype=np.int64), column])
    return np.asarray(column - once * padded[1:-1] - twice * padded[:-2], dtype=np.int64)


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


def read_precisions(payload: PayloadReader, count: int) -> NDArray[np.int64]:
    """Read what `write_precisions` wrote; raises `StreamError` if one is impossible."""
    precision = FINEST_PRECISION + np.cumsum(payload.numbers(count, CHANGE_MEAN))
    if count and (precision.min() < 1 or precision.max() > FINEST_PRECISION):
        raise StreamError("an eigenvector has an impossible precision: the stream is corrupt")
    return precision
