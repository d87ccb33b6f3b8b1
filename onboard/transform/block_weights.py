"""Weights of blocks, so that what lies in regions of interest is coded more finely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.coding_weights import LARGEST_CODE, PER_OCTAVE, weights_of
from bandfold.common.errors import SettingsError
from bandfold.common.scene import BLOCK, CHANNELS, block_rows

DECIBELS_PER_OCTAVE = 6.020599913279624
"""``20 * log10(2)``."""


def block_codes(regions: Sequence[tuple[NDArray[Any], float]], lines: int, samples: int) -> NDArray[np.uint8]:
    """Codes of the weights of the blocks of a scene.

    Parameters
    ----------
    regions : sequence of (ndarray, float)
        Masks of shape (lines, samples), true in the region, and by how many dB the step is finer there;
        below 0 coarser. A block belongs to a region that is to be better if a pixel of it does, to one that
        may be worse if all of them do. Where regions overlap, gains are added.
    lines, samples : int
        Of the scene.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        The best blocks have the code 0, those below the smallest weight that can be told are cut to it.

    Raises
    ------
    SettingsError
        If a mask has another shape than the scene, or a gain is not finite.
    """
    rows, columns = block_rows(lines), block_rows(samples)
    octaves = np.zeros((rows, columns))
    for mask, gain in regions:
        if mask.shape != (lines, samples):
            raise SettingsError(
                f"a mask of shape {mask.shape} does not fit the {lines} lines and {samples} samples of the "
                "scene: give one of that shape"
            )
        if not math.isfinite(gain):
            raise SettingsError(f"gain {gain} of a region is out of range: give a finite number of dB")
        padded = np.full((rows * BLOCK, columns * BLOCK), gain < 0)
        padded[:lines, :samples] = mask.astype(bool)
        pixels = padded.reshape(rows, BLOCK, columns, BLOCK).sum(axis=(1, 3))
        inside = pixels == CHANNELS if gain < 0 else pixels > 0
        octaves += np.where(inside, gain / DECIBELS_PER_OCTAVE, 0.0)
    codes = np.rint((octaves.max() - octaves) * PER_OCTAVE)
    return np.asarray(np.minimum(codes, LARGEST_CODE), dtype=np.uint8)


def weigh_blocks(latents: NDArray[np.int32], codes: NDArray[np.uint8]) -> None:
    """Multiply latents by the weights of their blocks, in place.

    Parameters
    ----------
    latents : ndarray of int32, shape (components, 64, rows, columns)
        Rounded to integers again.
    codes : ndarray of uint8, shape (rows, columns)
        From `block_codes`.
    """
    weights = weights_of(codes)
    # One component at a time bounds the memory of float64.
    for component in latents:
        component[:] = np.rint(component * weights)
