"""How a KLT is written: partition, means and eigenvectors, and the matrices that rotate blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.coding_weights import LARGEST_CODE, weights_of
from bandfold.bitstream.transforms.klt import MERGE_LIMIT, Fold
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.errors import StreamError

from .payload import SIDE_UNIT, PayloadReader, PayloadWriter
from .vector_code import (
    CHANGE_MEAN,
    RowMeans,
    are_triangular,
    read_row_shifts,
    read_vectors,
    write_row_shifts,
    write_vectors,
)

COUNT_MEAN = 8 * SIDE_UNIT
"""Expected magnitude of numbers of things, where the running mean of side information begins."""

TRIANGULAR = 0
"""In place of a number of intervals or matrices, which follows: vectors are without the pivots of those
before. Twice: their entries are told by running means of rows too, and rows more or less coarsely."""

MEAN_MEAN = 64 * SIDE_UNIT
"""Expected magnitude of changes of band means from band to band, in their units."""

LARGEST_SHIFT = 40
"""Band means are told in units of at most two to this power."""

LARGEST_MEAN = 1 << 40
"""Band means of 16-bit counts, however coarse, stay far below this."""

MOST_ENTRIES = 1 << 22
"""Entries of all eigenvectors at most: a decoder may have to read zeros that take no bytes at all."""


WEIGHT_MEAN = 2 * SIDE_UNIT
"""Expected magnitude of changes of weights from band to band, as codes."""

MOST_ROTATIONS = 64
"""Rotation matrices at most."""

MOST_ROTATED = 64
"""Components that a rotation matrix rotates at most."""


def write_fold(payload: PayloadWriter, fold: Fold) -> None:
    """Append a fold to a payload.

    Parameters
    ----------
    payload : PayloadWriter
        Where it is written or read.
    fold : Fold
        Partition, means and vectors, which need no package.
    """
    triangular = fold.second is not None and are_triangular((*fold.first, fold.second))
    for _ in range(2 * triangular):
        payload.integers([TRIANGULAR], COUNT_MEAN, signed=False)
    payload.integers([len(fold.ends)], COUNT_MEAN, signed=False)
    payload.integers(np.diff(fold.ends, prepend=0).tolist(), 32 * SIDE_UNIT, signed=False)
    payload.integers([fold.mean_shift], COUNT_MEAN, signed=False)
    codes = fold.means >> fold.mean_shift
    payload.integers(np.diff(codes, prepend=0).tolist(), MEAN_MEAN)
    if fold.weights is not None:
        payload.integers(np.diff(fold.weights, prepend=0).tolist(), WEIGHT_MEAN)
    if fold.second is None:
        payload.integers(fold.engines, CHANGE_MEAN, signed=False)
        if fold.prediction is not None:
            from .order_code import write_hierarchy

            write_hierarchy(payload, fold.prediction)
        return
    payload.integers([vectors.count for vectors in fold.first], COUNT_MEAN, signed=False)
    payload.integers(fold.merged, COUNT_MEAN, signed=False)
    for vectors in fold.first:
        means = _means_of_bands(len(vectors.codes)) if triangular else None
        write_vectors(payload, vectors, triangular=triangular, predicted=True, means=means)
    payload.integers([fold.second.count], COUNT_MEAN, signed=False)
    means = RowMeans(_write_shifts(payload, fold.second)) if triangular else None
    write_vectors(payload, fold.second, triangular=triangular, means=means)


def _read_telling(payload: PayloadReader, number: int) -> tuple[int, bool, bool]:
    """Read a number, whether vectors are triangular, and whether by rows: `TRIANGULAR` says so first."""
    times = 0
    while number == TRIANGULAR and times < 2:
        number, times = payload.integers(1, COUNT_MEAN, signed=False)[0], times + 1
    return number, times > 0, times == 2


def _means_of_bands(length: int) -> RowMeans:
    """What entries of the vectors of an interval are told by."""
    return RowMeans(np.zeros(length, dtype=np.int64), follow=True)


def _write_shifts(payload: PayloadWriter, vectors: Vectors) -> NDArray[np.int64]:
    """Append how much more coarsely rows are told than others."""
    length = len(vectors.codes)
    shifts = np.zeros(length, dtype=np.int64) if vectors.row_shifts is None else vectors.row_shifts
    write_row_shifts(payload, shifts)
    return shifts


def read_fold(
    payload: PayloadReader,
    bands: int,
    *,
    spectral: bool,
    engines: int = 0,
    predicted: bool = False,
    weighted: bool = False,
) -> Fold:
    """Read what `write_fold` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where it is written or read.
    bands : int
        Bands of the scene.
    spectral : bool
        Whether there is a spectral transform.
    engines : int
        Engines of the stream's model, 0 if it names none.
    predicted : bool
        Whether bands are predicted from bands.
    weighted : bool
        Whether bands have weights; of predicted bands, steps of their own.

    Returns
    -------
    Fold

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    intervals = payload.integers(1, COUNT_MEAN, signed=False)[0]
    triangular = by_rows = False
    if spectral:
        intervals, triangular, by_rows = _read_telling(payload, intervals)
    if not 1 <= intervals <= bands:
        raise StreamError(f"stream has {intervals} intervals for {bands} bands: it is corrupt")
    lengths = payload.integers(intervals, 32 * SIDE_UNIT, signed=False)
    if min(lengths) < 1 or sum(lengths) != bands:
        raise StreamError(f"intervals of {lengths} bands do not make up {bands}: the stream is corrupt")
    ends = tuple(np.cumsum(lengths).tolist())
    mean_shift = payload.integers(1, COUNT_MEAN, signed=False)[0]
    if mean_shift > LARGEST_SHIFT:
        raise StreamError(f"band means are shifted by {mean_shift} bits: the stream is corrupt")
    means = checked_means(np.cumsum(payload.numbers(bands, MEAN_MEAN)), mean_shift)
    weights = _read_weights(payload, bands) if weighted and not predicted else None
    if not spectral:
        used = payload.integers(intervals if engines else 0, CHANGE_MEAN, signed=False)
        if engines and max(used) >= engines:
            raise StreamError(f"an interval has engine {max(used)} of {engines}: the stream is corrupt")
        hierarchy = None
        if predicted:
            from .order_code import read_hierarchy

            hierarchy = read_hierarchy(payload, bands, stepped=weighted)
        return Fold(ends, means, mean_shift, engines=tuple(used), prediction=hierarchy)
    counts = payload.integers(intervals, COUNT_MEAN, signed=False)
    merged = payload.integers(intervals, COUNT_MEAN, signed=False)
    if any(count > length for count, length in zip(counts, lengths, strict=True)):
        raise StreamError("an interval has more components than bands: the stream is corrupt")
    if sum(count * length for count, length in zip(counts, lengths, strict=True)) > MOST_ENTRIES:
        raise StreamError(f"eigenvectors have more than {MOST_ENTRIES} entries: the stream is corrupt")
    for length, count in zip(lengths, counts, strict=True):
        payload.budget.work(orthonormal_work(length, count), "eigenvectors")
    if any(taken > count for taken, count in zip(merged, counts, strict=True)) or sum(merged) > MERGE_LIMIT:
        raise StreamError("more components are merged than there are: the stream is corrupt")
    first = []
    for start, length, count in zip((0, *ends), lengths, counts, strict=False):
        told = _means_of_bands(length) if by_rows else None
        vectors = read_vectors(payload, length, count, triangular=triangular, predicted=True, means=told)
        own = None if weights is None else weights_of(weights[start : start + length])
        first.append(replace(vectors, weights=own))
    taken = payload.integers(1, COUNT_MEAN, signed=False)[0]
    if taken > sum(merged):
        raise StreamError("the second fold has more components than it merges: the stream is corrupt")
    told = RowMeans(read_row_shifts(payload, sum(merged))) if by_rows else None
    second = read_vectors(payload, sum(merged), taken, triangular=triangular, means=told)
    return Fold(ends, means, mean_shift, tuple(first), tuple(merged), second, weights=weights)


