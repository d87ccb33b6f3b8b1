"""What prediction leaves of a band, as the 8-bit integers that the network takes, and the latents from it.

The network sees samples in fractions of a step, which are small where bands are predicted well. What exceeds
8 bits is cut, and dealt with in a further pass over what is then left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.transforms.band_prediction import SAMPLE_UNIT
from bandfold.common.kernels import compiled
from bandfold.common.scene import BLOCK

INPUT_UNIT = 8
"""Samples go into the network in units of ``1 / INPUT_UNIT`` of a step."""

LARGEST_INPUT = 127
"""Magnitude of an 8-bit integer; -128 is not used."""


def network_scale(step_code: int) -> float:
    """Integers of the network in 1/16 count, at a step in units of ``1 / STEP_UNIT`` of a count."""
    return INPUT_UNIT * STEP_UNIT / (SAMPLE_UNIT * step_code)


@compiled(
    "bf_innovations(target: int32[height, width], prediction: int32[height, width],"
    " rows: int32 = height // 8, columns: int32 = width // 8, scale: float64,"
    " inputs: out(int8[height // 8 + 2, width // 8 + 2, 64])) -> int64"
)
def innovations(
    target: NDArray[np.int32], prediction: NDArray[np.int32], scale: float, inputs: NDArray[np.int8]
) -> int:
    """What is left of a band.

    Parameters
    ----------
    target : ndarray of int32, shape (8 * rows, 8 * columns)
        Counts of the band.
    prediction : ndarray of int32, same shape
        In units of 1/16 count.
    scale : float
        Integers of the network in 1/16 count.
    inputs : ndarray of int8, shape (rows + 2, columns + 2, 64)
        Written: the samples of each block in the order of lines, then samples. The outer blocks are mirror
        images of those beside them.

    Returns
    -------
    int
        Samples that are out of range.
    """
    units = np.rint((target * SAMPLE_UNIT - prediction).astype(np.float64) * scale)
    held = np.clip(units, -LARGEST_INPUT, LARGEST_INPUT)
    around = np.pad(held.astype(np.int8), BLOCK, mode="symmetric")
    rows, columns = inputs.shape[:2]
    blocks = around.reshape(rows, BLOCK, columns, BLOCK)
    inputs[:] = blocks.transpose(0, 2, 1, 3).reshape(inputs.shape)
    return int(np.count_nonzero(held != units))


def add_latents(
    outputs: NDArray[np.int8], units: NDArray[np.int32], shift: int, latents: NDArray[np.int32]
) -> int:
    """Add what the network gave to latents.

    Parameters
    ----------
    outputs : ndarray of int8, shape (rows + 2, columns + 2, 64)
        Of the network; the outer blocks are left out.
    units : ndarray of int32, shape (64,)
        Unit of each channel.
    shift : int
        Logarithm of the unit of what the network was shown.
    latents : ndarray of int32, shape (64, rows, columns)
        Written.

    Returns
    -------
    int
        Latents that are at the end of their range.
    """
    inside = outputs[1:-1, 1:-1].transpose(2, 0, 1).astype(np.int64)
    # 2**13 of a latent and its unit, and shifts beyond 17 where networks saturate again and again.
    limit = np.iinfo(np.int32).max
    latents[...] = np.clip(latents + (inside * units[:, None, None] << shift), -limit, limit)
    return int(np.count_nonzero((inside == LARGEST_INPUT) | (inside == -LARGEST_INPUT - 1)))


@compiled(
    "bf_squared_error(plane: int32[*, width], target: int32[*, width], width: int32, lines: int32,"
    " samples: int32, low: int32, high: int32) -> int64"
)
def squared_error(
    plane: NDArray[np.int32], target: NDArray[np.int32], lines: int, samples: int, low: int, high: int
) -> int:
    """Squared error of a band as it will be decoded.

    Parameters
    ----------
    plane : ndarray of int32, shape (8 * rows, 8 * columns)
        Reconstructed, in units of 1/16 count.
    target : ndarray of int32, same shape
        Counts.
    lines, samples : int
        Extent of the strip, without what fills the last blocks.
    low, high : int
        Range of the counts.

    Returns
    -------
    int
        Sum, in counts squared.
    """
    counts = np.clip((plane + SAMPLE_UNIT // 2) // SAMPLE_UNIT, low, high)
    error = (counts - target)[:lines, :samples].astype(np.int64)
    return int((error * error).sum())


def without_error(
    plane: NDArray[np.int32], target: NDArray[np.int32], mask: NDArray[np.bool_], low: int, high: int
) -> NDArray[np.int32]:
    """Counts of a band that are as decoded where they do not count: these have no error.

    Parameters
    ----------
    plane, target : ndarray of int32, shape (8 * rows, 8 * columns)
        As for `squared_error`.
    mask : ndarray of bool, shape (lines, samples)
        Samples that do not count.
    low, high : int
        Range of the counts.

    Returns
    -------
    ndarray of int32, shape (8 * rows, 8 * columns)
    """
    found = target.copy()
    inside = np.s_[: mask.shape[0], : mask.shape[1]]
    decoded = np.clip((plane[inside] + SAMPLE_UNIT // 2) // SAMPLE_UNIT, low, high)
    found[inside] = np.where(mask, decoded, found[inside])
    return found
