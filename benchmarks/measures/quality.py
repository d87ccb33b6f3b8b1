"""Distortion, as every figure of this project states it: pooled over the whole cube, peak 65535."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError

PEAK = 65535.0
"""One peak for all scenes, so that equal decibels mean equal errors in counts."""


def mean_squared_error(original: NDArray[Any], decoded: NDArray[Any]) -> float:
    """Mean squared error over all samples of a cube.

    Parameters
    ----------
    original, decoded : ndarray, shape (bands, lines, samples)
        Two cubes of one shape, any type.

    Returns
    -------
    float
        The error; 0 for equal cubes.

    Raises
    ------
    SceneError
        If the shapes differ.
    """
    if original.shape != decoded.shape:
        raise SceneError(f"cubes of shapes {original.shape} and {decoded.shape} cannot be compared")
    # Band by band: a float64 copy of a whole scene would be four times its file.
    total = 0.0
    for one, other in zip(original, decoded, strict=True):
        difference = one.astype(np.float64) - other.astype(np.float64)
        total += float(np.vdot(difference, difference))
    return total / original.size


def decibels(error: float) -> float:
    """Peak signal-to-noise ratio of a mean squared error.

    Parameters
    ----------
    error : float
        Mean squared error.

    Returns
    -------
    float
        Decibels over a peak of 65535; infinite for no error at all.
    """
    return float("inf") if error == 0 else float(10 * np.log10(PEAK**2 / error))


def psnr(original: NDArray[Any], decoded: NDArray[Any]) -> float:
    """Peak signal-to-noise ratio between two cubes; see `mean_squared_error` and `decibels`.

    Parameters
    ----------
    original, decoded : ndarray, shape (bands, lines, samples)
        Two cubes of one shape, any type.

    Returns
    -------
    float
        Decibels over a peak of 65535.
    """
    return decibels(mean_squared_error(original, decoded))
