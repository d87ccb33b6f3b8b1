"""The block-adaptive spectral rotation: every block picks one of a few orthonormal matrices.

One basis for a whole scene is a compromise between water, roofs and fields. After the analysis each latent
position may therefore rotate the latents of its strongest components by one of a few small matrices; being
orthonormal, they change no error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors
from bandfold.common import exact
from bandfold.common.kernels import compiled
from bandfold.common.scene import CHANNELS
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.rate_model import BITS_UNIT, bits_scale, latent_bits

from .analysis import LARGEST_LATENT, refuse_large_latents

KERNEL_LANES, KERNEL_MOST = 8, 64
"""Kernels rotate a multiple of so many components, and so many at most."""

CHANNELS_TRIED = {16: CHANNELS, 32: 15, KERNEL_MOST: 6}
"""Latents of a component by which blocks choose among matrices of up to so many components: all, those of the
first five diagonals, where most of the difference is, or those of the first three."""

BLOCKS_AT_ONCE = 128
"""Blocks for which matrices are chosen together: it bounds the memory of their latents in float64."""


def rotate(
    latents: NDArray[np.int32], matrices: tuple[Vectors, ...], step: float, workers: Workers = ALONE
) -> NDArray[np.uint8]:
    """Choose a matrix for every block and rotate its strongest components, in place.

    Parameters
    ----------
    latents : ndarray of int32, shape (components, 64, rows, columns)
        Changed where the matrices apply.
    matrices : tuple of Vectors
        At least one.
    step : float
        Quantiser step in counts, for which matrices are chosen.
    workers : Workers
        Which share the blocks.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        Index of the matrix of each block.
    """
    size = matrices[0].count
    _, channels, rows, columns = latents.shape
    flat = latents.reshape(len(latents), channels, rows * columns)
    integers = stacked(matrices)
    tried_channels = next(channels for most, channels in CHANNELS_TRIED.items() if size <= most)
    chosen = np.empty(rows * columns, dtype=np.uint8)

    def choose(start: int) -> None:
        some = slice(start, start + BLOCKS_AT_ONCE)
        tried = flat[:size, :tried_channels, some].astype(np.float64)
        chosen[some] = np.argmin(rotated_costs(tried, integers, step), axis=0)

    for _ in workers.map(choose, range(0, len(chosen), BLOCKS_AT_ONCE)):
        pass
    rotate_blocks(flat[:size], integers, chosen)
    return chosen.reshape(rows, columns)


def _whole_registers(latents: NDArray[np.generic], **_: object) -> bool:
    """Whether C rotates so many components."""
    return len(latents) % KERNEL_LANES == 0 and len(latents) <= KERNEL_MOST


@compiled(
    "bf_rotate(latents: out(int32[size, 64, blocks]), size: int32, blocks: int64,"
    " matrices: float64[*, size, size], chosen: uint8[blocks]) -> int32",
    when=_whole_registers,
)
def _rotate_blocks(
    latents: NDArray[np.int32], matrices: NDArray[np.float64], chosen: NDArray[np.uint8]
) -> int:
    """Rotate; returns 1 if a latent exceeds 32 bits."""
    failed = 0
    for index, matrix in enumerate(matrices):
        members = np.flatnonzero(chosen == index)
        if members.size:
            rotated = _apply(matrix, latents[:, :, members].astype(np.float64))
            out = np.abs(rotated) > LARGEST_LATENT
            failed |= int(out.any())
            latents[:, :, members] = np.where(out, 0.0, rotated)
    return failed


def rotate_blocks(
    latents: NDArray[np.int32], matrices: NDArray[np.float64], chosen: NDArray[np.uint8]
) -> None:
    """Rotate each block by the matrix that was chosen for it, in place.

    Parameters
    ----------
    latents : ndarray of int32, shape (size, 64, blocks)
        Latents of the strongest components, in units of ``1 / FRACTION`` of a count.
    matrices : ndarray of float64, shape (matrices, size, size)
        Integers in units of ``1 / BASIS_UNIT``.
    chosen : ndarray of uint8, shape (blocks,)
        Number of the matrix of each block.

    Raises
    ------
    SceneError
        If a latent exceeds 32 bits then, which takes thousands of bands.
    """
    size = len(latents)
    filled = _filled_up(latents, 0)
    if _rotate_blocks(filled, _filled_up(matrices, 1, 2), chosen):
        refuse_large_latents()
    if filled is not latents:
        latents[...] = filled[:size]


def _filled_up(array: NDArray[Any], *axes: int) -> NDArray[Any]:
    """Zeros behind the components, which cost nothing, to the next number that kernels rotate."""
    more = -array.shape[axes[0]] % KERNEL_LANES
    return np.pad(array, [(0, more if axis in axes else 0) for axis in range(array.ndim)]) if more else array


def block_costs(latents: NDArray[np.float64], step: float) -> NDArray[np.int64]:
    """What blocks cost as they are.

    Parameters
    ----------
    latents : ndarray of float64, shape (components, channels, blocks)
        In units of ``1 / FRACTION`` of a count.
    step : float
        Quantiser step in counts.

    Returns
    -------
    ndarray of int64, shape (blocks,)
        In ``1 / BITS_UNIT`` bit.
    """
    costs = np.empty((1, latents.shape[2]), dtype=np.int64)
    _rotation_costs(_filled_up(latents, 0), None, bits_scale(step), costs)
    whole: NDArray[np.int64] = costs[0]
    return whole


def rotated_costs(
    latents: NDArray[np.float64], integers: NDArray[np.float64], step: float, workers: Workers = ALONE
) -> NDArray[np.int64]:
    """What blocks cost under each matrix.

    Parameters
    ----------
    latents : ndarray of float64, shape (size, channels, blocks)
        In units of ``1 / FRACTION`` of a count.
    integers : ndarray of float64, shape (matrices, size, size)
        Matrices, in units of ``1 / BASIS_UNIT``.
    step : float
        Quantiser step in counts.
    workers : Workers
        Which share the matrices.

    Returns
    -------
    ndarray of int64, shape (matrices, blocks)
        In ``1 / BITS_UNIT`` bit.
    """
    costs = np.empty((len(integers), latents.shape[2]), dtype=np.int64)
    scale = bits_scale(step)
    latents, integers = _filled_up(latents, 0), _filled_up(integers, 1, 2)
    shares = np.array_split(np.arange(len(integers)), min(workers.threads, len(integers)))
    parts = [slice(share[0], share[-1] + 1) for share in shares]
    for _ in workers.map(lambda part: _rotation_costs(latents, integers[part], scale, costs[part]), parts):
        pass
    return costs


@compiled(
    "bf_rotation_costs(latents: float64[size, channels, blocks], size: int32, channels: int32, blocks: int64,"
    " matrices: float64[count, size, size] | None, count: int32, scale: float32,"
    " costs: out(int64[count, blocks]))",
    when=_whole_registers,
)
def _rotation_costs(
    latents: NDArray[np.float64],
    matrices: NDArray[np.float64] | None,
    scale: float,
    costs: NDArray[np.int64],
) -> None:
    """Cost of each block once each matrix has rotated it, or as it is: integers, whose sum has no order."""
    for place, total in enumerate(costs):
        cost = latent_bits(latents if matrices is None else _apply(matrices[place], latents), scale)
        cost *= np.float32(BITS_UNIT)
        np.rint(cost, out=cost)
        total[:] = cost.astype(np.int64).reshape(-1, cost.shape[-1]).sum(axis=0)


def stacked(matrices: tuple[Vectors, ...]) -> NDArray[np.float64]:
    """Integers of all matrices in units of ``1 / BASIS_UNIT``: shape (matrices, size, size)."""
    return np.stack([matrix.integers for matrix in matrices])


def _apply(integers: NDArray[np.float64], latents: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotate latents, shape (size, 64, blocks); exact: 2**30 * 2**16 * 4 < 2**49."""
    size = latents.shape[0]
    rotated = exact.integer_product(integers.T, latents.reshape(size, -1))
    rotated /= BASIS_UNIT
    np.rint(rotated, out=rotated)
    return rotated.reshape(latents.shape)
