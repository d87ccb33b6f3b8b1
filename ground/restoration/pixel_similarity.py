"""Averages of each pixel with those around its block that look like it: the sums of the bilateral filter.

Weights are computed in float32, in operations whose order is defined, and rounded to whole numbers, as pixels
are: sums of their products are exact. So averages have the same bits with and without compiled kernels, which
skip pixels without weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import Structure, compiled, structure
from bandfold.common.scene import BLOCK, CHANNELS

MARGIN = 8
"""Pixels around a block that its pixels are compared with."""

SIDE = BLOCK + 2 * MARGIN
"""Pixels on a side of a block and its margin."""

Float = NDArray[np.float32]

UNIT = 1024.0
"""What a step is in the whole numbers that pixels are rounded to."""

LARGEST = 2.0**28
"""Magnitude that pixels are cut to, in these units: sums of 576 weighted ones are exact in float64."""

FILLED = 8
"""Components of a pixel are filled with zeros to a multiple of this."""

_WEIGHT_ONE = np.float32(4096.0)
"""What a weight of 1 is rounded to; what is below half of its inverse does not count."""

_NEGLIGIBLE = -9.5
"""Exponent below which a weight is rounded to 0, whatever the rounding errors of the exponential function."""

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
_DISTANCES = _squared_distances()


@structure(
    "bf_padded(planes: float32[components, lines, samples], pixels: float32[lines, samples, filled],"
    " present: float32[lines, samples], components: int64, lines: int64, samples: int64, filled: int64)"
)
class PaddedPlanes(Structure):
    """Components of a strip with a margin of zeros around, as whole numbers in two orders.

    Parameters
    ----------
    planes : ndarray of float32, shape (components, lines, samples)
        In steps.

    Attributes
    ----------
    samples : int
        Pixels of a line, margin included.
    """

    samples: int

    def __init__(self, planes: Float) -> None:
        count, lines, samples = planes.shape
        shape = (lines + 2 * MARGIN, samples + 2 * MARGIN)
        inner = (slice(MARGIN, MARGIN + lines), slice(MARGIN, MARGIN + samples))
        whole = np.zeros((count, *shape), dtype=np.float32)
        inside = whole[(slice(None), *inner)]
        np.multiply(planes, np.float32(UNIT), out=inside)
        np.rint(inside, out=inside)
        np.clip(inside, -LARGEST, LARGEST, out=inside)
        pixels = np.zeros((*shape, -(-count // FILLED) * FILLED), dtype=np.float32)
        pixels[..., :count] = whole.transpose(1, 2, 0)
        present = np.zeros(shape, dtype=np.float32)
        present[inner] = 1.0
        super().__init__(planes=whole, pixels=pixels, present=present)


@structure(
    "bf_weighing(nearness: float32[kernels, 31, 32], falls: float32[kernels], chain: int32[kernels, 2],"
    " kernels: int64, most: float32)"
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

    def __init__(self, falls: Float) -> None:
        by_difference = np.maximum(falls[:, 0] * np.float32(UNIT**-2), np.finfo(np.float32).min)
        counting = by_difference[by_difference < 0]
        most = _NEGLIGIBLE / float(counting.max()) if counting.size else -1.0
        super().__init__(
            nearness=np.stack([_exponential(_DISTANCES * fall) for fall in falls[:, 1]]),
            falls=by_difference,
            chain=_chain(by_difference.tolist()),
            most=min(most, float(np.finfo(np.float32).max)),
        )


@dataclass(frozen=True)
class Averages:
    """Averages of the pixels of some blocks.

    Parameters
    ----------
    changes : ndarray of float32, shape (blocks, kernels, 64, components)
        The average less the pixel, in steps.
    sums : ndarray of float64, shape (blocks, kernels, 64)
        Of the weights of each average; a pixel's own is 1.
    """

    changes: Float
    sums: NDArray[np.float64]


def averages(
    padded: PaddedPlanes, weighing: Weighing, starts: NDArray[np.int64], shown: NDArray[np.uint8]
) -> Averages:
    """Average the pixels of some blocks with those around that look like them.

    A weight is ``exp(difference * falls[k, 0]) * exp(distance**2 * falls[k, 1])``, the difference being the
    squared difference of two pixels, summed over components; it is rounded to a multiple of 1 / 4096.

    Parameters
    ----------
    padded : PaddedPlanes
        The strip.
    weighing : Weighing
        The weights of each average.
    starts : ndarray of int64, shape (blocks,)
        Place of the first pixel around each block, ``line * samples + sample``, margin included.
    shown : ndarray of uint8, shape (blocks, components)
        Whether each component may be other than zero around the block.

    Returns
    -------
    Averages
    """
    shape = (len(starts), weighing.kernels, CHANNELS)
    changes = np.empty((*shape, shown.shape[1]), dtype=np.float32)
    sums = np.empty(shape)
    _averages(padded, weighing, starts, shown, changes, sums)
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
    "bf_averages(padded: bf_padded, weighing: bf_weighing, starts: int64[blocks],"
    " shown: uint8[blocks, padded.components], blocks: int64, others: out(float32[padded.components, 576]),"
    " weights: out(float32[weighing.kernels, 576]),"
    " changes: out(float32[blocks, weighing.kernels, 64, padded.components]),"
    " sums: out(float64[blocks, weighing.kernels, 64]))"
)
def _averages(
    padded: PaddedPlanes,
    weighing: Weighing,
    starts: NDArray[np.int64],
    shown: NDArray[np.uint8],
    changes: Float,
    sums: NDArray[np.float64],
) -> None:
    del shown
    nearness, falls, chain = (weighing.arrays[name] for name in ("nearness", "falls", "chain"))
    line, sample = np.divmod(np.arange(CHANNELS), BLOCK)
    around = np.divmod(np.arange(SIDE * SIDE), SIDE)
    near = nearness[:, around[0] + BLOCK - 1 - line[:, None], around[1] + BLOCK - 1 - sample[:, None]]
    for block, start in enumerate(starts.tolist()):
        first = np.divmod(start, padded.samples)
        window = tuple(slice(at, at + SIDE) for at in first)
        others = padded.arrays["planes"][(slice(None), *window)].reshape(-1, SIDE * SIDE)
        differences = np.zeros((CHANNELS, SIDE * SIDE), dtype=np.float32)
        for plane in others:
            differences += np.square(plane - plane[_OWN, None])
        weights = np.empty((len(falls), *differences.shape))
        factor = np.zeros_like(differences)
        for kernel, times in chain:
            if times < 0:
                with np.errstate(over="ignore"):
                    exponent = differences * falls[kernel]
                factor = _exponential(exponent) * padded.arrays["present"][window].ravel()
            for _ in range(times):
                factor = np.square(np.where(factor >= _LEAST_SQUARED, factor, np.float32(0.0)))
            weights[kernel] = np.rint(factor * near[kernel] * _WEIGHT_ONE)
        # Sums of products of whole numbers below 2**53 are exact.
        total = weights.sum(axis=2)
        exact = others.astype(np.float64)
        mean = np.matmul(weights, exact.T) * (1.0 / total)[..., None]
        changes[block] = (mean - exact[:, _OWN].T) / UNIT
        sums[block] = total / _WEIGHT_ONE


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
