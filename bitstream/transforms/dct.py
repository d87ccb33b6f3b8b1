"""The fixed spatial transform: an orthonormal 8 x 8 cosine transform in integers, its channels in order."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import BLOCK, CHANNELS

DCT_UNIT = 16384.0
"""Entries of `DCT` are in units of ``1 / DCT_UNIT``."""


def _channel_order() -> NDArray[np.intp]:
    """Frequencies (i, j) by rising i + j, then by rising i: shape (64, 2)."""
    pairs = [(i, j) for i in range(BLOCK) for j in range(BLOCK)]
    return np.array(sorted(pairs, key=lambda pair: (pair[0] + pair[1], pair[0])), dtype=np.intp)


def _matrix() -> NDArray[np.float64]:
    line: NDArray[np.float64] = np.array(
        [
            [
                math.cos(math.pi * (2 * x + 1) * k / (2 * BLOCK)) * math.sqrt((1 if k == 0 else 2) / BLOCK)
                for x in range(BLOCK)
            ]
            for k in range(BLOCK)
        ]
    )
    vertical, horizontal = FREQUENCIES.T
    square = line[vertical][:, :, None] * line[horizontal][:, None, :]
    return np.asarray(np.rint(square.reshape(CHANNELS, BLOCK * BLOCK) * DCT_UNIT), dtype=np.float64)


FREQUENCIES = _channel_order()
"""Vertical and horizontal frequency of each channel, shape (64, 2)."""

DIAGONAL = FREQUENCIES.sum(axis=1)
"""i + j of each channel: channels are coded in this order."""

DCT = _matrix()
"""Integer matrix, shape (64 channels, 64 pixels of a block in raster order)."""
DCT.flags.writeable = False
