"""The fixed transform: an orthonormal 8 x 8 cosine transform, exact, at the speed of a matrix product."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT
from bandfold.common.errors import SceneError
from bandfold.common.exact import integer_product
from bandfold.common.scene import BLOCK, CHANNELS

LARGEST_LATENT = float(np.iinfo(np.int32).max)
"""Fewer than 4096 bands never reach this: ``2**22`` of a sample, ``2**3`` of a block, ``2**6`` of bands."""


def cosine_transform(planes: NDArray[np.float64]) -> NDArray[np.int32]:
    """Transform component planes block by block.

    Components stay below 2**30 (17-bit samples, 6 fractional bits, a norm over at most 2**14 bands), a
    block's sum below 2**47: exact.

    Parameters
    ----------
    planes : ndarray, shape (components, 8 * rows, 8 * columns)
        Integers held in float64, in units of ``1 / FRACTION`` of a count.

    Returns
    -------
    ndarray of int32, shape (components, 64, rows, columns)
        Latents in the same unit, channels in the order of `bandfold.bitstream.transforms.dct.FREQUENCIES`.

    Raises
    ------
    SceneError
        If a latent exceeds 32 bits, which takes thousands of bands.
    """
    count, lines, samples = planes.shape
    rows, columns = lines // BLOCK, samples // BLOCK
    latents = np.empty((count, CHANNELS, rows, columns), dtype=np.int32)
    # One component at a time bounds the memory of the rearranged copy.
    for plane, out in zip(planes, latents, strict=True):
        blocks = plane.reshape(rows, BLOCK, columns, BLOCK).transpose(1, 3, 0, 2).reshape(CHANNELS, -1)
        product = integer_product(DCT, blocks)
        product /= DCT_UNIT
        np.rint(product, out=product)
        if product.size and float(np.abs(product).max()) > LARGEST_LATENT:
            refuse_large_latents()
        out[:] = product.reshape(CHANNELS, rows, columns)
    return latents


def refuse_large_latents() -> NoReturn:
    """Say that a latent does not fit.

    Raises
    ------
    SceneError
        Always.
    """
    raise SceneError("a component exceeds 32 bits: cut the scene into parts of fewer than 4096 bands")
