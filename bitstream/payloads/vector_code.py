"""How vectors are written: their precisions, and entries that earlier vectors do not tell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.triangular import OpenRows, closing_vectors
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
    return max(one.count for one in lists) > 1 and all(
        closing_vectors(one.codes) is not None for one in lists
    )


def _told(vectors: Vectors, *, triangular: bool) -> list[NDArray[np.int64]]:
    """Entries of each vector that are told."""
    numbers = closing_vectors(vectors.codes) if triangular else None
    columns = list(vectors.codes.T)
    if numbers is None:
        return columns
    return [column[numbers >= place] for place, column in enumerate(columns)]


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
        modes, columns = best_residuals(columns)
        payload.integers(modes, CHANGE_MEAN, signed=False)
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


def read_precisions(payload: PayloadReader, count: int) -> NDArray[np.int64]:
    """Read what `write_precisions` wrote; raises `StreamError` if one is impossible."""
    precision = FINEST_PRECISION + np.cumsum(payload.numbers(count, CHANGE_MEAN))
    if count and (precision.min() < 1 or precision.max() > FINEST_PRECISION):
        raise StreamError("an eigenvector has an impossible precision: the stream is corrupt")
    return precision
