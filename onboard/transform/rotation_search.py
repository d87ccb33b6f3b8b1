"""Search for the matrices of the block-adaptive rotation: classes of blocks that resemble each other.

Sampled blocks are sorted into classes, each of which takes the basis of its own blocks; matrices stay that
save more than they cost, of the size that pays best.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors
from bandfold.common import exact
from bandfold.common.scene import CHANNELS
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.rate_model import BITS_UNIT, rotation_map_bits, vector_bits
from bandfold.onboard.vector_quantisation import find_row_shifts, quantise_vectors

from .rotation import block_costs, rotate, rotated_costs, stacked

SIZES = (32, 24, 16, 8)
"""Numbers of strongest components that are tried: a matrix costs their number squared."""

SEARCHED = 16
"""Components at most by which sampled blocks are sorted into classes, whatever the size of matrices."""

LARGER_SIZES = (48, 64)
"""Sizes that are looked at where matrices of the largest of those are kept for so many classes: ..."""

NEARLY_ALL = 0.75
"""... most others do not pay for more than that, and looking takes time."""

HELD_OUT = 4
"""Where the sample stands for more blocks, those are compared on one block in so many, by matrices made of
all others: on blocks that they were made of, larger ones save up to a fifth more than on others."""

SMALLEST_SIZE = 3
"""Scenes of fewer components are not rotated. Below eight, rotations still save a tenth of the bytes."""

MOST_CLASSES = 16
"""Matrices at most, before those that do not pay are dropped."""

ALL_PAY = 0.9
"""Share of them that must pay before twice as many are looked for."""

BLOCKS_PER_CLASS = 8
"""Sampled blocks that a class has at least, on average."""

ROUNDS = 6
"""Rounds of assigning blocks and taking each class's own basis again."""

SAVED = 2.0
"""Bits that coded scenes save, and squared error at what it is worth in bits, for each that is estimated."""

MOMENT_BITS = 22
"""Bits of latents in second moments: their products stay below 2**44 ..."""

MOMENT_CHUNK = 256
"""... and sums of so many of them below 2**52."""

FEATURE_UNIT = 4096.0
"""Unit of a block's latents when it is classified for the first time."""

SEED_ROUNDS = 8
"""Rounds of k-means."""


