"""How a band is predicted best from bands that are decoded already: least squares, and weights worth telling.

All sums are of integers below 2**53, and what follows is arithmetic of single numbers in a fixed order:
every machine finds the same weights. Where there are compiled kernels the same is done there
(`bandfold.onboard.prediction.prediction_loop`).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.payloads.prediction_code import COARSEST_SHIFT, FINEST_SHIFT, weight_shift
from bandfold.bitstream.transforms.band_order import OrderedBand
from bandfold.bitstream.transforms.band_prediction import (
    LARGEST_WEIGHT,
    SAMPLE_UNIT,
    WEIGHT_UNIT,
    Prediction,
)
from bandfold.bitstream.transforms.predicted_bands import PredictedBands

from .block_products import BlockProducts, Moments

TURNS = 4
"""Times that weights are found: first with all errors worth the same, then as those are that were left."""

RIDGE = 1e-3
"""Counts squared that are added to the variance of each reference, so that none of them is singular."""

FINEST_STEP = 8.0
"""Step in counts up to which weights are told in their finest unit."""

FAR_WEIGHT = 1 << 20
"""Weights that large, in their unit, are of no use: nor is what is no number."""

TOLD_BITS = 6.0
"""Bits of a weight and of an offset, about: what a further one must save."""


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
    products = BlockProducts.of(strip.known(), strip.references(one), target)
    step = strip.step_code(one) / STEP_UNIT
    told = told_cost(target.size)
    errors = products.equal_weights
    best = Prediction()
    for turn in range(TURNS):
        if turn:
            factors = [weight / WEIGHT_UNIT for weight in best.weights]
            errors = products.weights(factors, _constant(best, strip, one, step), step)
        moments = products.moments(errors)
        worth = products.worth(step)
        least = math.inf
        for used in range(len(one.references) + 1):
            weights = _rounded(moments, used, shift)
            if weights is None:
                continue
            offset = _offset(moments, weights, strip.means, one, step)
            cost = _error_left(moments, weights) * worth + told * (used + (offset != 0))
            if cost < least:
                best, least = Prediction(weights, offset), cost
    return best


def told_cost(pixels: int) -> float:
    """Twice the bits of a weight or an offset, for each pixel."""
    return 2.0 * TOLD_BITS / pixels


def _constant(prediction: Prediction, strip: PredictedBands, one: OrderedBand, step: float) -> float:
    """What a prediction adds to its weighted references, in counts."""
    total = int(strip.means[one.band]) / SAMPLE_UNIT + prediction.offset * (step / 2.0)
    for weight, reference in zip(prediction.weights, one.references, strict=False):
        total += weight / WEIGHT_UNIT * (0.5 - int(strip.means[reference]) / SAMPLE_UNIT)
    return total


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
    covariances, ridge = moments.covariances, RIDGE * moments.count
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
    """Squared error of a prediction with the best offset, in the unit of the moments."""
    covariances = moments.covariances
    real = [weight / WEIGHT_UNIT for weight in weights]
    total = covariances[-1][-1]
    for weight, row in zip(real, covariances, strict=False):
        total -= 2.0 * weight * row[-1]
        for factor, covariance in zip(real, row, strict=False):
            total += weight * factor * covariance
    return max(total, 0.0)


def _offset(
    moments: Moments, weights: tuple[int, ...], means: NDArray[np.int32], one: OrderedBand, step: float
) -> int:
    """What the prediction lacks on average, in half steps."""
    lacking = moments.means[-1] - int(means[one.band]) / SAMPLE_UNIT
    for place, (weight, reference) in enumerate(zip(weights, one.references, strict=False)):
        # Half a count was lost when references were rounded down.
        lacking -= weight / WEIGHT_UNIT * (moments.means[place] + 0.5 - int(means[reference]) / SAMPLE_UNIT)
    return round(lacking / (step / 2.0))
