"""The bilateral filter: averages over pixels that look alike, by what all decoded components show.

A pixel is compared with those around it over *all* components at once, so an edge or a roof that the strong
components show keeps weak ones, lost in rounding, from being averaged across it. This is the bilateral filter
(Tomasi and Manduchi, "Bilateral filtering for gray and color images", ICCV 1998) with the whole spectrum as
its guide, at several bandwidths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bandfold.common.scene import BLOCK

MARGIN = 8
"""Pixels around a block that its pixels are compared with."""

_SIDE = BLOCK + 2 * MARGIN
_OUTSIDE = np.float32(1e30)


@dataclass(frozen=True)
class FilterKernel:
    """How the weight of a pixel falls with its difference from the one it helps.

    The weight is ``exp(-difference / bandwidth - distance**2 / (2 * sigma**2))``.

    Parameters
    ----------
    bandwidth : float
        Scale of the squared difference of two pixels, summed over components, in steps squared; 0: it does
        not count.
    sigma : float
        Standard deviation of the distance of two pixels, in pixels; 0: the distance does not count.
    """

    bandwidth: float
    sigma: float


def _inner() -> NDArray[np.intp]:
    """Places of a block's own pixels among those that they are compared with."""
    places = np.arange(_SIDE * _SIDE).reshape(_SIDE, _SIDE)
    return places[MARGIN : MARGIN + BLOCK, MARGIN : MARGIN + BLOCK].ravel()


def _distances() -> NDArray[np.float32]:
    """Squared distances between the pixels of a block and those around: shape (64, _SIDE**2)."""
    line, sample = np.divmod(np.arange(_SIDE * _SIDE), _SIDE)
    squares = (line[_INNER, None] - line) ** 2 + (sample[_INNER, None] - sample) ** 2
    return np.asarray(squares, dtype=np.float32)


_INNER = _inner()
_DISTANCES = _distances()


def bilateral_filter(
    planes: NDArray[np.float32], columns: slice, kernels: Sequence[FilterKernel]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Average each pixel with those around its block that look alike.

    Parameters
    ----------
    planes : ndarray of float32, shape (components, 8 * rows, 8 * columns)
        Decoded components, in steps.
    columns : slice
        Columns of blocks wanted. The result is that for all columns, cut: their neighbours are looked at too.
    kernels : sequence of FilterKernel
        One average is made with each.

    Returns
    -------
    averages : ndarray of float32, shape (kernels, components, 8 * rows, 8 * columns wanted)
        Filtered components, in steps.
    weights : ndarray of float32, shape (kernels, rows, columns wanted)
        Logarithm of the sum of weights (a pixel's own is 1), mean over each block.
    """
    count, lines, _ = planes.shape
    rows, wanted = lines // BLOCK, columns.stop - columns.start
    padded, inside = _padded(planes, columns)
    around = sliding_window_view(padded, (_SIDE, _SIDE), axis=(1, 2))[:, ::BLOCK, ::BLOCK]
    present = sliding_window_view(inside, (_SIDE, _SIDE))[::BLOCK, ::BLOCK]
    averages = np.empty((len(kernels), count, lines, wanted * BLOCK), dtype=np.float32)
    weights = np.empty((len(kernels), rows, wanted), dtype=np.float32)
    for row in range(rows):
        # (columns, pixels around, components)
        others = np.ascontiguousarray(
            around[:, row].transpose(1, 2, 3, 0).reshape(wanted, _SIDE * _SIDE, count)
        )
        absent = ~present[row].reshape(wanted, 1, _SIDE * _SIDE)
        differences = _differences(others)
        differences[np.broadcast_to(absent, differences.shape)] = _OUTSIDE
        block_lines = slice(row * BLOCK, (row + 1) * BLOCK)
        for number, kernel in enumerate(kernels):
            alike = _weights(differences, absent, kernel)
            sums = alike.sum(axis=2)
            mean = np.matmul(alike, others) / sums[:, :, None]
            averages[number][:, block_lines] = (
                mean.reshape(wanted, BLOCK, BLOCK, count).transpose(3, 1, 0, 2).reshape(count, BLOCK, -1)
            )
            weights[number, row] = np.log(sums).mean(axis=1)
    return averages, weights


def _padded(planes: NDArray[np.float32], columns: slice) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The columns wanted with a margin around, and which of its pixels are there."""
    count, lines, samples = planes.shape
    low, high = columns.start * BLOCK - MARGIN, columns.stop * BLOCK + MARGIN
    padded = np.zeros((count, lines + 2 * MARGIN, high - low), dtype=np.float32)
    inside = np.zeros(padded.shape[1:], dtype=np.bool_)
    first, last = max(low, 0), min(high, samples)
    place = (slice(MARGIN, MARGIN + lines), slice(first - low, last - low))
    padded[(slice(None), *place)] = planes[:, :, first:last]
    inside[place] = True
    return padded, inside


def _differences(others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared differences, summed over components: shape (columns, 64, pixels around).

    By ``|a - b|**2 = |a|**2 + |b|**2 - 2 a b``, a matrix product; in float64 and around the mean of the
    block, because what is left of large squares is small.
    """
    centred = others.astype(np.float64)
    centred -= centred[:, _INNER].mean(axis=1, keepdims=True)
    own = centred[:, _INNER]
    squares = np.einsum("cpk,cpk->cp", centred, centred)
    found = np.matmul(own, centred.transpose(0, 2, 1))
    found *= -2.0
    found += squares[:, None, :]
    found += squares[:, _INNER, None]
    differences: NDArray[np.float32] = np.maximum(found, 0.0).astype(np.float32)
    return differences


def _weights(
    differences: NDArray[np.float32], absent: NDArray[np.bool_], kernel: FilterKernel
) -> NDArray[np.float32]:
    exponent = np.zeros_like(differences)
    if kernel.bandwidth:
        np.multiply(differences, np.float32(-1.0 / kernel.bandwidth), out=exponent)
    if kernel.sigma:
        exponent -= _DISTANCES * np.float32(0.5 / kernel.sigma**2)
    np.exp(exponent, out=exponent)
    exponent[np.broadcast_to(absent, exponent.shape)] = 0.0
    return exponent
