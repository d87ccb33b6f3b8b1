"""The block-adaptive spectral rotation: every block picks one of a few orthonormal matrices for its strongest components.

One basis for a whole scene is a compromise between water, roofs and fields. After the analysis each latent
position may therefore rotate the latents of its strongest components by one of a few small matrices; being
orthonormal, they change no error.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream import exact
from bandfold.bitstream.fold import BASIS_UNIT, FRACTION, Vectors

from .basis import quantise_vectors, vector_bits

LARGEST = 16
"""Components that are rotated at most: a matrix costs their number squared."""

CLASS_COUNTS = (16, 8, 4, 2)
"""Numbers of matrices that are tried."""

SIZES = (16, 8)
"""Numbers of rotated components that are tried."""

ROUNDS = 12
"""Rounds of assigning blocks and taking each class's own basis again."""

COST_SLOPE = 1.5
"""A latent of ``u`` steps costs about ``log2(1 + COST_SLOPE * |u|)`` bits."""

MAP_BITS = 0.6
"""Share of ``log2(classes)`` that a block's choice costs after coding: neighbours agree."""


def latent_cost(latents: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Approximate bits of latents, from element-wise operations only.

    Uses the float's exponent and a linear mantissa for the logarithm: within 0.09 bit of
    ``log2(1 + 1.5 |latent| / step)``, and the same bits on every machine.

    Parameters
    ----------
    latents : ndarray
        In units of ``1 / FRACTION`` of a count.
    step : float

    Returns
    -------
    ndarray
        Same shape.
    """
    value = np.abs(latents)
    value *= COST_SLOPE / (step * FRACTION)
    value += 1.0
    bits = value.astype(np.float32).view(np.int32)
    return bits * (1.0 / (1 << 23)) - 127.0


def find_rotations(latents: NDArray[np.float64], step: float, pixels: int) -> tuple[Vectors, ...]:
    """Find the matrices that pay for themselves, if any do.

    Parameters
    ----------
    latents : ndarray, shape (components, 64, blocks)
        Latents of a sample of blocks, strongest component first, in units of ``1 / FRACTION``.
    step : float
    pixels : int
        Pixels of the whole scene, which the sample stands for.

    Returns
    -------
    tuple of Vectors
        Square matrices; empty where rotating does not pay.
    """
    blocks = latents.shape[2]
    scale = pixels / (blocks * latents.shape[1])
    best: tuple[Vectors, ...] = ()
    best_gain = 0.0
    for size in SIZES:
        top = np.ascontiguousarray(latents[:size])
        if len(top) < 2:
            break
        plain = _block_costs(top, step)
        for count in CLASS_COUNTS:
            if blocks < 4 * count or (len(top) < size and size != min(SIZES)):
                continue
            matrices, cost = _alternate(top, step, pixels, count)
            if not matrices:
                continue
            side = sum(float(vector_bits(matrix).sum()) for matrix in matrices)
            side += MAP_BITS * float(exact.log2(np.array([len(matrices)]))[0]) * pixels / latents.shape[1]
            gain = (int(plain.sum()) - int(cost.sum())) / 256.0 * scale - side
            if gain > best_gain:
                best, best_gain = matrices, gain
    return best


def rotate(latents: NDArray[np.int32], matrices: tuple[Vectors, ...], step: float) -> NDArray[np.uint8]:
    """Choose a matrix for every block and rotate its strongest components, in place.

    Parameters
    ----------
    latents : ndarray of int32, shape (components, 64, rows, columns)
        Changed where the matrices apply.
    matrices : tuple of Vectors
        At least one.
    step : float

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        Index of the matrix of each block.
    """
    size = matrices[0].count
    _, channels, rows, columns = latents.shape
    flat = latents.reshape(len(latents), channels, rows * columns)
    top = flat[:size].astype(np.float64)
    chosen = _assign(top, matrices, step)[0]
    for index, matrix in enumerate(matrices):
        members = np.flatnonzero(chosen == index)
        if members.size:
            flat[:size, :, members] = _apply(matrix, top[:, :, members])
    return chosen.reshape(rows, columns).astype(np.uint8)


def _apply(matrix: Vectors, latents: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotate latents, shape (size, 64, blocks); exact: 2**30 * 2**16 * 4 < 2**49."""
    size = latents.shape[0]
    rotated = exact.integer_product(matrix.integers.T, latents.reshape(size, -1))
    rotated /= BASIS_UNIT
    np.rint(rotated, out=rotated)
    return rotated.reshape(latents.shape)


def _block_costs(latents: NDArray[np.float64], step: float) -> NDArray[np.int64]:
    """Cost of each block in 1/256 bit, shape (blocks,); integers, so that their sum has no order."""
    cost = np.rint(latent_cost(latents, step) * 256).astype(np.int64)
    return cost.reshape(-1, cost.shape[-1]).sum(axis=0)


def _assign(
    latents: NDArray[np.float64], matrices: tuple[Vectors, ...], step: float
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Cheapest matrix of each block (the first of equals) and its cost."""
    costs = np.stack([_block_costs(_apply(matrix, latents), step) for matrix in matrices])
    chosen = np.argmin(costs, axis=0)
    return chosen, np.take_along_axis(costs, chosen[None], axis=0)[0]


def _alternate(
    latents: NDArray[np.float64], step: float, pixels: int, count: int
) -> tuple[tuple[Vectors, ...], NDArray[np.int64]]:
    """Alternate between each class's own basis and each block's cheapest class."""
    chosen = _first_classes(latents, count)
    size, channels, blocks = latents.shape
    share = pixels / (channels * blocks)
    matrices: tuple[Vectors, ...] = ()
    cost = np.zeros(0, dtype=np.int64)
    for _ in range(ROUNDS):
        found = []
        for index in range(count):
            members = latents[:, :, chosen == index]
            if members.shape[2] == 0:
                continue
            values, vectors = exact.eigh(_second_moments(members))
            variances = values / (FRACTION * FRACTION)
            found.append(
                quantise_vectors(vectors, variances, step, round(members.shape[2] * channels * share))
            )
        matrices = tuple(found)
        chosen, cost = _assign(latents, matrices, step)
    used = np.unique(chosen)
    return tuple(matrices[index] for index in used), cost


def _second_moments(members: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean outer product of latents, shape (size, size), summed exactly: latents are cut to 22 bits first."""
    size = members.shape[0]
    flat = members.reshape(size, -1)
    peak = float(np.max(np.abs(flat), initial=1.0))
    unit = 2.0 ** max(0, int(np.frexp(peak)[1]) - 22)
    flat = np.rint(flat / unit)
    total = np.zeros((size, size))
    for start in range(0, flat.shape[1], 256):
        part = flat[:, start : start + 256]
        total += exact.integer_product(part, part.T)
    return total * (unit * unit / flat.shape[1])


def _first_classes(latents: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Seed the classes by k-means on the normalised second moments of each block.

    Farthest-first seeds and integer features: nothing depends on the order of a sum.
    """
    size, channels, blocks = latents.shape
    units = 64.0
    norm = np.sqrt(np.maximum((latents * latents).sum(axis=1).sum(axis=0), 1.0))
    features = np.empty((blocks, size * (size + 1) // 2))
    scaled = np.rint(latents / norm * 4096.0)
    position = 0
    for first in range(size):
        for other in range(first, size):
            features[:, position] = (scaled[first] * scaled[other]).sum(axis=0)
            position += 1
    features = np.rint(features * (units / 4096.0**2))
    seeds = [int(np.argmax((features * features).sum(axis=1)))]
    nearest = _distances(features, features[seeds[0]])
    while len(seeds) < count:
        seeds.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, _distances(features, features[seeds[-1]]))
    centres = features[seeds]
    chosen = np.zeros(blocks, dtype=np.intp)
    for _ in range(8):
        chosen = np.argmin(np.stack([_distances(features, centre) for centre in centres]), axis=0)
        for index in range(count):
            members = features[chosen == index]
            if len(members):
                centres[index] = np.rint(members.sum(axis=0) / len(members))
    return chosen


def _distances(features: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances of integer features: exact sums."""
    difference = features - centre
    return np.asarray((difference * difference).sum(axis=1))
