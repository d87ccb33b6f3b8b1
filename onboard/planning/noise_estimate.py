"""Noise of each band of a scene, estimated from a sample of its blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import BLOCK

ROUNDING = 1.0 / 12
"""Variance of what rounding to counts adds, in counts squared: no band has less noise."""

NEIGHBOURS = 4
"""Bands from which a band is predicted."""

_PIXELS = BLOCK * (BLOCK - 1)
"""Pixels of a block that have one to their left."""

_SINGULAR = 1e-9
"""What others have told already of a predictor is left out where so small a share of it is new."""


def noise_variances(blocks: NDArray[Any]) -> NDArray[np.float64]:
    """Estimate the variance of the noise of each band.

    In each block a band is predicted by least squares, from the nearest bands and from the pixel to the left;
    what is left is noise, and the median over the blocks leaves out those with edges. After the spectral and
    spatial decorrelation of Roger and Arnold (Reliably estimating the noise in AVIRIS hyperspectral images,
    International Journal of Remote Sensing 17(10), 1996). Sums are integers, all else single operations of
    float64: the same on every machine.

    Parameters
    ----------
    blocks : ndarray of integers, shape (bands, count, 64)
        Samples of 8 x 8 blocks, 8 or 16 bit integers.

    Returns
    -------
    ndarray, shape (bands,)
        In counts squared, at least `ROUNDING`.
    """
    bands, count, _ = blocks.shape
    planes = blocks.reshape(bands, count, BLOCK, BLOCK)
    right = planes[..., 1:].reshape(bands, count, _PIXELS)
    found = np.empty(bands)
    for band in range(bands):
        left = planes[band, ..., :-1].reshape(count, _PIXELS)
        variables = [*(right[other] for other in _nearest(band, bands)), left, right[band]]
        freedom = _PIXELS - len(variables)
        found[band] = float(np.median(_residual(variables))) / (_PIXELS * freedom)
    return np.maximum(found, ROUNDING)


def _nearest(band: int, bands: int) -> list[int]:
    """Bands nearest to a band, on both sides where there are such."""
    others = sorted((other for other in range(bands) if other != band), key=lambda other: abs(other - band))
    return others[:NEIGHBOURS]


def _residual(variables: list[NDArray[np.int32]]) -> NDArray[np.float64]:
    """What least squares leave of the last variable, predicted from the others, in each block.

    Returns
    -------
    ndarray, shape (count,)
        `_PIXELS` times the sum of squares.
    """
    size = len(variables)
    moments = np.empty((size, size, len(variables[0])))
    wide = [one.astype(np.int64) for one in variables]
    sums = [one.sum(axis=1) for one in wide]
    for row in range(size):
        for column in range(row + 1):
            # Exact: below 2**45.
            moment = _PIXELS * (wide[row] * wide[column]).sum(axis=1) - sums[row] * sums[column]
            moments[row, column] = moments[column, row] = moment
    own = moments[np.arange(size), np.arange(size)].copy()
    for place in range(size - 1):
        pivot = moments[place, place]
        usable = pivot > _SINGULAR * own[place]
        factor = np.where(usable, moments[place], 0.0) / np.where(usable, pivot, 1.0)
        for row in range(place + 1, size):
            moments[row] -= moments[row, place] * factor
    return np.asarray(np.maximum(moments[-1, -1], 0.0), dtype=np.float64)