def find_rotations(
    latents: NDArray[np.int32],
    step: float,
    pixels: int,
    workers: Workers = ALONE,
    *,
    again: bool = False,
    doubled: bool = False,
) -> tuple[Vectors, ...]:
    """Find the matrices that pay for themselves, if any do.

    Parameters
    ----------
    latents : ndarray of int32, shape (components, 64, blocks)
        Latents of a sample of blocks, strongest component first, in units of ``1 / FRACTION``, of as many
        components as may be rotated.
    step : float
        Quantiser step in counts.
    pixels : int
        Pixels of the whole scene, which the sample stands for.
    workers : Workers
        Which share the matrices.
    again : bool
        Whether to make matrices again of the blocks that take them where many were dropped.
    doubled : bool
        Whether to look for twice as many where nearly all pay.

    Returns
    -------
    tuple of Vectors
        Square matrices; empty where rotating does not pay.
    """
    classes = min(MOST_CLASSES, latents.shape[2] // BLOCKS_PER_CLASS)
    strongest = latents[: SIZES[0]].astype(np.float64)
    best, gain, taken = _find_classes(strongest, step, pixels, classes, workers, again=again)
    if doubled and len(best) >= ALL_PAY * MOST_CLASSES and latents.shape[2] >= 2 * classes * BLOCKS_PER_CLASS:
        more, more_gain, more_taken = _find_classes(
            strongest, step, pixels, 2 * classes, workers, again=again
        )
        if more_gain > gain:
            best, taken, classes = more, more_taken, 2 * classes
    del strongest
    if len(latents) <= SIZES[0] or len(best) < max(NEARLY_ALL * classes, 1) or best[0].count < SIZES[0]:
        return best
    size = _largest_worthwhile(latents, taken, step, pixels, workers)
    return best if size == best[0].count else _told(latents[:size], taken, step, pixels, workers)


def _find_classes(
    latents: NDArray[np.float64], step: float, pixels: int, classes: int, workers: Workers, *, again: bool
) -> tuple[tuple[Vectors, ...], float, NDArray[np.intp]]:
    """Sort sampled blocks into classes: matrices that pay, what they save, and which each block takes."""
    best: tuple[Vectors, ...] = ()
    best_gain = 0.0
    chosen, searched = np.zeros(0, dtype=np.intp), 0
    taken = chosen
    for size in dict.fromkeys(min(size, len(latents)) for size in SIZES) if classes > 1 else ():
        # Smaller matrices are for scenes that cannot afford many of the larger ones.
        if size < SMALLEST_SIZE or len(best) > classes // 2:
            break
        if searched != min(size, SEARCHED):
            searched = min(size, SEARCHED)
            chosen = _alternate(np.ascontiguousarray(latents[:searched]), step, classes, workers)
        found = _paying(latents[:size], chosen, step, pixels, workers)
        if found[1] > best_gain:
            best, best_gain, taken = found
    if again and 0 < len(best) < NEARLY_ALL * classes:
        # The many blocks whose matrices were dropped have a say in those that they take.
        found = _paying(latents[: best[0].count], taken, step, pixels, workers)
        if found[1] > best_gain:
            return found
    return best, best_gain, taken


def _paying(
    latents: NDArray[np.float64], chosen: NDArray[np.intp], step: float, pixels: int, workers: Workers
) -> tuple[tuple[Vectors, ...], float, NDArray[np.intp]]:
    """Matrices of classes of blocks that pay, what they save, and which each block takes."""
    latents = np.ascontiguousarray(latents)
    matrices = _told(latents, chosen, step, pixels, workers)
    matrices, costs = _prune(matrices, rotated_costs(latents, stacked(matrices), step, workers), pixels)
    saved = int(block_costs(latents, step).sum() - costs.min(axis=0).sum())
    return matrices, _gain(matrices, saved, latents.shape[2], pixels), np.argmin(costs, axis=0)


def _largest_worthwhile(
    latents: NDArray[np.int32], taken: NDArray[np.intp], step: float, pixels: int, workers: Workers
) -> int:
    """The size, of `SIZES[0]` and larger ones, of which matrices save most on blocks that take them."""
    held = slice(None)
    if pixels > len(taken) * CHANNELS:
        held, taken = slice(HELD_OUT - 1, None, HELD_OUT), taken.copy()
        taken[held] = -1
    best, best_gain = 0, -math.inf
    for size in dict.fromkeys(min(size, len(latents)) for size in (SIZES[0], *LARGER_SIZES)):
        matrices = _told(latents[:size], taken, step, pixels, workers)
        judged = np.array(latents[:size, :, held], dtype=np.int32, order="C")
        cost = int(block_costs(judged.astype(np.float64), step).sum())
        rotate(judged[..., None], matrices, step, workers)
        saved = cost - int(block_costs(judged.astype(np.float64), step).sum())
        gain = _gain(matrices, saved, judged.shape[2], pixels)
        if gain <= best_gain:
            break
        best, best_gain = size, gain
    return best


def _told(
    latents: NDArray[Any], chosen: NDArray[np.intp], step: float, pixels: int, workers: Workers
) -> tuple[Vectors, ...]:
    """Bases of all classes as a stream tells them."""
    share = pixels / int(np.count_nonzero(chosen >= 0))
    values, vectors, counts = _bases(latents, chosen, workers)
    variances = values / (FRACTION * FRACTION)
    shifts = find_row_shifts(variances, vectors, step, pixels)  # type: ignore[arg-type]
    return tuple(
        quantise_vectors(turned, spread, step, round(int(count) * share), shifts)
        for spread, turned, count in zip(variances, vectors, counts, strict=True)
    )


def _gain(matrices: tuple[Vectors, ...], saved: int, blocks: int, pixels: int) -> float:
    """Bits that matrices save on the whole scene beyond their own, if they save so much on sampled blocks."""
    vectors = math.fsum(map(_matrix_bits, matrices))
    spent = vectors + rotation_map_bits(len(matrices), pixels)
    return SAVED * saved / BITS_UNIT * pixels / (blocks * CHANNELS) - spent


def _prune(
    matrices: tuple[Vectors, ...], costs: NDArray[np.int64], pixels: int
) -> tuple[tuple[Vectors, ...], NDArray[np.int64]]:
    """Drop, one after the other, matrices that save less than they cost."""
    keep = list(range(len(matrices)))
    scale = SAVED * pixels / (costs.shape[1] * CHANNELS * BITS_UNIT)
    while len(keep) > 1:
        cheapest = int(costs[keep].min(axis=0).sum())
        saved = [
            (int(costs[[other for other in keep if other != one]].min(axis=0).sum()) - cheapest) * scale
            - _matrix_bits(matrices[one])
            for one in keep
        ]
        if min(saved) > 0:
            break
        keep.pop(int(np.argmin(saved)))
    return tuple(matrices[index] for index in keep), costs[keep]


def _matrix_bits(matrix: Vectors) -> float:
    return math.fsum(vector_bits(matrix).tolist())


def _alternate(latents: NDArray[np.float64], step: float, classes: int, workers: Workers) -> NDArray[np.intp]:
    """Alternate between each class's own basis and each block's cheapest class; returns the class of each."""
    chosen = _first_classes(latents, classes, workers)
    for _ in range(ROUNDS - 1):
        integers = np.rint(_bases(latents, chosen, workers)[1] * BASIS_UNIT)
        chosen = np.argmin(rotated_costs(latents, integers, step, workers), axis=0)
    return chosen


def _bases(
    latents: NDArray[Any], chosen: NDArray[np.intp], workers: Workers
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Variances and vectors of the bases of all classes that have blocks, and how many those are.

    Blocks of class -1 are left out.
    """
    sizes = np.bincount(chosen[chosen >= 0])
    used = np.flatnonzero(sizes)
    moments = np.empty((len(used), len(latents), len(latents)))

    def sum_some(first: int) -> None:
        # Each thread has as many large classes as another, about.
        for place in range(first, len(used), workers.threads):
            moments[place] = _second_moments(latents[:, :, chosen == used[place]])

    for _ in workers.map(sum_some, range(workers.threads)):
        pass
    return (*exact.eigh(moments), sizes[used])


def _second_moments(members: NDArray[Any]) -> NDArray[np.float64]:
    """Mean outer product of latents, shape (size, size), summed exactly: latents are cut to 22 bits first."""
    flat = members.reshape(members.shape[0], -1)
    peak = float(np.max(np.abs(flat), initial=1.0))
    unit = 2.0 ** max(0, int(np.frexp(peak)[1]) - MOMENT_BITS)
    flat = np.rint(flat / unit)
    total = np.zeros((len(flat), len(flat)))
    for start in range(0, flat.shape[1], MOMENT_CHUNK):
        part = flat[:, start : start + MOMENT_CHUNK]
        total += exact.integer_product(part, part.T)
    return total * (unit * unit / flat.shape[1])


def _first_classes(latents: NDArray[np.float64], classes: int, workers: Workers) -> NDArray[np.intp]:
    """Seed the classes by k-means on the normalised second moments of each block.

    The seeds are blocks spread evenly over an order by their first component's share, and all features are
    integers: nothing depends on the order of a sum, or on chance.
    """
    size = latents.shape[0]
    norm = np.sqrt(np.maximum((latents * latents).sum(axis=1).sum(axis=0), 1.0))
    scaled = np.rint(latents / norm * FEATURE_UNIT)

    def products(first: int) -> NDArray[np.float64]:
        return np.stack([(scaled[first] * other).sum(axis=0) for other in scaled[first:]], axis=1)

    features = np.concatenate(list(workers.map(products, range(size))), axis=1)
    features = np.rint(features * (64.0 / FEATURE_UNIT**2))
    order = np.lexsort((features[:, 1], features[:, 0]))
    seeds = order[(np.arange(classes) * 2 + 1) * len(order) // (2 * classes)]
    centres = features[seeds]
    chosen = np.zeros(len(features), dtype=np.intp)
    for _ in range(SEED_ROUNDS):
        # |f - c|^2 less |f|^2: integers below 2**53 in any order of summation.
        distances = (centres * centres).sum(axis=1) - 2.0 * exact.integer_product(features, centres.T)
        chosen = np.argmin(distances, axis=1)
        for index in range(classes):
            members = features[chosen == index]
            if len(members):
                centres[index] = np.rint(members.sum(axis=0) / len(members))
    return chosen
