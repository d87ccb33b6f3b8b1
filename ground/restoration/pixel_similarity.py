"""Averages of each pixel with those around its block that look like it: the sums of the bilateral filter.

Pixels and weights are float32, in operations whose order is defined; weights are rounded to whole numbers,
and what is rounded to 0 adds nothing. So averages have the same bits with and without compiled kernels, which
skip pixels without weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import Structure, compiled, structure
from bandfold.common.scene import BLOCK, CHANNELS

from .strip_blocks import MARGIN, StripBlocks

SIDE = BLOCK + 2 * MARGIN
"""Pixels on a side of a block and its margin."""

Float = NDArray[np.float32]

_WEIGHT_ONE = np.float32(4096.0)
"""What a weight of 1 is rounded to; what is below half of its inverse does not count."""

_NEGLIGIBLE = -9.5
"""Exponent below which a weight is rounded to 0, whatever the rounding errors of the exponential function."""

_LANES = 16
"""Components whose squared differences are summed side by side, before these sums are added to each other."""

_REACH, _REACH_STRIDE = 31, 32
"""Lines and samples from -15 to 15, and floats of a line of them."""

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
    """By lines and samples from -15 on: shape (31, 32), the last column beyond reach."""
    away = np.arange(_REACH_STRIDE, dtype=np.float32) - _REACH // 2
    return np.asarray(away[:_REACH, None] ** 2 + away**2, dtype=np.float32)


_OWN = _own_places()
_INNER = slice(MARGIN, MARGIN + BLOCK)
_DISTANCES = _squared_distances()


@structure(
    "bf_weighing(nearness: float32[kernels, 31, 32], taps: float32[kernels, 32], falls: float32[kernels],"
    " chain: int32[kernels, 2], kernels: int64, falling: int64, most: float32)"
)
class Weighing(Structure):
    """How the weights of averages fall with the difference of two pixels and with their distance.

    Parameters
    ----------
    falls : ndarray of float32, shape (kernels, 2)
        What differences in squared steps, and squared distances in pixels, are multiplied by in the exponent:
        not above 0.
    """

    kernels: int
    falling: int

    def __init__(self, falls: Float) -> None:
        by_difference = np.maximum(falls[:, 0], np.finfo(np.float32).min)
        counting = by_difference[by_difference < 0]
        most = _NEGLIGIBLE / float(counting.max()) if counting.size else -1.0
        nearness = np.stack([_exponential(_DISTANCES * fall) for fall in falls[:, 1]])
        super().__init__(
            nearness=nearness,
            # From the middle on; sums of these are exact.
            taps=np.pad(
                np.rint(nearness[:, _REACH // 2, _REACH // 2 : _REACH] * _WEIGHT_ONE), ((0, 0), (0, 16))
            )
            / _WEIGHT_ONE,
            falls=by_difference,
            chain=_chain(by_difference.tolist()),
            falling=counting.size,
            most=min(most, float(np.finfo(np.float32).max)),
        )


@dataclass(frozen=True)
class Averages:
    """Averages of the pixels of some blocks.

    Parameters
    ----------
    changes : ndarray of float32, shape (blocks, kernels, 64, filled)
        The average less the pixel, in steps.
    sums : ndarray of float32, shape (blocks, kernels, 64)
        Of the weights of each average; a pixel's own is 1.
    """

    changes: Float
    sums: Float


def averages(strip: StripBlocks, weighing: Weighing, starts: NDArray[np.int64]) -> Averages:
    """Average the pixels of some blocks with those around that look like them.

    A weight is ``exp(difference * falls[k, 0]) * exp(distance**2 * falls[k, 1])``, the difference being the
    squared difference of two pixels, summed over components; it is rounded to a multiple of 1 / 4096. Where
    differences do not count both factors of the latter, along lines and across, are.

    Parameters
    ----------
    strip : StripBlocks
        The strip.
    weighing : Weighing
        The weights of each average.
    starts : ndarray of int64, shape (blocks,)
        Where the pixels around each block begin, out of those of the strip.

    Returns
    -------
    Averages
    """
    shape = (len(starts), weighing.kernels, CHANNELS)
    changes, sums = np.empty((*shape, strip.filled), dtype=np.float32), np.empty(shape, dtype=np.float32)
    _averages(strip, weighing, starts, changes, sums)
    return Averages(changes, sums)


def _chain(falls: list[float]) -> NDArray[np.int32]:
    """Kernels from the mildest fall to the steepest, and how each one's factor follows from that before.

    By so many squarings, none where the fall is the same; or -1: by an exponential function of its own. Those
    that do not fall come last.
    """
    steepness = -np.array(falls)
    order = np.argsort(np.where(steepness == 0, np.inf, steepness), kind="stable")
    chain = [(int(order[0]), -1)] if falls else []
    for before, kernel in pairwise(order.tolist()):
        multiples = [falls[before] * 2.0**times for times in range(_MOST_SQUARINGS + 1)]
        chain.append((kernel, multiples.index(falls[kernel]) if falls[kernel] in multiples else -1))
    return np.array(chain, dtype=np.int32).reshape(-1, 2)


@compiled(
    "bf_averages(strip: bf_strip, weighing: bf_weighing, starts: int64[blocks], blocks: int64,"
    " changes: out(float32[blocks, weighing.kernels, 64, strip.filled]),"
    " sums: out(float32[blocks, weighing.kernels, 64]))"
)
def _averages(
    strip: StripBlocks, weighing: Weighing, starts: NDArray[np.int64], changes: Float, sums: Float
) -> None:
    pixels, present = strip.arrays["pixels"], strip.arrays["present"]
    chain = weighing.arrays["chain"]
    for block, start in enumerate(starts.tolist()):
        line, sample = np.divmod(start, pixels.shape[1])
        window = (slice(line, line + SIDE), slice(sample, sample + SIDE))
        around, there = pixels[window], present[window]
        if weighing.falling:
            others = around.reshape(SIDE * SIDE, -1)
            weights = _weights(others, there.ravel(), weighing)
            for (kernel, _), weight in zip(chain[: weighing.falling], weights, strict=True):
                total = weight.sum(axis=1)
                mean = np.zeros((CHANNELS, strip.filled), dtype=np.float32)
                for other, column in zip(others, weight.T, strict=True):
                    mean += (other - others[_OWN]) * column[:, None]
                changes[block, kernel] = mean * (np.float32(1.0) / total)[:, None]
                sums[block, kernel] = total / _WEIGHT_ONE
        for kernel, _ in chain[weighing.falling :]:
            mean, total = _blur(around, there, weighing.arrays["taps"][kernel])
            changes[block, kernel] = (mean - around[_INNER, _INNER]).reshape(CHANNELS, -1)
            sums[block, kernel] = total.ravel()


def _weights(others: Float, there: Float, weighing: Weighing) -> list[Float]:
    """Of each average in the order of the chain, where differences count: whole numbers, shape (64, 576)."""
    nearness, falls, chain = (weighing.arrays[name] for name in ("nearness", "falls", "chain"))
    line, sample = np.divmod(np.arange(CHANNELS), BLOCK)
    around = np.divmod(np.arange(SIDE * SIDE), SIDE)
    near = nearness[:, around[0] + BLOCK - 1 - line[:, None], around[1] + BLOCK - 1 - sample[:, None]]
    squares = np.square(others[_OWN, None] - others)
    side_by_side = np.zeros((*squares.shape[:2], _LANES), dtype=np.float32)
    for first in range(0, others.shape[1], _LANES):
        side_by_side += squares[..., first : first + _LANES]
    while side_by_side.shape[2] > 1:
        half = side_by_side.shape[2] // 2
        side_by_side = side_by_side[..., :half] + side_by_side[..., half:]
    differences, found = side_by_side[..., 0], []
    factor = np.zeros_like(differences)
    for kernel, times in chain[: weighing.falling]:
        if times < 0:
            with np.errstate(over="ignore"):
                exponent = differences * falls[kernel]
            factor = _exponential(exponent)
        for _ in range(times):
            factor = np.square(np.where(factor >= _LEAST_SQUARED, factor, np.float32(0.0)))
        found.append(np.rint(factor * near[kernel] * _WEIGHT_ONE) * there)
    return found


def _blur(around: Float, there: Float, taps: Float) -> tuple[Float, Float]:
    """Averages of a block whose weights do not depend on differences, and the sums of these."""
    away = np.abs(np.arange(SIDE) - np.arange(MARGIN, MARGIN + BLOCK)[:, None])
    weights = np.where(away < len(taps), taps[away], np.float32(0.0))
    lines = np.zeros((SIDE, BLOCK, around.shape[2]), dtype=np.float32)
    for other in range(SIDE):
        lines += weights[:, other, None] * around[:, other, None]
    both = np.zeros((BLOCK, BLOCK, around.shape[2]), dtype=np.float32)
    for other in range(SIDE):
        both += weights[:, other, None, None] * lines[other]
    # Sums of multiples of 1 / 4096 are exact.
    across, along = (weights * there[:, MARGIN]).sum(axis=1), (weights * there[MARGIN]).sum(axis=1)
    total = across[:, None] * along
    return both * (np.float32(1.0) / total)[..., None], total


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
