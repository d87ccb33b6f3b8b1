"""The cosine transform of blocks whose components lie side by side, as they do in averages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT, FREQUENCIES
from bandfold.common.kernels import compiled
from bandfold.common.scene import BLOCK, CHANNELS

_CHANNELS = np.argsort(FREQUENCIES @ (BLOCK, 1)).astype(np.int32)
"""Channel of each pair of frequencies, line by line."""


def _line_transform() -> NDArray[np.float32]:
    """Transform of a line of 8 pixels: channels of no vertical frequency, of a block of equal lines."""
    first = _CHANNELS[:BLOCK]
    lines = DCT[first].reshape(BLOCK, BLOCK, BLOCK).sum(axis=1) / (DCT_UNIT * np.sqrt(BLOCK))
    return np.ascontiguousarray(lines, dtype=np.float32)


_MATRIX = _line_transform()


def block_cosines(blocks: NDArray[np.float32]) -> None:
    """Turn blocks of pixels into latents, in place.

    The two-dimensional transform is done line by line and column by column; the integer matrix of the format
    is that of their products, rounded to 2**-15.

    Parameters
    ----------
    blocks : ndarray of float32, shape (blocks, 64, components)
        Pixels of each block, line by line; latents afterwards, in the order of channels.
    """
    _block_cosines(blocks, _MATRIX, _CHANNELS)


@compiled(
    "bf_block_cosines(blocks: out(float32[count, 64, components]), matrix: float32[8, 8],"
    " channels: int32[64], count: int64, components: int64)"
)
def _block_cosines(
    blocks: NDArray[np.float32], matrix: NDArray[np.float32], channels: NDArray[np.int32]
) -> None:
    count, _, components = blocks.shape
    lines = blocks.reshape(count, BLOCK, BLOCK, components)
    vertical, both = np.zeros_like(lines), np.zeros_like(lines)
    for line in range(BLOCK):
        vertical += matrix[:, line, None, None] * lines[:, line, None]
    for sample in range(BLOCK):
        both += matrix[:, sample, None] * vertical[:, :, sample, None]
    blocks[:, channels] = both.reshape(count, CHANNELS, components)
