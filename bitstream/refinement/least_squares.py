"""Weights of least squares for a band, and how many of them pay.

Moments are sums of integers, exact in any order, over some pixels of a strip. What follows is arithmetic of
single numbers in a fixed order, so that every machine finds the same weights.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import compiled

from .band_prediction import (
    FARTHEST,
    LARGEST_WEIGHT,
    MOST_REFERENCES,
    OFFSET_BITS,
    WEIGHT_BITS,
    BandPrediction,
)

PIXELS_LOOKED_AT = 1 << 13
"""Pixels of a strip that moments are taken of, about."""

TOLD_BITS = 7.0
"""Bits of a weight, about: what a further one must save."""

_ROUNDING = 1.0 / 12.0
_RIDGE = 1e-3
_FINENESS = 2.0
_LARGEST_OFFSET = (1 << 31) - 1


def looked_at(absent: NDArray[np.bool_] | None, pixels: int) -> NDArray[np.int64]:
    """Pixels that moments are taken of.

    Parameters
    ----------
    absent : ndarray of bool, shape (pixels,), or None
        Where all bands are absent.
    pixels : int
        Pixels of the strip.

    Returns
    -------
    ndarray of int64, shape (n,)
        In rising order.
    """
    present = np.arange(pixels) if absent is None else np.flatnonzero(~absent)
    # An odd distance meets all columns, whatever the number of samples.
    return np.ascontiguousarray(present[:: max(len(present) // PIXELS_LOOKED_AT, 1) | 1], dtype=np.int64)


class ReferenceMoments:
    """Moments of the last bands, which grow band by band.

    Parameters
    ----------
    pixels : ndarray of int64, shape (n,)
        Pixels that are looked at.
    total : int
        Pixels of the strip, which the weights are to serve.
    """

    def __init__(self, pixels: NDArray[np.int64], total: int) -> None:
        self._pixels = pixels
        self._total = total
        self._products = np.zeros((MOST_REFERENCES, MOST_REFERENCES), dtype=np.int64)
        self._sums = np.zeros(MOST_REFERENCES, dtype=np.int64)

    def learn(self, planes: NDArray[np.int32], band: int) -> None:
        """Take in a band that is coded.

        Parameters
        ----------
        planes : ndarray of int32, shape (MOST_REFERENCES, pixels)
            Differences of the last bands, the band z in plane ``z % MOST_REFERENCES``.
        band : int
            Its number.
        """
        slot = band % MOST_REFERENCES
        found = np.empty(MOST_REFERENCES + 2, dtype=np.int64)
        _moments(planes, planes[slot], self._pixels, found)
        self._products[slot] = self._products[:, slot] = found[:MOST_REFERENCES]
        self._sums[slot] = found[MOST_REFERENCES]

    def fit(
        self, planes: NDArray[np.int32], band: int, target: NDArray[np.int32], limit: int
    ) -> tuple[BandPrediction, int]:
        """Find the prediction of a band that costs least.

        Parameters
        ----------
        planes : ndarray of int32, shape (MOST_REFERENCES, pixels)
            Differences of the last bands.
        band : int
            Its number.
        target : ndarray of int32, shape (pixels,)
            Differences of its samples and its base.
        limit : int
            Largest error in counts.

        Returns
        -------
        prediction : BandPrediction
        unit : int
            Its weights are multiples of ``2**unit``.
        """
        count = len(self._pixels)
        if count == 0:
            return BandPrediction(), 0
        found = np.empty(MOST_REFERENCES + 2, dtype=np.int64)
        _moments(planes, target, self._pixels, found)
        slots = [(band - 1 - place) % MOST_REFERENCES for place in range(min(band, MOST_REFERENCES))]
        size = len(slots)
        products = np.empty((size + 1, size + 1), dtype=np.int64)
        products[:size, :size] = self._products[np.ix_(slots, slots)]
        products[size, :size] = products[:size, size] = found[slots]
        products[size, size] = found[MOST_REFERENCES + 1]
        sums = [*self._sums[slots].tolist(), int(found[MOST_REFERENCES])]
        means = [value / count for value in sums]
        rows = [
            [value / count - means[one] * means[other] for other, value in enumerate(row)]
            for one, row in enumerate(products.tolist())
        ]
        step = 2 * limit + 1
        weights, unit = _weights(rows, (self._total, count), _ROUNDING * step * step)
        offset = means[-1]
        for weight, mean in zip(weights, means, strict=False):
            offset -= math.ldexp(weight, -WEIGHT_BITS) * mean
        told = round(math.ldexp(offset, OFFSET_BITS))
        return BandPrediction(weights, min(max(told, -_LARGEST_OFFSET), _LARGEST_OFFSET)), unit


def _weights(
    rows: list[list[float]], pixels: tuple[int, int], rounding: float
) -> tuple[tuple[int, ...], int]:
    """Weights from covariances of the references and, last, the band; and the unit that they are told in.

    `pixels` are those of the strip and those that were looked at: a weight fits half a nat of their noise.
    """
    total, count = pixels
    worth = 2.0 * TOLD_BITS / total + 2.0 / (math.log(2.0) * count)
    size = len(rows) - 1
    left = max(rows[size][size], 0.0)
    best, least = 0, math.log2(left + rounding)
    # Rows of the triangle of Cholesky without roots: rows[i][j] for j < i, and the pivots.
    pivots: list[float] = []
    factors: list[list[float]] = []
    for one in range(size):
        row = rows[one]
        factor: list[float] = []
        for other in range(one):
            value = row[other]
            for inner in range(other):
                value -= factor[inner] * factors[other][inner] * pivots[inner]
            factor.append(value / pivots[other])
        pivot = row[one] + _RIDGE
        share = rows[size][one]
        for inner in range(one):
            pivot -= factor[inner] * factor[inner] * pivots[inner]
        if not pivot > 0.0:
            break
        factors.append(factor)
        pivots.append(pivot)
    shares: list[float] = []
    for one, pivot in enumerate(pivots):
        share = rows[size][one]
        for inner in range(one):
            share -= factors[one][inner] * shares[inner] * pivots[inner]
        share /= pivot
        shares.append(share)
        left -= share * share * pivot
        cost = math.log2(max(left, 0.0) + rounding) + worth * (one + 1)
        if cost < least:
            best, least = one + 1, cost
    if best == 0:
        return (), 0
    rest = rows[size][size] - sum(
        share * share * pivot for share, pivot in zip(shares[:best], pivots, strict=False)
    )
    variance = max(pivots[:best])
    fine = math.sqrt(_FINENESS * (max(rest, 0.0) + rounding) / (variance * total))
    unit = min(max(math.frexp(fine)[1] - 1 + WEIGHT_BITS, 0), WEIGHT_BITS)
    told = [0] * best
    for one in range(best - 1, -1, -1):
        value = shares[one]
        for inner in range(one + 1, best):
            value -= factors[inner][one] * math.ldexp(told[inner], -WEIGHT_BITS)
        told[one] = round(math.ldexp(value, WEIGHT_BITS - unit)) << unit
    if max(abs(weight) for weight in told) >= LARGEST_WEIGHT:
        return (), 0
    return tuple(told), unit


@compiled(
    "bf_refinement_moments(planes: int32[8, pixels], target: int32[pixels], pixels: int64,"
    " looked_at: int64[count], count: int64, found: out(int64[10]))"
)
def _moments(
    planes: NDArray[np.int32],
    target: NDArray[np.int32],
    looked_at: NDArray[np.int64],
    found: NDArray[np.int64],
) -> None:
    """Products of a plane with all planes, its sum, and its square."""
    values = target[looked_at].astype(np.int64)
    found[:MOST_REFERENCES] = planes[:, looked_at].astype(np.int64) @ values
    found[MOST_REFERENCES] = values.sum()
    found[MOST_REFERENCES + 1] = values @ values


def target_difference(samples: NDArray[np.int32], base: NDArray[np.int32]) -> NDArray[np.int32]:
    """What the base lacks, cut at `FARTHEST`."""
    difference: NDArray[np.int32] = np.clip(samples.astype(np.int64) - base, -FARTHEST, FARTHEST).astype(
        np.int32
    )
    return difference
