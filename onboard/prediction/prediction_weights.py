"""How a band is predicted best from bands that are decoded already: least squares, and weights worth telling.

Moments are sums of integers below 2**53, and what follows is arithmetic of single numbers in a fixed order:
every machine finds the same weights. Where there are compiled kernels the same is done there
(`bandfold.onboard.prediction.prediction_loop`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.payloads.prediction_code import COARSEST_SHIFT, FINEST_SHIFT, weight_shift
from bandfold.bitstream.transforms.band_order import MOST_REFERENCES, OrderedBand
from bandfold.bitstream.transforms.band_prediction import (
    LARGEST_WEIGHT,
    SAMPLE_UNIT,
    WEIGHT_UNIT,
    Prediction,
)
from bandfold.bitstream.transforms.predicted_bands import PredictedBands
from bandfold.common.exact import exp2
from bandfold.onboard.rate_model import KNEE

PIXELS_LOOKED_AT = 1 << 13
"""Pixels of a strip that moments are taken of, about."""

RIDGE = 1e-3
"""Counts squared that are added to the variance of each reference, so that none of them is singular."""

FINEST_STEP = 8.0
"""Step in counts up to which weights are told in their finest unit."""

FAR_WEIGHT = 1 << 20
"""Weights that large, in their unit, are of no use: nor is what is no number."""

TOLD_BITS = 6.0
"""Bits of a weight and of an offset, about: what a further one must save."""


@dataclass(frozen=True)
class Moments:
    """Sums over some pixels of a strip, of a band and of those that it may be predicted from.

    Parameters
    ----------
    products : ndarray of float64, shape (references + 2, references + 2)
        Of all pairs of the references, of the band and of 1; integers, in counts squared.
    """

    products: NDArray[np.float64]

    @staticmethod
    def of(planes: NDArray[np.int32], references: tuple[int, ...], target: NDArray[np.int32]) -> Moments:
        """Take the moments.

        Parameters
        ----------
        planes : ndarray of int32, shape (bands, pixels)
            Reconstructed bands in units of ``1 / SAMPLE_UNIT``.
        references : tuple of int
            At most four of them.
        target : ndarray of int32, shape (pixels,)
            Counts of the band.

        Returns
        -------
        Moments
        """
        # An odd distance meets all columns, whatever the number of samples.
        stride = max(target.size // PIXELS_LOOKED_AT, 1) | 1
        looked_at = target[::stride]
        known = (planes[one, ::stride] // SAMPLE_UNIT for one in references)
        vectors = np.stack([*known, looked_at, np.ones_like(looked_at)]).astype(np.float64)
        return Moments(vectors @ vectors.T)

    @property
    def pixels(self) -> float:
        """How many pixels were looked at."""
        return float(self.products[-1, -1])

    def mean(self, place: int) -> float:
        """Mean of a reference, or of the band behind them, in counts."""
        return float(self.products[place, -1]) / self.pixels

    @cached_property
    def covariances(self) -> list[list[float]]:
        """Sums of products of what two of them differ from their means."""
        sums = self.products[:-1, -1]
        centred: list[list[float]] = (
            self.products[:-1, :-1] - sums[:, None] * sums / self.products[-1, -1]
        ).tolist()
        return centred


def told_shift(step: float) -> int:
    """Unit of weights that is fine enough for a step.

    Parameters
    ----------
    step : float
        In counts.

    Returns
    -------
    int
        Logarithm of the unit, see `bandfold.bitstream.payloads.prediction_code`.
    """
    # Where a plane differs from its mean by some thousand counts, half a unit is a fraction of the step.
    octaves = math.frexp(step / FINEST_STEP)[1] - 1
    return min(max(octaves, FINEST_SHIFT), COARSEST_SHIFT)


def best_prediction(
    strip: PredictedBands, one: OrderedBand, target: NDArray[np.int32], shift: int
) -> Prediction:
    """Weights of least cost: the error that they leave, and the bits that tell them.

    Parameters
    ----------
    strip : PredictedBands
        With the references of the band.
    one : OrderedBand
        The band.
    target : ndarray of int32, shape (8 * rows, 8 * columns)
        Its counts.
    shift : int
        Logarithm of the unit of its first weight.

    Returns
    -------
    Prediction
    """
    moments = Moments.of(strip.known(), strip.references(one), target.ravel())
    step = strip.step_code(one) / STEP_UNIT
    told = weight_costs(target.size)
    best, least = Prediction(), math.inf
    for used in range(len(one.references) + 1):
        weights = _rounded(moments, used, shift)
        if weights is None:
            continue
        left = _error_left(moments, weights)
        offset = _offset(moments, weights, strip.means, one, step)
        # Two to the power of twice the bits of a pixel, those of the weights included.
        cost = (1.0 + left / (KNEE * step * step)) * told[used + (offset != 0)]
        if cost < least:
            best, least = Prediction(weights, offset), cost
    return best


@cache
def weight_costs(pixels: int) -> tuple[float, ...]:
    """Two to the power of twice what so many weights, from none on, cost for each pixel."""
    return tuple(exp2(2.0 * TOLD_BITS * count / pixels) for count in range(MOST_REFERENCES + 2))


def _rounded(moments: Moments, used: int, shift: int) -> tuple[int, ...] | None:
    """Weights of the first references in their units, the last one first: those before it make up for it."""
    told: list[int] = []
    for place in reversed(range(used)):
        found = _solve(moments, place + 1, told)
        if found is None:
            return None
        unit = 1 << weight_shift(place, shift)
        scaled = found * WEIGHT_UNIT / unit
        if not abs(scaled) < FAR_WEIGHT:
            return None
        told.insert(0, round(scaled) * unit)
        if abs(told[0]) > LARGEST_WEIGHT:
            return None
    return tuple(told)


def _solve(moments: Moments, free: int, told: list[int]) -> float | None:
    """The last of some weights by Gaussian elimination, where those behind it are known."""
    covariances, ridge = moments.covariances, RIDGE * moments.pixels
    rows = []
    for one, row in enumerate(covariances[:free]):
        right = row[-1]
        for other, weight in enumerate(told, start=free):
            right -= weight / WEIGHT_UNIT * row[other]
        rows.append([*row[:free], right])
        rows[one][one] += ridge
    for place in range(free):
        pivot = rows[place]
        if pivot[place] <= 0.0:
            return None
        for row in rows[place + 1 :]:
            factor = row[place] / pivot[place]
            for column in range(place, free + 1):
                row[column] -= factor * pivot[column]
    return rows[-1][free] / rows[-1][free - 1]


def _error_left(moments: Moments, weights: tuple[int, ...]) -> float:
    """Mean squared error of a prediction with the best offset, in counts squared."""
    covariances = moments.covariances
    real = [weight / WEIGHT_UNIT for weight in weights]
    total = covariances[-1][-1]
    for weight, row in zip(real, covariances, strict=False):
        total -= 2.0 * weight * row[-1]
        for factor, covariance in zip(real, row, strict=False):
            total += weight * factor * covariance
    return max(total / moments.pixels, 0.0)


def _offset(
    moments: Moments, weights: tuple[int, ...], means: NDArray[np.int32], one: OrderedBand, step: float
) -> int:
    """What the prediction lacks on average, in half steps."""
    lacking = moments.mean(len(moments.products) - 2) - int(means[one.band]) / SAMPLE_UNIT
    for place, (weight, reference) in enumerate(zip(weights, one.references, strict=False)):
        # Half a count was lost when references were rounded down.
        lacking -= weight / WEIGHT_UNIT * (moments.mean(place) + 0.5 - int(means[reference]) / SAMPLE_UNIT)
    return round(lacking / (step / 2.0))
