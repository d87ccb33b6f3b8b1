"""The cosine transform and rotations of blocks whose components lie side by side.

The two-dimensional transform is done line by line and column by column; the integer matrix of the format is
that of their products, rounded to 2**-15. C does the same within the kernels that need it
(``common/native/cosines.h``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.dct import FREQUENCIES
from bandfold.common.scene import BLOCK

Float = NDArray[np.float32]

FREQUENCY_CHANNELS = np.argsort(FREQUENCIES @ (BLOCK, 1)).astype(np.int32)
"""Channel of each pair of frequencies, line by line."""


def _line_transform() -> Float:
    """The orthonormal transform of a line of 8 pixels, of which the matrix of the format is rounded."""
    frequency, pixel = np.arange(BLOCK)[:, None], np.arange(BLOCK)
    cosines = np.cos(np.pi / BLOCK * frequency * (pixel + 0.5)) * np.sqrt(2 / BLOCK)
    cosines[0] *= np.sqrt(0.5)
    return np.asarray(cosines, dtype=np.float32)


LINE_TRANSFORM = _line_transform()
"""Matrix of shape (8, 8): its even rows are symmetric, its odd ones antisymmetric."""

_HALF = BLOCK // 2


def to_cosines(pixels: Float) -> Float:
    """Transform blocks of pixels.

    Parameters
    ----------
    pixels : ndarray of float32, shape (blocks, 64, components)
        Line by line.

    Returns
    -------
    ndarray of float32, same shape
        Frequencies, line by line.
    """
    both = pixels.reshape(-1, BLOCK, BLOCK, pixels.shape[2])
    for axis in (1, 2):
        both = np.moveaxis(_forth(np.moveaxis(both, axis, 0)), 0, axis)
    return both.reshape(pixels.shape)


def from_cosines(latents: Float) -> Float:
    """Transform frequencies back.

    Parameters
    ----------
    latents : ndarray of float32, shape (blocks, 64, components)
        Line by line.

    Returns
    -------
    ndarray of float32, same shape
        Pixels, line by line.
    """
    both = latents.reshape(-1, BLOCK, BLOCK, latents.shape[2])
    for axis in (2, 1):
        both = np.moveaxis(_back(np.moveaxis(both, axis, 0)), 0, axis)
    return both.reshape(latents.shape)


def turn_first(rows: Float, matrices: Float, chosen: NDArray[np.uint8]) -> None:
    """Multiply the first components of each block by the matrix that it chose, in place.

    Parameters
    ----------
    rows : ndarray of float32, shape (blocks, ..., components)
        Turned where there is such a matrix.
    matrices : ndarray of float32, shape (kinds, size, width)
        What fills the width is not used.
    chosen : ndarray of uint8, shape (blocks,)
        Number of the matrix of each block.
    """
    for kind, matrix in enumerate(matrices):
        size, members = len(matrix), np.flatnonzero(chosen == kind)
        own = rows[members][..., :size]
        turned = np.zeros_like(own)
        for number, row in enumerate(matrix[:, :size]):
            turned += own[..., number, None] * row
        rows[members, ..., :size] = turned


def _forth(x: Float) -> Float:
    """Transform the first axis."""
    found = np.zeros_like(x)
    for k in range(_HALF):
        total, difference = x[k] + x[-1 - k], x[k] - x[-1 - k]
        for u in range(BLOCK):
            found[u] += LINE_TRANSFORM[u, k] * (difference if u % 2 else total)
    return found


def _back(x: Float) -> Float:
    """Transform the first axis back."""
    parts = np.zeros((2, _HALF, *x.shape[1:]), dtype=np.float32)
    for u in range(BLOCK):
        for k in range(_HALF):
            parts[u % 2, k] += LINE_TRANSFORM[u, k] * x[u]
    even, odd = parts
    return np.concatenate([even + odd, (even - odd)[::-1]])
