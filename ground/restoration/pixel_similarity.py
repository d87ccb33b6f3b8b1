"""How much the pixels around a block look like each of its own: the weights of the bilateral filter.

In float32, in operations whose order is defined, so that the weights have the same bits with and without
compiled kernels.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import compiled
from bandfold.common.scene import BLOCK, CHANNELS

MARGIN = 8
"""Pixels around a block that its pixels are compared with."""

SIDE = BLOCK + 2 * MARGIN
"""Pixels on a side of a block and its margin."""

Float = NDArray[np.float32]

_LANES = 8
"""Sums that are kept apart until the end, as vector registers do."""

_LOWEST = np.float32(-41.0)
"""Exponent below which a factor of a weight is 0: beside a pixel's own weight of 1 it does not count."""

_LEAST_SQUARED = np.float32(2.0**-30)
"""What is less becomes 0 when it is squared, so that products of two factors are normal numbers."""

_MOST_SQUARINGS = 4
"""Squarings that cost less than another exponential function, and lose less than its error."""

_ROUNDING = np.float32(1.5 * 2.0**23)
"""What is added and taken away again to round to a whole number."""

_OCTAVE = np.float32(1.44269504)
"""1 / ln 2."""

_LOG_2_HIGH, _LOG_2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
"""ln 2, as a short number and what is left."""

_POLYNOMIAL = tuple(
    np.float32(value)
    for value in (
        1.9875691500e-4,
        1.3981999507e-3,
        8.3334519073e-3,
        4.1665795894e-2,
        1.6666665459e-1,
        5.0000001201e-1,
    )
)
"""``(exp(x) - 1 - x) / x**2`` within half an octave, highest power first (Moshier, Cephes, ``expf``)."""


def _own_places() -> NDArray[np.int32]:
    """Places of a block's own pixels among those that they are compared with."""
    places = np.arange(SIDE * SIDE, dtype=np.int32).reshape(SIDE, SIDE)
    return np.ascontiguousarray(places[MARGIN : MARGIN + BLOCK, MARGIN : MARGIN + BLOCK]).ravel()


def _squared_distances() -> Float:
    """Between the pixels of a block and those around: shape (64, SIDE**2)."""
    line, sample = np.divmod(np.arange(SIDE * SIDE), SIDE)
    squares = (line[_OWN, None] - line) ** 2 + (sample[_OWN, None] - sample) ** 2
    return np.asarray(squares, dtype=np.float32)


_OWN = _own_places()
_DISTANCES = _squared_distances()


def similarity(others: Float, present: Float, falls: Float) -> tuple[Float, Float]:
    """Weigh the pixels around some blocks by how much they look like each of the blocks' own.

    A weight is ``exp(difference * falls[k, 0]) * exp(distance**2 * falls[k, 1])``, the difference being the
    squared difference of two pixels, summed over components; a factor below about 1e-18 counts as 0.

    Parameters
    ----------
    others : ndarray of float32, shape (blocks, components, 576)
        Pixels of each block and its margin, in steps.
    present : ndarray of float32, shape (blocks, 576)
        1 where a pixel is part of the scene, else 0.
    falls : ndarray of float32, shape (kernels, 2)
        What differences in squared steps, and squared distances in pixels, are multiplied by: not above 0.

    Returns
    -------
    weights : ndarray of float32, shape (kernels, blocks, 64, 576)
        0 to 1; 0 where no pixel is.
    sums : ndarray of float32, shape (kernels, blocks, 64)
        Of the weights of each pixel.
    """
    weights = np.empty((len(falls), len(others), CHANNELS, SIDE * SIDE), dtype=np.float32)
    sums = np.empty(weights.shape[:3], dtype=np.float32)
    nearness = _nearness(tuple(falls[:, 1].tolist()))
    chain = _chain(tuple(falls[:, 0].tolist()))
    _similarity(others, present, _OWN, nearness, falls[:, 0].copy(), chain, weights, sums)
    return weights, sums


@lru_cache(maxsize=8)
def _chain(falls: tuple[float, ...]) -> NDArray[np.int32]:
    """Kernels from the mildest fall to the steepest, and how each one's factor follows from that before.

    By so many squarings, none where the fall is the same; or -1: by an exponential function of its own.
    """
    order = np.argsort(-np.array(falls), kind="stable")
    chain = [(int(order[0]), -1)] if falls else []
    for before, kernel in pairwise(order.tolist()):
        multiples = [falls[before] * 2.0**times for times in range(_MOST_SQUARINGS + 1)]
        chain.append((kernel, multiples.index(falls[kernel]) if falls[kernel] in multiples else -1))
    return np.array(chain, dtype=np.int32).reshape(-1, 2)


@lru_cache(maxsize=8)
def _nearness(falls: tuple[float, ...]) -> Float:
    """Factor of a weight by the distance, for each kernel: shape (kernels, 64, 576)."""
    return np.stack([_exponential(_DISTANCES * np.float32(fall)) for fall in falls])


@compiled(
    "bf_similarity(others: float32[blocks, components, 576], present: float32[blocks, 576], "
    "own: int32[64], nearness: float32[kernels, 64, 576], falls: float32[kernels], "
    "chain: int32[kernels, 2], blocks: int64, components: int64, kernels: int64, "
    "weights: out(float32[kernels, blocks, 64, 576]), sums: out(float32[kernels, blocks, 64]))"
)
def _similarity(
    others: Float,
    present: Float,
    own: NDArray[np.int32],
    nearness: Float,
    falls: Float,
    chain: NDArray[np.int32],
    weights: Float,
    sums: Float,
) -> None:
    for block, (planes, there) in enumerate(zip(others, present, strict=True)):
        differences = np.zeros((len(own), len(there)), dtype=np.float32)
        for plane in planes:
            differences += np.square(plane - plane[own, None])
        factor = np.zeros_like(differences)
        for kernel, times in chain:
            if times < 0:
                factor = _exponential(differences * falls[kernel]) * there
            for _ in range(times):
                factor = np.square(np.where(factor >= _LEAST_SQUARED, factor, np.float32(0.0)))
            found = factor * nearness[kernel]
            weights[kernel, block] = found
            lanes = np.zeros((len(own), _LANES), dtype=np.float32)
            for start in range(0, found.shape[1], _LANES):
                lanes += found[:, start : start + _LANES]
            while lanes.shape[1] > 1:
                lanes = lanes[:, ::2] + lanes[:, 1::2]
            sums[kernel, block] = lanes[:, 0]


def _exponential(x: Float) -> Float:
    """``exp(x)`` of what is not above 0, to a few parts in 10**7, and 0 below `_LOWEST`."""
    seen = x >= _LOWEST
    x = np.where(seen, x, np.float32(0.0))
    octave = (x * _OCTAVE + _ROUNDING) - _ROUNDING
    rest = x - octave * _LOG_2_HIGH
    rest = rest - octave * _LOG_2_LOW
    series = np.full_like(rest, _POLYNOMIAL[0])
    for coefficient in _POLYNOMIAL[1:]:
        series = series * rest + coefficient
    series = series * (rest * rest) + rest + np.float32(1.0)
    found: Float = np.where(seen, np.ldexp(series, octave.astype(np.int32)), np.float32(0.0))
    return found
