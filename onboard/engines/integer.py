"""Planes as the integers that quantised networks take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .convstack import HIGH, LOW


def to_integers(planes: NDArray[np.floating[Any]], scale: np.float32 | float, zero: int) -> NDArray[np.int8]:
    """Round planes to 8-bit integers, half to even.

    One division and one addition in float64 for each sample: the same integers on every machine.

    Parameters
    ----------
    planes : ndarray of floats
    scale : float
        Unit of the integers.
    zero : int
        Integer that stands for 0.

    Returns
    -------
    ndarray of int8, same shape
    """
    units = np.rint(planes.astype(np.float64) / float(scale)) + zero
    integers: NDArray[np.int8] = np.clip(units, LOW, HIGH).astype(np.int8)
    return integers
