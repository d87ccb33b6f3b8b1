"""First guesses of a step, from the variances of what is coded."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bandfold.common import exact
from bandfold.common.exact import exp2, log2_of


def step_for_bits(variances: NDArray[np.float64], pixels: int, factor: float, bits: float) -> float:
    """Guess the step at which a scene costs so many bits.

    Parameters
    ----------
    variances : ndarray, shape (components,)
        Of components, or of bands; in counts squared.
    pixels : int
        Of the scene.
    factor : float
        Fitted on coded scenes.
    bits : float
        Of the whole scene.

    Returns
    -------
    float
    """
    low, high = -4.0, 20.0
    for _ in range(30):
        middle = (low + high) / 2
        ratio = np.maximum(variances, 0.0) / exp2(2 * middle)
        # Strong components are smooth and cost less than their variance says, weak ones are noise.
        rate = exact.log2(1.0 + factor * np.sqrt(ratio) * ratio / (1.0 + ratio)) / 2
        total = math.fsum(rate.tolist()) * pixels
        low, high = (middle, high) if total > bits else (low, middle)
    return exp2((low + high) / 2)


def step_for_error(mse: float) -> float:
    """Guess the step at which a scene has a mean squared error per sample."""
    return exp2(log2_of(12.0 * mse) / 2 + 0.5)
