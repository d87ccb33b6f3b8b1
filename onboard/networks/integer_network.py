"""Planes as the integers that quantised networks take."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .conv_stack import HIGH, LOW

_DOUBLINGS = 4


@cache
def _dither() -> NDArray[np.float64]:
    """Thresholds of ordered dithering (Bayer, ICC 1973), shape (16, 16): 256 levels within +-1/2."""
    pattern = np.zeros((1, 1))
    for _ in range(_DOUBLINGS):
        pattern = np.block([[4 * pattern, 4 * pattern + 2], [4 * pattern + 3, 4 * pattern + 1]])
    return np.asarray((pattern + 0.5) / pattern.size - 0.5, dtype=np.float64)


def to_integers(planes: NDArray[np.floating[Any]], scale: np.float32 | float, zero: int) -> NDArray[np.int8]:
    """Round planes to 8-bit integers, with a dither that makes the errors of neighbours cancel.

    A latent sums 16 x 16 samples. Where a plane is smooth they would all be rounded the same way, and the
    error of a quarter of a unit would become one of four; ordered dithering leaves a 256th of a unit of it.
    A few operations in float64 for each sample, none of which depends on the machine: the same integers
    everywhere.

    Parameters
    ----------
    planes : ndarray of floats, shape (..., lines, samples)
        What a network is shown, in steps.
    scale : float
        Unit of the integers.
    zero : int
        Integer that stands for 0.

    Returns
    -------
    ndarray of int8, same shape
    """
    lines, samples = planes.shape[-2:]
    pattern = _dither()
    tiles = (-(-lines // len(pattern)), -(-samples // len(pattern)))
    units = planes.astype(np.float64) / float(scale)
    units += np.tile(pattern, tiles)[:lines, :samples]
    integers: NDArray[np.int8] = np.clip(np.rint(units) + zero, LOW, HIGH).astype(np.int8)
    return integers


def to_channels(plane: NDArray[np.int8], block: int) -> NDArray[np.int8]:
    """Rearrange a plane so that the samples of a block are channels of one position.

    Parameters
    ----------
    plane : ndarray of int8, shape (lines, samples)
        Multiples of `block`.
    block : int
        Lines and samples of a block.

    Returns
    -------
    ndarray of int8, shape (block * block, lines / block, samples / block)
        Channels in the order of lines, then samples.
    """
    lines, samples = plane.shape
    blocks = plane.reshape(lines // block, block, samples // block, block)
    return np.ascontiguousarray(
        blocks.transpose(1, 3, 0, 2).reshape(block * block, lines // block, samples // block)
    )
