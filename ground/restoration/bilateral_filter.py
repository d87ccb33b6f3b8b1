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

from .pixel_similarity import Weighing

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


def weighing_of(kernels: Sequence[FilterKernel]) -> Weighing:
    """How weights fall in several averages.

    Parameters
    ----------
    kernels : sequence of FilterKernel
        One average is made with each.

    Returns
    -------
    Weighing
    """
    return Weighing(np.array([_falls(kernel) for kernel in kernels], dtype=np.float32))


def _falls(kernel: FilterKernel) -> tuple[float, float]:
    """What squared differences and squared distances are multiplied by in the exponent of a weight."""
    by_difference = min(1.0 / kernel.bandwidth, _STEEPEST) if kernel.bandwidth else 0.0
    # Products become infinite where powers raise an error.
    variance = kernel.sigma * kernel.sigma
    by_distance = min(0.5 / variance, _STEEPEST) if variance else 0.0
    return -by_difference, -by_distance
