"""Dequantisation and the inverse transforms within blocks, in floating point: from levels to planes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors
from bandfold.common.scene import BLOCK, CHANNELS

LATENTS_AT_ONCE = 1 << 18
"""Latents that are dequantised together: it bounds the memory, and changes nothing."""


@cache
def _inverse_dct() -> NDArray[np.float64]:
    """Inverse of the integer cosine matrix, which is orthonormal to 2**-15 only."""
    return np.asarray(np.linalg.inv(DCT / DCT_UNIT), dtype=np.float64)


def dequantise(segment: Segment, mode: Mode) -> NDArray[np.float64]:
    """Latents of a segment at their reconstruction points, the means of what falls into each bin by context.

    Parameters
    ----------
    segment : Segment
        Quantised latents, and the context that each was coded in.
    mode : Mode
        Statistics of these contexts, with their reconstruction points.

    Returns
    -------
    ndarray of float64, shape (64, components, rows, columns)
        In steps.
    """
    latents = np.zeros(segment.quantised.shape)
    count = max(1, LATENTS_AT_ONCE // max(1, latents[0].size))
    # Some frequencies at a time, so that what is worked with is small. Most latents are zero, and stay so.
    for part in (slice(at, at + count) for at in range(0, len(latents), count)):
        levels, classes = segment.quantised[part], segment.classes[part]
        where = np.nonzero(levels)
        found = levels[where]
        latents[part][where] = np.copysign(mode.reconstruction_points(np.abs(found), classes[where]), found)
    return latents


def live_components(
    latents: NDArray[Any], chosen: NDArray[np.uint8] | None, matrices: tuple[Vectors, ...]
) -> NDArray[np.int64]:
    """Numbers of the components that need not be zero, before and after the inverse rotation.

    Parameters
    ----------
    latents : ndarray, shape (64, components, rows, columns)
        Levels or latents.
    chosen : ndarray of uint8, shape (rows, columns), or None
        Number of the matrix of each block; None if none was rotated.
    matrices : tuple of Vectors
        The matrices that blocks choose from.

    Returns
    -------
    ndarray of int64, shape (live components,)
        In rising order. All of those that are rotated are among them.
    """
    live = np.array(latents.any(axis=(0, 2, 3)))
    if chosen is not None:
        rotated = max((matrix.count for matrix in matrices), default=0)
        live[:rotated] = True
    return np.flatnonzero(live)


def inverse_rotation(
    latents: NDArray[np.float64], chosen: NDArray[np.uint8] | None, matrices: tuple[Vectors, ...]
) -> None:
    """Undo the rotation of the strongest components of each block, in place.

    Parameters
    ----------
    latents : ndarray of float64, shape (64, components, rows, columns)
        In any unit.
    chosen : ndarray of uint8, shape (rows, columns), or None
        Number of the matrix of each block; None if none was rotated.
    matrices : tuple of Vectors
        The matrices that blocks choose from.
    """
    if chosen is None:
        return
    for index, matrix in enumerate(matrices):
        members = chosen == index
        if members.any():
            inverse = np.linalg.inv(matrix.integers.T / BASIS_UNIT)
            top = latents[:, : matrix.count, members]
            latents[:, : matrix.count, members] = np.einsum("ij,cjb->cib", inverse, top)


def inverse_cosine_transform(latents: NDArray[np.float64], lines: int, samples: int) -> NDArray[np.float64]:
    """Component planes from the latents of their 8 x 8 blocks.

    Parameters
    ----------
    latents : ndarray of float64, shape (64, components, rows, columns)
        64 frequencies of each component in each block.
    lines, samples : int
        Extent of the planes; what the last blocks hold beyond it is dropped.

    Returns
    -------
    ndarray of float64, shape (components, lines, samples)
        In the unit of the latents.
    """
    _, components, rows, columns = latents.shape
    blocks = (_inverse_dct() @ latents.reshape(CHANNELS, -1)).reshape(BLOCK, BLOCK, components, rows, columns)
    planes = blocks.transpose(2, 3, 0, 4, 1).reshape(components, rows * BLOCK, columns * BLOCK)
    return planes[:, :lines, :samples]
