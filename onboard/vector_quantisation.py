"""Quantisation of the vectors that a stream tells: those of a fold, and of matrices that rotate blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common import exact
from bandfold.common.kernels import compiled

FINEST, COARSEST = 16, 1
"""Bits of an eigenvector's entries, at most and at least."""

LARGEST_CODE = 1 << 19
"""Largest code of an entry: multiples of earlier vectors make some a few times larger than those of unit
vectors."""


def quantise_vectors(
    vectors: NDArray[np.float64], variances: NDArray[np.float64], step: float, pixels: int
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

    Returns
    -------
    Vectors
        Zero in the pivots of those before.
    """
    ratio = np.maximum(variances, 1e-9) * (pixels / (step * step))
    precision = np.clip(np.rint(exact.log2(ratio) / 2), COARSEST, FINEST).astype(np.int64)
    rows = np.ascontiguousarray(vectors.T, dtype=np.float64)
    codes = np.zeros(rows.shape, dtype=np.int64)
    _eliminate(rows, np.ldexp(1.0, precision.astype(np.int32)), float(LARGEST_CODE), codes)
    return Vectors(np.ascontiguousarray(codes.T), precision)


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
