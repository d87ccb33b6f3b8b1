"""Crops of planes, flipped and turned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def draw_crop(plane: NDArray[np.float32], size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a square crop.

    Parameters
    ----------
    plane : ndarray of float32, shape (..., lines, samples)
        Mirrored at its far ends where it is smaller than the crop.
    size : int
        Lines and samples of the crop.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray of float32, shape (..., size, size)
        In one of its eight orientations.
    """
    short = [max(size - extent, 0) for extent in plane.shape[-2:]]
    if any(short):
        widths = [(0, 0)] * (plane.ndim - 2) + [(0, missing) for missing in short]
        plane = np.pad(plane, widths, mode="symmetric")
    line, sample = (int(rng.integers(extent - size + 1)) for extent in plane.shape[-2:])
    crop = plane[..., line : line + size, sample : sample + size]
    turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
    crop = np.rot90(crop, turns, axes=(-2, -1))
    return np.ascontiguousarray(crop[..., ::-1] if mirrored else crop)
