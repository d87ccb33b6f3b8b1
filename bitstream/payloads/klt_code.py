"""How a KLT is written: partition, means, eigenvectors predicted along the wavelengths, rotations."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.coding_weights import LARGEST_CODE, weights_of
from bandfold.bitstream.transforms.klt import MERGE_LIMIT, Fold
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.errors import StreamError

from .order_code import read_hierarchy, write_hierarchy
from .payload import SIDE_UNIT, PayloadReader, PayloadWriter

PREDICTORS = ((0, 0), (1, 0), (2, -1))
"""Weights of the entries one and two bands before: none, the entry before, the line through both."""

COUNT_MEAN = 8 * SIDE_UNIT
"""Expected magnitude of numbers of things, where the running mean of side information begins."""

CHANGE_MEAN = SIDE_UNIT
"""Expected magnitude of changes of precisions and shifts."""

MEAN_MEAN = 64 * SIDE_UNIT
"""Expected magnitude of changes of band means from band to band, in their units."""

FINEST_PRECISION = 16
"""Bits of entries of vectors at most."""

LARGEST_SHIFT = 40
"""Band means are told in units of at most two to this power."""

LARGEST_ENTRY = 1 << 20
"""Entries of unit vectors at the finest precision stay far below this."""

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
            write_hierarchy(payload, fold.prediction)
        return
    payload.integers([vectors.count for vectors in fold.first], COUNT_MEAN, signed=False)
    payload.integers(fold.merged, COUNT_MEAN, signed=False)
    for vectors in fold.first:
        write_precisions(payload, vectors.precision)
        modes = [best_predictor(column) for column in vectors.codes.T]
        payload.integers(modes, CHANGE_MEAN, signed=False)
        for column, mode, precision in zip(vectors.codes.T, modes, vectors.precision.tolist(), strict=True):
            payload.integers(_residual(column, mode).tolist(), expected_entry(len(column), precision))
    payload.integers([fold.second.count], COUNT_MEAN, signed=False)
    write_vectors(payload, fold.second)


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
        hierarchy = read_hierarchy(payload, bands, stepped=weighted) if predicted else None
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
        precision = read_precisions(payload, count)
        modes = payload.integers(count, CHANGE_MEAN, signed=False)
        if count and max(modes) >= len(PREDICTORS):
            raise StreamError("an eigenvector has an unknown predictor: the stream is corrupt")
        codes = np.zeros((length, count), dtype=np.int64)
        for index, (mode, bits) in enumerate(zip(modes, precision.tolist(), strict=True)):
            codes[:, index] = _predict(payload.numbers(length, expected_entry(length, bits)), mode)
        own = None if weights is None else weights_of(weights[start : start + length])
        first.append(Vectors(codes, precision, weights=own))
    taken = payload.integers(1, COUNT_MEAN, signed=False)[0]
    if taken > sum(merged):
        raise StreamError("the second fold has more components than it merges: the stream is corrupt")
    second = read_vectors(payload, sum(merged), taken)
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


def write_vectors(payload: PayloadWriter, vectors: Vectors) -> None:
    """Append vectors whose entries have no natural order."""
    write_precisions(payload, vectors.precision)
    for column, precision in zip(vectors.codes.T, vectors.precision.tolist(), strict=True):
        payload.integers(column.tolist(), expected_entry(len(column), precision))


def read_vectors(payload: PayloadReader, length: int, count: int) -> Vectors:
    """Read what `write_vectors` wrote: `count` vectors of `length` entries."""
    precision = read_precisions(payload, count)
    codes = np.zeros((length, count), dtype=np.int64)
    for index, bits in enumerate(precision.tolist()):
        codes[:, index] = payload.numbers(length, expected_entry(length, bits))
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


def write_precisions(payload: PayloadWriter, precision: NDArray[np.int64]) -> None:
    """Append the precisions of vectors, 1 to 16 bits each."""
    payload.integers(np.diff(precision, prepend=FINEST_PRECISION).tolist(), CHANGE_MEAN)


def read_precisions(payload: PayloadReader, count: int) -> NDArray[np.int64]:
    """Read what `write_precisions` wrote; raises `StreamError` if one is impossible."""
    precision = FINEST_PRECISION + np.cumsum(payload.numbers(count, CHANGE_MEAN))
    if count and (precision.min() < 1 or precision.max() > FINEST_PRECISION):
        raise StreamError("an eigenvector has an impossible precision: the stream is corrupt")
    return precision


def write_matrices(payload: PayloadWriter, matrices: tuple[Vectors, ...]) -> None:
    """Append rotation matrices to a payload: at least one, all square and of the same size."""
    payload.integers([len(matrices), matrices[0].count], COUNT_MEAN, signed=False)
    for matrix in matrices:
        write_vectors(payload, matrix)


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
    if not (1 <= count <= MOST_ROTATIONS and 1 <= size <= min(components, MOST_ROTATED)):
        raise StreamError(f"stream has {count} rotations of {size} components: it is corrupt")
    payload.budget.work(count * orthonormal_work(size, size), "rotations")
    return tuple(read_vectors(payload, size, size) for _ in range(count))
