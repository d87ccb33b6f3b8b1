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

from .pixel_similarity import MARGIN, SIDE, similarity

BLOCKS_AT_ONCE = 4
"""Blocks that are filtered at a time: the weights of a few stay in the processor's cache."""

_STEEPEST = 1e30
"""What a difference or distance is multiplied by at most, so that none becomes infinite times zero."""


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
    around = sliding_window_view(padded, (SIDE, SIDE), axis=(1, 2))[:, ::BLOCK, ::BLOCK]
    present = sliding_window_view(inside, (SIDE, SIDE))[::BLOCK, ::BLOCK]
    falls = np.array([_falls(kernel) for kernel in kernels], dtype=np.float32)
    averages = np.zeros((len(kernels), count, lines, wanted * BLOCK), dtype=np.float32)
    weights = np.empty((len(kernels), rows, wanted), dtype=np.float32)
    for row in range(rows):
        block_lines = slice(row * BLOCK, (row + 1) * BLOCK)
        for start in range(0, wanted, BLOCKS_AT_ONCE):
            part = slice(start, min(start + BLOCKS_AT_ONCE, wanted))
            # A component of zeros around a block has no differences, and an average of 0.
            near = padded[
                :, row * BLOCK : row * BLOCK + SIDE, part.start * BLOCK : (part.stop - 1) * BLOCK + SIDE
            ]
            shown = np.flatnonzero(near.any(axis=(1, 2)))
            others = np.ascontiguousarray(around[shown, row, part].swapaxes(0, 1))
            others = others.reshape(len(others), shown.size, SIDE * SIDE)
            there = np.ascontiguousarray(present[row, part]).reshape(-1, SIDE * SIDE)
            alike, sums = similarity(others, there, falls)
            mean = np.matmul(alike, others.swapaxes(1, 2)) / sums[..., None]
            averages[:, shown, block_lines, part.start * BLOCK : part.stop * BLOCK] = (
                mean.reshape(len(kernels), -1, BLOCK, BLOCK, shown.size)
                .transpose(0, 4, 2, 1, 3)
                .reshape(len(kernels), shown.size, BLOCK, -1)
            )
            weights[:, row, part] = np.log(sums).mean(axis=2)
    return averages, weights


def _falls(kernel: FilterKernel) -> tuple[float, float]:
    """What squared differences and squared distances are multiplied by in the exponent of a weight."""
    by_difference = min(1.0 / kernel.bandwidth, _STEEPEST) if kernel.bandwidth else 0.0
    # Products become infinite where powers raise an error.
    variance = kernel.sigma * kernel.sigma
    by_distance = min(0.5 / variance, _STEEPEST) if variance else 0.0
    return -by_difference, -by_distance


def _padded(planes: NDArray[np.float32], columns: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The columns wanted with a margin around, and 1 where its pixels are there, else 0."""
    count, lines, samples = planes.shape
    low, high = columns.start * BLOCK - MARGIN, columns.stop * BLOCK + MARGIN
    padded = np.zeros((count, lines + 2 * MARGIN, high - low), dtype=np.float32)
    inside = np.zeros(padded.shape[1:], dtype=np.float32)
    first, last = max(low, 0), min(high, samples)
    place = (slice(MARGIN, MARGIN + lines), slice(first - low, last - low))
    padded[(slice(None), *place)] = planes[:, :, first:last]
    inside[place] = 1.0
    return padded, inside
