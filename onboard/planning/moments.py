"""Means and covariances of a sample, exact in any order of summation."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.common import exact


def covariance(blocks: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and covariance matrix of a sample of integer blocks.

    Parameters
    ----------
    blocks : ndarray of int32, shape (bands, count, 64)
        8 or 16 bit integers.

    Returns
    -------
    mean : ndarray, shape (bands,)
    covariances : ndarray, shape (bands, bands)
        Divided by the number of pixels.

    Notes
    -----
    The samples are centred by the rounded mean, so products stay below 2**32 and 2**20 of them below 2**52:
    the sums are exact.
    """
    bands = blocks.shape[0]
    flat = blocks.reshape(bands, -1)
    pixels = flat.shape[1]
    centre = np.rint(flat.sum(axis=1, dtype=np.int64) / pixels)
    gram = np.zeros((bands, bands))
    sums = np.zeros(bands)
    chunk = 1 << 12
    for start in range(0, pixels, chunk):
        part = flat[:, start : start + chunk] - centre[:, None]
        gram += exact.integer_product(part, part.T)
        sums += part.sum(axis=1)
    shift = sums / pixels
    return centre + shift, gram / pixels - shift[:, None] * shift[None, :]


def told_means(mean: NDArray[np.float64], step: float, pixels: int) -> tuple[NDArray[np.int64], int]:
    """Band means as a stream tells them: as coarse as an error that all pixels share may be.

    Parameters
    ----------
    mean : ndarray, shape (bands,)
        In counts.
    step : float
        Quantiser step in counts.
    pixels : int
        Of the scene.

    Returns
    -------
    means : ndarray of int64, shape (bands,)
        In units of ``1 / FRACTION`` of a count.
    shift : int
        They are multiples of two to this power.
    """
    unit = FRACTION * step / math.isqrt(pixels)
    shift = max(int(np.frexp(unit)[1]) - 1, 0)
    return np.rint(np.ldexp(mean * FRACTION, -shift)).astype(np.int64) << shift, shift
