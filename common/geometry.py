"""Blocks and strips: how a plane of pixels is cut."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

BLOCK = 8
"""Lines and samples of a block: one latent position."""

CHANNELS = BLOCK * BLOCK
"""Latents of a block."""

Scalar = TypeVar("Scalar", bound=np.generic)


def block_rows(length: int) -> int:
    """Blocks that cover `length` lines or samples."""
    return -(-length // BLOCK)


def pad_to_blocks(planes: NDArray[Scalar], block: int = BLOCK) -> NDArray[Scalar]:
    """Extend planes to whole blocks by mirroring, so that the seam has no edge that would cost bits.

    Parameters
    ----------
    planes : ndarray, shape (..., lines, samples)
    block : int
        Lines and samples of a block.

    Returns
    -------
    ndarray, shape (..., block * ceil(lines / block), block * ceil(samples / block))
        The planes themselves where nothing is missing.
    """
    lines, samples = planes.shape[-2:]
    if not lines % block and not samples % block:
        return planes
    return planes[..., mirrored(lines, block), :][..., mirrored(samples, block)]


def mirrored(length: int, block: int) -> NDArray[np.intp]:
    """Indices of a mirrored extension to whole blocks; short axes are mirrored more than once.

    Parameters
    ----------
    length, block : int

    Returns
    -------
    ndarray of int, shape (block * ceil(length / block),)
        0 to ``length - 1``.
    """
    index = np.arange(-(-length // block) * block)
    index %= 2 * length
    return np.where(index < length, index, 2 * length - 1 - index)


def strips(lines: int, height: int) -> list[slice]:
    """Cut `lines` lines into strips of `height`; the last one may be lower."""
    return [slice(start, min(start + height, lines)) for start in range(0, lines, height)]
