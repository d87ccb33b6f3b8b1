"""Quantisation of the vectors that a stream tells: those of a fold, and of matrices that rotate blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.vectors import MOST_ROW_SHIFT, Vectors
from bandfold.common import exact
from bandfold.common.kernels import compiled

from .rate_model import KNEE

FINEST, COARSEST = 16, 1
"""Bits of an eigenvector's entries, at most and at least."""

LARGEST_CODE = 1 << 19
"""Largest code of an entry: multiples of earlier vectors make some a few times larger than those of unit
vectors."""


def find_row_shifts(
    variances: Sequence[NDArray[np.float64]],
    vectors: Sequence[NDArray[np.float64]],
    step: float,
    pixels: int,
) -> NDArray[np.int64]:
    """How much more coarsely rows of vectors may be told, since their errors stay among what is coded.

    An error in a row turns a component towards what that row stands for. What it brings along is lost only
    where nothing of that is coded; otherwise it costs the more bits the less that row has left which the
    others do not tell. With a covariance ``C`` and ``d``, `KNEE` squared steps, an error of variance ``e**2``
    in row ``i`` of a component of variance ``v`` costs as much as ``d v e**2 g`` of squared error, where
    ``g`` is the diagonal of the inverse of ``C + d``: ``1 / d`` where nothing is coded, as `quantise_vectors`
    assumes.

    Parameters
    ----------
    variances : sequence of ndarray, each of shape (all,)
        Eigenvalues of covariances, in counts squared; the mean over the covariances counts.
    vectors : sequence of ndarray, each of shape (n, all)
        Their eigenvectors.
    step : float
        Quantiser step of the latents, in counts.
    pixels : int
        Pixels that share a vector, at most.

    Returns
    -------
    ndarray of int64, shape (n,)
        Bits, 0 to `MOST_ROW_SHIFT`.
    """
    knee = KNEE * step * step
    shares = [
        (turned * turned / (np.maximum(values, 0.0) + knee)).T
        for values, turned in zip(variances, vectors, strict=True)
    ]
    lost = exact.column_sums(np.ascontiguousarray(np.concatenate(shares))) * (knee / len(shares))
    # What vectors are told too coarsely as it is, for want of bits, rows are told more finely.
    strongest = max(float(values.max(initial=0.0)) for values in variances)
    missing = max(np.rint(exact.log2_of(max(strongest, 1e-9) * (pixels / (step * step))) / 2) - FINEST, 0.0)
    shifts = np.rint(exact.log2(lost) / -2) - missing
    found: NDArray[np.int64] = np.clip(shifts, 0, MOST_ROW_SHIFT).astype(np.int64)
    return found


def quantise_vectors(
    vectors: NDArray[np.float64],
    variances: NDArray[np.float64],
    step: float,
    pixels: int,
    row_shifts: NDArray[np.int64] | None = None,
) -> Vectors:
    """Quantise unit vectors so that their error weighs as much as the quantisation of the components.

    An error of variance ``e**2`` in each entry of the vector of a component of variance ``v`` costs the
    distortion ``v e**2`` per pixel and band. Spending bits where each saves the same distortion, here as in
    the latents, gives entries in units of ``step / sqrt(pixels * v)``. Decoders make vectors orthonormal from
    first to last, so that multiples of earlier ones may be added to each: with those that make its entries
    zero in the pivots of the ones before, these need not be told
    (`bandfold.bitstream.transforms.triangular`).

    Parameters
    ----------
    vectors : ndarray, shape (n, count)
        Orthonormal columns.
    variances : ndarray, shape (count,)
        Variance of each component, in counts squared.
    step : float
        Quantiser step of the latents, in counts.
    pixels : int
        Pixels that share the vectors.
    row_shifts : ndarray of int64, shape (n,), optional
        Bits by which rows are told more coarsely, from `find_row_shifts`.

    Returns
    -------
    Vectors
        Zero in the pivots of those before.
    """
    ratio = np.maximum(variances, 1e-9) * (pixels / (step * step))
    precision = np.clip(np.rint(exact.log2(ratio) / 2), COARSEST, FINEST).astype(np.int64)
    if row_shifts is not None:
        vectors = np.ldexp(vectors, -row_shifts.astype(np.int32)[:, None])
    rows = np.ascontiguousarray(vectors.T, dtype=np.float64)
    codes = np.zeros(rows.shape, dtype=np.int64)
    _eliminate(rows, np.ldexp(1.0, precision.astype(np.int32)), float(LARGEST_CODE), codes)
    shifts = row_shifts if row_shifts is not None and row_shifts.any() else None
    return Vectors(np.ascontiguousarray(codes.T), precision, row_shifts=shifts)


@compiled(
    "bf_eliminate(vectors: float64[count, n], scales: float64[count], count: int64, n: int64,"
    " largest: float64, codes: out(int64[count, n]), echelon: out(float64[count, n]),"
    " pivots: out(int64[count]))"
)
def _eliminate(
    vectors: NDArray[np.float64], scales: NDArray[np.float64], largest: float, codes: NDArray[np.int64]
) -> None:
    """Quantise rows, each zero in the pivots of those before: Gaussian elimination with what is told."""
    count, n = vectors.shape
    # Multiples of the vectors told so far, each 1 in its own pivot and 0 in those of all others.
    echelon = np.empty((count, n))
    pivots: list[int] = []
    is_open = np.ones(n, dtype=bool)
    for index, vector in enumerate(vectors):
        left = vector.copy()
        for known, pivot in zip(echelon, pivots, strict=False):
            left -= known * vector[pivot]
        told = np.clip(np.rint(left * scales[index]), -largest, largest)
        if not told.any():
            # A vector of nothing would be replaced by another one: its largest entry is told all the same.
            told[np.where(is_open, np.abs(left), -1.0).argmax()] = 1.0
        pivot = int(np.abs(told).argmax())
        codes[index] = told
        new = told / told[pivot]
        echelon[:index] -= echelon[:index, pivot, None] * new
        echelon[index] = new
        pivots.append(pivot)
        is_open[pivot] = False