def _read_weights(payload: PayloadReader, bands: int) -> NDArray[np.int64]:
    """Codes of the weights of the bands."""
    weights = np.cumsum(payload.numbers(bands, WEIGHT_MEAN))
    if weights.min() < 0 or weights.max() > LARGEST_CODE:
        raise StreamError("a band has an impossible weight: the stream is corrupt")
    return weights


def orthonormal_work(length: int, count: int) -> int:
    """Units of work that vectors take which are made orthonormal.

    Parameters
    ----------
    length, count : int
        Entries of each vector, and number of vectors.

    Returns
    -------
    int
        As `bandfold.bitstream.container.stream_budget.StreamBudget` counts them.
    """
    return length * count * count // 8


def checked_means(codes: NDArray[np.int64], mean_shift: int) -> NDArray[np.int64]:
    """Band means from their codes.

    Parameters
    ----------
    codes : ndarray of int64, shape (bands,)
        In units of ``2**mean_shift``.
    mean_shift : int
        How coarsely the means are told, as in `Fold`.

    Returns
    -------
    ndarray of int64, shape (bands,)

    Raises
    ------
    StreamError
        If one is out of range.
    """
    if int(np.abs(codes).max()) << mean_shift > LARGEST_MEAN:
        raise StreamError("a band mean is out of range: the stream is corrupt")
    return codes << mean_shift


def write_matrices(payload: PayloadWriter, matrices: tuple[Vectors, ...]) -> None:
    """Append rotation matrices to a payload: at least one, all square, of the same size and row shifts."""
    size, triangular = matrices[0].count, are_triangular(matrices)
    payload.integers([TRIANGULAR if triangular else len(matrices), size], COUNT_MEAN, signed=False)
    means = None
    if triangular:
        payload.integers([TRIANGULAR], COUNT_MEAN, signed=False)
        payload.integers([len(matrices)], COUNT_MEAN, signed=False)
        means = RowMeans(_write_shifts(payload, matrices[0]))
    for matrix in matrices:
        write_vectors(payload, matrix, triangular=triangular, means=means)


def read_matrices(payload: PayloadReader, components: int) -> tuple[Vectors, ...]:
    """Read what `write_matrices` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where it is written or read.
    components : int
        Components of the scene.

    Returns
    -------
    tuple of Vectors

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    count, size = payload.integers(2, COUNT_MEAN, signed=False)
    count, triangular, by_rows = _read_telling(payload, count)
    if not (1 <= count <= MOST_ROTATIONS and 1 <= size <= min(components, MOST_ROTATED)):
        raise StreamError(f"stream has {count} rotations of {size} components: it is corrupt")
    payload.budget.work(count * orthonormal_work(size, size), "rotations")
    means = RowMeans(read_row_shifts(payload, size)) if by_rows else None
    return tuple(read_vectors(payload, size, size, triangular=triangular, means=means) for _ in range(count))
