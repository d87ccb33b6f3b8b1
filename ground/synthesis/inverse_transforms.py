"""Dequantisation and the inverse transforms within blocks, in floating point: from levels to planes."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors
from bandfold.common.kernels import compiled
from bandfold.common.scene import BLOCK, CHANNELS


@cache
def _inverse_dct() -> NDArray[np.float64]:
    """Inverse of the integer cosine matrix, which is orthonormal to 2**-15 only."""
    return np.asarray(np.linalg.inv(DCT / DCT_UNIT), dtype=np.float64)


def dequantise(
    segment: Segment,
    mode: Mode,
    step: float = 1.0,
    components: NDArray[np.int64] | None = None,
    out: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Latents of a segment at their reconstruction points, the means of what falls into each bin by context.

    Parameters
    ----------
    segment : Segment
        Quantised latents, and the context that each was coded in.
    mode : Mode
        Statistics of these contexts, with their reconstruction points.
    step : float
        What a step is worth in the unit of the latents.
    components : ndarray of int64, shape (count,), optional
        Numbers of the components that are wanted; all by default.
    out : ndarray of float64, shape (64, count, rows, columns), optional
        Where latents are written.

    Returns
    -------
    ndarray of float64, shape (64, count, rows, columns)
        In that unit: `out` if it is given.
    """
    channels, every, rows, columns = segment.quantised.shape
    if components is None:
        components = np.arange(every)
    shape = (channels, len(components), rows, columns)
    latents = np.empty(shape) if out is None else out
    flat = (channels, every, rows * columns)
    _dequantise(
        np.ascontiguousarray(segment.quantised).reshape(flat),
        np.ascontiguousarray(segment.classes).reshape(flat),
        mode.points,
        components,
        step,
        latents.reshape(channels, len(components), rows * columns),
    )
    return latents


@compiled(
    "bf_dequantise(quantised: int32[64, components, positions], classes: uint8[64, components, positions],"
    " components: int64, positions: int64, points: float64[*, 3], live: int64[count], count: int64,"
    " step: float64, latents: out(float64[64, count, positions]))"
)
def _dequantise(
    quantised: NDArray[np.int32],
    classes: NDArray[np.uint8],
    points: NDArray[np.float64],
    live: NDArray[np.int64],
    step: float,
    latents: NDArray[np.float64],
) -> None:
    """Write latents of the live components."""
    latents[...] = 0.0
    # Some frequencies at a time, so that what is worked with is small. Most latents are zero, and stay so.
    for channel, out in enumerate(latents):
        levels = quantised[channel, live]
        where = np.nonzero(levels)
        found = levels[where]
        magnitudes = np.abs(found)
        below = points[classes[channel, live][where], np.minimum(magnitudes, points.shape[1]) - 1]
        out[where] = np.copysign(magnitudes - below, found) * step


def live_components(
    present: NDArray[np.bool_], chosen: NDArray[np.uint8] | None, matrices: tuple[Vectors, ...]
) -> NDArray[np.int64]:
    """Numbers of the components that need not be zero, before and after the inverse rotation.

    Parameters
    ----------
    present : ndarray of bool, shape (components,)
        Whether each has a latent that is not zero.
    chosen : ndarray of uint8, shape (rows, columns), or None
        Number of the matrix of each block; None if none was rotated.
    matrices : tuple of Vectors
        The matrices that blocks choose from.

    Returns
    -------
    ndarray of int64, shape (live components,)
        In rising order. All of those that are rotated are among them.
    """
    live = present.copy()
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
    if chosen is None or not matrices:
        return
    # One after the other, as they follow from each block's components: the same sums on every machine.
    turned = [np.linalg.inv(matrix.integers.T / BASIS_UNIT).T for matrix in matrices]
    inverses = np.array(turned, order="C")
    channels, components, rows, columns = latents.shape
    _unrotate(latents.reshape(channels, components, rows * columns), inverses, chosen.reshape(-1))


@compiled(
    "bf_unrotate(latents: out(float64[64, components, positions]), components: int64, positions: int64,"
    " inverses: float64[kinds, size, *], kinds: int64, size: int64, chosen: uint8[positions])"
)
def _unrotate(latents: NDArray[np.float64], inverses: NDArray[np.float64], chosen: NDArray[np.uint8]) -> None:
    """Multiply the first components of each block by the transpose of the matrix that it chose."""
    for index, inverse in enumerate(inverses):
        members = np.flatnonzero(chosen == index)
        top = latents[:, : len(inverse), members]
        turned = np.zeros_like(top)
        for row, x in zip(inverse, top.transpose(1, 0, 2), strict=True):
            turned += row[:, None] * x[:, None]
        latents[:, : len(inverse), members] = turned


def inverse_cosine_transform(
    latents: NDArray[np.float64],
    lines: int,
    samples: int,
    out: NDArray[np.float64] | None = None,
    spare: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Component planes from the latents of their 8 x 8 blocks.

    Parameters
    ----------
    latents : ndarray of float64, shape (64, components, rows, columns)
        64 frequencies of each component in each block.
    lines, samples : int
        Extent of the planes; what the last blocks hold beyond it is dropped.
    out : ndarray of float64, shape (components, lines, samples), optional
        Where planes are written.
    spare : ndarray of float64, shape (64, components, rows, columns), optional
        Memory to work in.

    Returns
    -------
    ndarray of float64, shape (components, lines, samples)
        In the unit of the latents: `out` if it is given.
    """
    blocks = np.empty(latents.shape) if spare is None else spare
    np.matmul(_inverse_dct(), latents.reshape(CHANNELS, -1), out=blocks.reshape(CHANNELS, -1))
    planes = np.empty((latents.shape[1], lines, samples)) if out is None else out
    _block_planes(blocks, planes)
    return planes


@compiled(
    "bf_block_planes(blocks: float64[64, components, rows, columns], components: int64, rows: int64,"
    " columns: int64, lines: int64, samples: int64, planes: out(float64[components, lines, samples]))"
)
def _block_planes(blocks: NDArray[np.float64], planes: NDArray[np.float64]) -> None:
    """Put the pixels of blocks beside each other."""
    _, components, rows, columns = blocks.shape
    pixels = blocks.reshape(BLOCK, BLOCK, components, rows, columns).transpose(2, 3, 0, 4, 1)
    whole = pixels.reshape(components, rows * BLOCK, columns * BLOCK)
    planes[...] = whole[:, : planes.shape[1], : planes.shape[2]]
