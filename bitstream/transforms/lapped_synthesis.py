"""What the levels of a predicted band add to its prediction: overlapping basis functions, in integers.

Each level stands for a basis function of 24 x 24 samples around its block of 8 x 8. They are even or odd in
lines and in samples, so that what reaches beyond the edge of a strip is folded back as if the strip were
mirrored there (a lapped transform; Malvar, Signal Processing with Lapped Transforms, 1992).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import compiled
from bandfold.common.scene import BLOCK, CHANNELS

from .band_prediction import FARTHEST
from .dct import FREQUENCIES

SUPPORT = 24
"""Lines and samples of a basis function."""

KERNEL_UNIT = 1 << 14
"""Basis functions are integers in units of ``1 / KERNEL_UNIT``."""

POINT_UNIT = 256
"""Reconstruction points are integers in units of ``1 / POINT_UNIT`` of a step."""

STEP_SCALE = 2.0**-26
"""From points times basis functions times the code of the step (1/256 count) to 1/16 count."""

FARTHEST_SUM = 1e9
"""What levels add to a sample is cut here, in units of 1/16 count."""


def is_symmetric(kernels: NDArray[np.integer]) -> bool:
    """Whether basis functions are even or odd as the frequencies of their channels are.

    Parameters
    ----------
    kernels : ndarray of integers, shape (64, 24, 24)
        Basis functions, channels as in `bandfold.bitstream.transforms.dct`.

    Returns
    -------
    bool
    """
    signs = 1 - 2 * (FREQUENCIES % 2)
    down = kernels[:, ::-1] * signs[:, 0, None, None]
    across = kernels[:, :, ::-1] * signs[:, 1, None, None]
    return bool((down == kernels).all() and (across == kernels).all())


def reconstruct(
    prediction: NDArray[np.int32],
    levels: NDArray[np.int32],
    classes: NDArray[np.uint8],
    points: NDArray[np.int32],
    kernels: NDArray[np.int32],
    step_code: int,
    sums: NDArray[np.float64],
    plane: NDArray[np.int32],
) -> None:
    """Add what levels stand for to the prediction of a band.

    Parameters
    ----------
    prediction : ndarray of int32, shape (8 * rows, 8 * columns)
        In units of 1/16 count.
    levels : ndarray of int32, shape (64, rows, columns)
        Channels may lie apart in memory.
    classes : ndarray of uint8, same shape
        Contexts in which they are coded.
    points : ndarray of int32, shape (classes, 3)
        How far the reconstruction points of magnitudes 1, 2, 3... lie below them, in 1/256 step.
    kernels : ndarray of int32, shape (64, 24, 24)
        Basis functions, in units of ``1 / KERNEL_UNIT``.
    step_code : int
        Step in units of 1/256 of a count.
    sums : ndarray of float64, shape (8 * rows + 16, 8 * columns + 16)
        Memory to work in.
    plane : ndarray of int32, shape (8 * rows, 8 * columns)
        Written, in units of 1/16 count.
    """
    _reconstruct(prediction, levels, classes, points, kernels, step_code * STEP_SCALE, sums, plane)


@compiled(
    "bf_reconstruct(prediction: int32[8 * rows, 8 * columns], levels: int32[64:stride, rows, columns],"
    " classes: uint8[64:stride, rows, columns], stride: int64, rows: int32, columns: int32,"
    " points: int32[*, 3], kernels: int32[64, 24, 24], scale: float64,"
    " sums: out(float64[8 * rows + 16, 8 * columns + 16]), plane: out(int32[8 * rows, 8 * columns]))"
)
def _reconstruct(
    prediction: NDArray[np.int32],
    levels: NDArray[np.int32],
    classes: NDArray[np.uint8],
    points: NDArray[np.int32],
    kernels: NDArray[np.int32],
    scale: float,
    sums: NDArray[np.float64],
    plane: NDArray[np.int32],
) -> None:
    rows, columns = levels.shape[1:]
    magnitudes = np.abs(levels.astype(np.float64))
    below = points[classes, np.clip(magnitudes - 1, 0, 2).astype(np.intp)]
    values = np.where(levels == 0, 0.0, np.copysign(magnitudes * POINT_UNIT - below, levels))
    # All that a block touches: 3 x 3 blocks.
    patches = (kernels.reshape(CHANNELS, -1).T.astype(np.float64) @ values.reshape(CHANNELS, -1)).reshape(
        SUPPORT // BLOCK, BLOCK, SUPPORT // BLOCK, BLOCK, rows, columns
    )
    sums[:] = 0.0
    blocks = sums.reshape(rows + 2, BLOCK, columns + 2, BLOCK)
    for down in range(SUPPORT // BLOCK):
        for across in range(SUPPORT // BLOCK):
            part = patches[down, :, across].transpose(2, 0, 3, 1)
            blocks[down : down + rows, :, across : across + columns] += part
    whole = sums
    # Beyond the edges lies the mirror image.
    whole[BLOCK : 2 * BLOCK] += whole[BLOCK - 1 :: -1]
    whole[-2 * BLOCK : -BLOCK] += whole[: -BLOCK - 1 : -1]
    whole[:, BLOCK : 2 * BLOCK] += whole[:, BLOCK - 1 :: -1]
    whole[:, -2 * BLOCK : -BLOCK] += whole[:, : -BLOCK - 1 : -1]
    added = np.rint(np.clip(whole[BLOCK:-BLOCK, BLOCK:-BLOCK] * scale, -FARTHEST_SUM, FARTHEST_SUM))
    plane[:] = np.clip(prediction + added, -FARTHEST, FARTHEST)
