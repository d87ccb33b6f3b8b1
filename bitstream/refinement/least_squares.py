"""Weights of least squares for a band, and how many of them pay.

Moments are sums of integers, exact in any order, over some pixels of a strip. What follows is arithmetic of
single numbers in a fixed order, so that every machine finds the same weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import Structure, compiled, structure

from .band_prediction import (
    FARTHEST,
    LARGEST_WEIGHT,
    MOST_REFERENCES,
    OFFSET_BITS,
    PLANES,
    WEIGHT_BITS,
    BandPrediction,
    ReferencePlanes,
)

PIXELS_LOOKED_AT = 1 << 13
"""Pixels of a strip that moments are taken of, about."""

TOLD_BITS = 7.0
"""Bits of a weight, about: what a further one must save."""

_ROUNDING = 1.0 / 12.0
_RIDGE = 1e-3
_FINENESS = 2.0
_LARGEST_OFFSET = (1 << 31) - 1
_TOLD = 5


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


@dataclass(frozen=True)
class ToldPrediction:
    """A prediction with weights that are worth their bits.

    Parameters
    ----------
    prediction : BandPrediction
        Weights are multiples of their units.
    unit, around_unit : int
        Weights of bands before are multiples of ``2**unit``, those of bases of ``2**around_unit``.
    """

    prediction: BandPrediction
    unit: int = 0
    around_unit: int = 0


@structure(
    "bf_refinement_moments(pixels: int64[count], looked_at: out(int32[11, count]), target: out(int32[count]),"
    " products: out(int64[11, 11]), sums: out(int64[11]), found: out(int64[13]), count: int64, known: int32)"
)
class ReferenceMoments(Structure):
    """Moments of the planes that bands are predicted from, which grow band by band.

    What is looked at of the planes lies together: a part of each stays in the cache.

    Parameters
    ----------
    references : ReferencePlanes
        The planes.
    pixels : ndarray of int64, shape (n,)
        Pixels that are looked at.
    """

    count: int
    known: int

    def __init__(self, references: ReferencePlanes, pixels: NDArray[np.int64]) -> None:
        super().__init__(
            pixels=pixels,
            looked_at=np.zeros((PLANES, len(pixels)), dtype=np.int32),
            products=np.zeros((PLANES, PLANES), dtype=np.int64),
            sums=np.zeros(PLANES, dtype=np.int64),
            found=np.zeros(PLANES + 2, dtype=np.int64),
            known=0,
        )
        self._references = references

    def learn(self, slot: int) -> None:
        """Take in a plane that changed, by its number."""
        _learn(self, self._references.plane(slot), slot)

    def fit(self, band: int, samples: NDArray[np.int32], limit: int) -> ToldPrediction:
        """Find the prediction of a band that costs least.

        Parameters
        ----------
        band : int
            Its number.
        samples : ndarray of int32, shape (pixels,)
            Its samples.
        limit : int
            Largest error in counts.

        Returns
        -------
        ToldPrediction
        """
        count = self.count
        if count == 0:
            return ToldPrediction(BandPrediction())
        step = 2 * limit + 1
        pixels = samples.size
        # Bits, twice and for each pixel, that a weight takes: to tell it, and because it fits some noise.
        worth = 2.0 * TOLD_BITS / pixels + 2.0 / (math.log(2.0) * count)
        known = np.array([worth, _ROUNDING * step * step, pixels], dtype=np.float64)
        neighbours = self._references.neighbours(band)
        before = self._references.references(band, min(band, MOST_REFERENCES))
        around = [slot for slot in neighbours if slot is not None]
        slots = np.array(around + before, dtype=np.int64)
        found = np.zeros(_TOLD + PLANES, dtype=np.int64)
        _fit(self, samples, self._references.band_base, slots, len(around), known, found)
        held, others, around_unit, unit, offset, *weights = found.tolist()
        rest = iter(weights[:held])
        bases = tuple(0 if slot is None else next(rest) for slot in neighbours) if held else ()
        told = BandPrediction(tuple(weights[held : held + others]), bases, offset)
        return ToldPrediction(told, unit, around_unit)


class _Triangle:
    """Covariances as a triangle (Cholesky without roots), and how many of its rows pay.

    Parameters
    ----------
    rows : ndarray of float64, shape (references + 1, references + 1)
        Covariances of references and, last, of the band.
    least : int
        References that are taken in any case, if there are so many.
    worth : float
        What each reference costs, in bits, twice and for each pixel.
    rounding : float
        Variance of what no prediction can tell.

    Attributes
    ----------
    count : int
        References that are best taken.
    cost : float
        Of these.
    """

    def __init__(self, rows: NDArray[np.float64], least: int, worth: float, rounding: float) -> None:
        covariances: list[list[float]] = rows.tolist()
        size, self._rounding = len(covariances) - 1, rounding
        self._factors, self._pivots = [[0.0] * size for _ in range(size)], [0.0] * size
        self._shares = [0.0] * size
        left = max(covariances[size][size], 0.0)
        self.count, self._left = 0, left
        self.cost = math.inf if least else _logarithm(left + rounding)
        factors, pivots, shares = self._factors, self._pivots, self._shares
        for one in range(size):
            pivot, share = covariances[one][one] + _RIDGE, covariances[size][one]
            for other in range(one):
                value = covariances[one][other]
                for inner in range(other):
                    value -= factors[one][inner] * factors[other][inner] * pivots[inner]
                factors[one][other] = value / pivots[other]
                pivot -= factors[one][other] * factors[one][other] * pivots[other]
                share -= factors[one][other] * shares[other] * pivots[other]
            # One that depends on others is of no use, nor is what comes behind it.
            if not pivot > 0.0:
                break
            pivots[one], shares[one] = pivot, share / pivot
            left -= share * share / pivot
            cost = _logarithm(max(left, 0.0) + rounding) + worth * (one + 1)
            if one + 1 >= least and cost < self.cost:
                self.count, self.cost, self._left = one + 1, cost, left

    def unit(self, first: int, last: int, pixels: float) -> int:
        """Logarithm of a unit for some weights that is fine enough for so many pixels."""
        variance = max(self._pivots[first:last])
        fine = math.sqrt(_FINENESS * (max(self._left, 0.0) + self._rounding) / (variance * pixels))
        return min(max(math.frexp(fine)[1] - 1 + WEIGHT_BITS, 0), WEIGHT_BITS)

    def weights(self, units: list[int]) -> list[int]:
        """Weights in their units, none if one is too large.

        The last one comes first: those before it make up for what rounding it loses.
        """
        told = [0] * self.count
        for one in range(self.count - 1, -1, -1):
            value = self._shares[one]
            for inner in range(one + 1, self.count):
                value -= self._factors[inner][one] * math.ldexp(told[inner], -WEIGHT_BITS)
            if not abs(value) < LARGEST_WEIGHT:
                return []
            told[one] = round(math.ldexp(value, WEIGHT_BITS - units[one])) << units[one]
        return [] if any(abs(weight) >= LARGEST_WEIGHT for weight in told) else told


def _logarithm(x: float) -> float:
    """Binary logarithm by arithmetic alone, the same everywhere; see `bandfold.common.exact.log2`."""
    mantissa, exponent = math.frexp(x)
    if mantissa < math.sqrt(0.5):
        mantissa, exponent = mantissa * 2.0, exponent - 1
    t = (mantissa - 1.0) / (mantissa + 1.0)
    t2, series = t * t, 1.0 / 13.0
    for odd in (11.0, 9.0, 7.0, 5.0, 3.0, 1.0):
        series = series * t2 + 1.0 / odd
    return exponent + (2.0 / math.log(2.0)) * t * series


@compiled(
    "bf_refinement_learn(moments: out(bf_refinement_moments), plane: int32[size], size: int64, slot: int32)"
)
def _learn(moments: ReferenceMoments, plane: NDArray[np.int32], slot: int) -> None:
    held = moments.arrays["looked_at"]
    held[slot] = plane[moments.arrays["pixels"]]
    found = moments.arrays["found"]
    if moments.known and np.array_equal(held[slot], moments.arrays["target"]):
        # What was just predicted, every bit of it: its products with all other planes are known.
        found[slot] = found[PLANES + 1]
    else:
        _moments_of(held, held[slot], found)
    moments.known = 0
    products = moments.arrays["products"]
    products[slot] = products[:, slot] = found[:PLANES]
    moments.arrays["sums"][slot] = found[PLANES]


@compiled(
    "bf_refinement_fit(moments: out(bf_refinement_moments), samples: int32[pixels], base: int32[pixels],"
    " pixels: int64, slots: int64[size], size: int32, around: int32, known: float64[3],"
    " told: out(int64[16]))"
)
def _fit(
    moments: ReferenceMoments,
    samples: NDArray[np.int32],
    base: NDArray[np.int32],
    slots: NDArray[np.int64],
    around: int,
    known: NDArray[np.float64],
    told: NDArray[np.int64],
) -> None:
    """Fit a band to some planes, of which the first ones, `around`, are bases.

    Known are what a reference must save, the variance of what no prediction can tell, and the pixels of the
    band. Told are how many bases and how many others have weights, the units of both, the offset, and the
    weights.
    """
    worth, rounding, pixels = known.tolist()
    means, rows = _covariances(moments, samples, base, slots)
    plain = _Triangle(rows[around:, around:], 0, worth, rounding)
    bent = _Triangle(rows, around, worth, rounding)
    best, held = (plain, 0) if plain.cost <= bent.cost else (bent, around)
    around_unit = best.unit(0, held, pixels) if held else 0
    unit = best.unit(held, best.count, pixels) if best.count > held else 0
    weights = best.weights([around_unit] * held + [unit] * (best.count - held))
    held = held if weights else 0
    offset = means[-1]
    for weight, mean in zip(weights, means if held else means[around:], strict=False):
        offset -= math.ldexp(weight, -WEIGHT_BITS) * mean
    cut = min(max(round(math.ldexp(offset, OFFSET_BITS)), -_LARGEST_OFFSET), _LARGEST_OFFSET)
    told[:_TOLD] = held, len(weights) - held, around_unit, unit, cut
    told[_TOLD : _TOLD + len(weights)] = weights


def _covariances(
    moments: ReferenceMoments,
    samples: NDArray[np.int32],
    base: NDArray[np.int32],
    slots: NDArray[np.int64],
) -> tuple[list[float], NDArray[np.float64]]:
    """Means and covariances of some planes and, last, of what the base lacks in the band."""
    pixels, target, found = (moments.arrays[name] for name in ("pixels", "target", "found"))
    target[:] = np.clip(samples[pixels].astype(np.int64) - base[pixels], -FARTHEST, FARTHEST)
    _moments_of(moments.arrays["looked_at"], target, found)
    moments.known = 1
    size, count = len(slots), len(pixels)
    products = np.empty((size + 1, size + 1), dtype=np.int64)
    products[:size, :size] = moments.arrays["products"][np.ix_(slots, slots)]
    products[size, :size] = products[:size, size] = found[slots]
    products[size, size] = found[PLANES + 1]
    means = np.append(moments.arrays["sums"][slots], found[PLANES]) / count
    return means.tolist(), products / count - means[:, None] * means


def _moments_of(planes: NDArray[np.int32], target: NDArray[np.int32], found: NDArray[np.int64]) -> None:
    """Products of all planes with one, its sum, and that of its squares."""
    values = target.astype(np.int64)
    found[:PLANES] = planes.astype(np.int64) @ values
    found[PLANES] = values.sum()
    found[PLANES + 1] = values @ values
