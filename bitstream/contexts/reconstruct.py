"""Where in its bin a latent is reconstructed: the mean of what falls there, by context."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .tables import POINTS, Mode


def magnitude_points(
    magnitudes: NDArray[np.integer], classes: NDArray[np.uint8], mode: Mode
) -> NDArray[np.float64]:
    """Reconstruction points of magnitudes.

    Parameters
    ----------
    magnitudes : ndarray of integers
    classes : ndarray of uint8, same shape
    mode : Mode

    Returns
    -------
    ndarray of float64, same shape
        In steps.
    """
    below = mode.points[classes, np.clip(magnitudes - 1, 0, POINTS - 1)]
    return np.where(magnitudes > 0, magnitudes - below, 0.0)
