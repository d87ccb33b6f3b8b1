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

from .pixel_similarity import Averages, PaddedPlanes, Weighing, averages

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


class BilateralFilter:
    """Averages the pixels of a strip with those around their block that look alike.

    Parameters
    ----------
    planes : ndarray of float32, shape (components, 8 * rows, 8 * columns)
        Decoded components, in steps.
    kernels : sequence of FilterKernel
        One average is made with each.
    """

    def __init__(self, planes: NDArray[np.float32], kernels: Sequence[FilterKernel]) -> None:
        self._padded = PaddedPlanes(planes)
        self._weighing = Weighing(np.array([_falls(kernel) for kernel in kernels], dtype=np.float32))
        # A component of zeros around a block has no differences, and averages of 0.
        count, lines, samples = planes.shape
        blocks = planes.reshape(count, lines // BLOCK, BLOCK, samples // BLOCK, BLOCK).any(axis=(2, 4))
        around = sliding_window_view(np.pad(blocks, ((0, 0), (1, 1), (1, 1))), (3, 3), axis=(1, 2))
        shown: NDArray[np.uint8] = np.any(around, axis=(3, 4), keepdims=True).astype(np.uint8)
        self._shown = np.ascontiguousarray(shown[..., 0, 0].transpose(1, 2, 0))

    def averages(self, columns: slice) -> Averages:
        """Average the pixels of some blocks.

        Parameters
        ----------
        columns : slice
            Columns of blocks wanted: a half-open range with explicit bounds.

        Returns
        -------
        Averages
            Of the blocks of these columns, row by row.
        """
        rows = np.arange(self._shown.shape[0])[:, None]
        starts = BLOCK * (rows * self._padded.samples + np.arange(columns.start, columns.stop))
        shown = np.ascontiguousarray(self._shown[:, columns]).reshape(starts.size, -1)
        return averages(self._padded, self._weighing, starts.reshape(-1), shown)


def _falls(kernel: FilterKernel) -> tuple[float, float]:
    """What squared differences and squared distances are multiplied by in the exponent of a weight."""
    by_difference = min(1.0 / kernel.bandwidth, _STEEPEST) if kernel.bandwidth else 0.0
    # Products become infinite where powers raise an error.
    variance = kernel.sigma * kernel.sigma
    by_distance = min(0.5 / variance, _STEEPEST) if variance else 0.0
    return -by_difference, -by_distance
