"""Quantisation of eigenvectors: as finely as the component needs at the step, and no finer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import Vectors
from bandfold.common import exact

FINEST, COARSEST = 16, 1
"""Bits of an eigenvector's entries, at most and at least."""

ENTRY_OVERHEAD = 2.05
"""Bits of a Gaussian entry whose standard deviation is one unit of precision: log2(sqrt(2 pi e))."""


def quantise_vectors(
    vectors: NDArray[np.float64], variances: NDArray[np.float64], step: float, pixels: int
) -> Vectors:
    """Quantise unit vectors so that their error weighs as much as the quantisation of the components.

    An error of variance ``e**2`` in each entry of the vector of a component of variance ``v`` costs the
    distortion ``v e**2`` per pixel and band. Spending bits where each saves the same distortion, here as in
    the latents, gives entries in units of ``step / sqrt(pixels * v)``.

    Parameters
    ----------
    vectors : ndarray, shape (n, count)
        Orthonormal columns.
    variances : ndarray, shape (count,)
        Variance of each component.
    step : float
        Quantiser step of the latents.
    pixels : int
        Pixels that share the basis.

    Returns
    -------
    Vectors
    """
    ratio = np.maximum(variances, 1e-9) * (pixels / (step * step))
    precision = np.clip(np.rint(exact.log2(ratio) / 2), COARSEST, FINEST).astype(np.int64)
    codes = np.rint(np.ldexp(vectors, precision.astype(np.int32))).astype(np.int64)
    return Vectors(codes, precision)


def vector_bits(vectors: Vectors) -> NDArray[np.float64]:
    """Estimate what each column costs in the stream.

    Parameters
    ----------
    vectors : Vectors
        Quantised eigenvectors, one a column.

    Returns
    -------
    ndarray, shape (count,)
        Bits: a Gaussian's entropy at the column's mean square, from 0.3 bit an entry.
    """
    n = vectors.codes.shape[0]
    energy = (vectors.codes * vectors.codes).sum(axis=0) / n
    bits: NDArray[np.float64] = n * np.maximum(exact.log2(energy + 0.06) / 2 + ENTRY_OVERHEAD, 0.3)
    return bits
