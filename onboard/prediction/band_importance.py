"""Steps of bands by what depends on them: an error of a band costs bits and quality in others too.

Where a latent of a band is zero, the band keeps the error of its prediction, and hands it on to what is
predicted from it; where it is not, that error has to be coded. So the error of a band is worth its own square
and all that comes of it, its *importance* (propagated from what is coded last to what is coded first, as
macroblock trees of video encoders do). At equal worth of a bit, the squared step of a band is inverse to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.segments.predicted_codec import LATENT_UNIT
from bandfold.bitstream.transforms.band_order import Hierarchy, OrderedBand
from bandfold.bitstream.transforms.band_prediction import WEIGHT_UNIT, Prediction
from bandfold.common import exact
from bandfold.common.scene import CHANNELS
from bandfold.onboard.rate_model import KNEE

STRENGTH = 0.85
"""Logarithms of importance are taken times this: they are estimates, and moves that are too small cost less
than those that are too large."""

STEP_GRID = 2
"""Eighths of an octave that steps are multiples of: finer ones cost bytes, and save none."""

LEAST, MOST = 0.3, 64.0
"""Importance of a band at least and at most; that of one that nothing depends on is 1. It is below where
what a band makes known harms others: its noise."""

BLOCKS_LOOKED_AT = 64
"""Blocks of each band that are looked at, about, and more than half as many again at most."""

LATENTS_AT_ONCE = 1 << 11
"""Latents of a band that are looked at together: it bounds memory."""

REBUILT = 0.9
"""What a level of 1 stands for, in steps, about."""

ONES = 0.5
"""Share of the levels of 1 that become zero where the step grows, for each share that it grows by, about."""

LARGER = 1.0 / 6.0
"""Squared steps that the error of a larger level grows by then, which is 1/12 of one."""

PRIOR = 1.0
"""Weight of the mean importance of the bands of a tier in that of each, in the unit of `ONES`."""

FARTHEST_LATENT = 8.0
"""Latents are cut at so many steps."""

FARTHEST_ERROR = float(1 << 16)
"""Errors that are sent from band to band are cut at this, in units of what was sent from each."""

_SUM_UNIT = 1 << 16
"""Sums are of integers: they do not depend on an order."""


@dataclass(frozen=True)
class WatchedBand:
    """A band as it was coded.

    Parameters
    ----------
    prediction : Prediction
        Weights and offset.
    left : ndarray of float64, shape (8 * rows, 8 * columns)
        What prediction leaves of it, in steps.
    latents : ndarray of integers, shape (64, rows, columns)
        Before they were quantised, in ``1 / LATENT_UNIT`` of a step.
    levels : ndarray of integers, same shape
        What they became.
    classes : ndarray of uint8, same shape
        Contexts.
    """

    prediction: Prediction
    left: NDArray[np.float64]
    latents: NDArray[np.integer[Any]]
    levels: NDArray[np.integer[Any]]
    classes: NDArray[np.uint8]


class CodedBands:
    """What is kept of the bands of a strip, of some of their blocks, while they are coded.

    Parameters
    ----------
    bands : int
        Number of bands.

    Attributes
    ----------
    predictions : list of Prediction
        In the order of coding, as are the others.
    latents : ndarray of int16, shape (bands, latents)
        In ``1 / LATENT_UNIT`` of a step.
    levels : ndarray of int8, same shape
        Cut at 2 in magnitude.
    classes : ndarray of uint8, same shape
        Contexts.
    """

    def __init__(self, bands: int) -> None:
        self.predictions: list[Prediction] = []
        self._bands = bands
        self._make(0)

    def watch(self, number: int, band: WatchedBand) -> None:
        """Keep the next band; `PredictedStripCoder.watch` calls it."""
        limits = np.iinfo(np.int16)
        blocks = slice(None, None, max(band.latents[0].size // BLOCKS_LOOKED_AT, 1) | 1)
        latents, levels, classes = (
            one.reshape(CHANNELS, -1)[:, blocks].reshape(-1)
            for one in (band.latents, band.levels, band.classes)
        )
        if not self.predictions:
            # Of all bands at once: many small arrays would leave gaps in memory, which is scarce.
            self._make(latents.size)
        self.predictions.append(band.prediction)
        np.clip(latents, limits.min, limits.max, out=self.latents[number], casting="unsafe")
        np.clip(levels, -2, 2, out=self.levels[number], casting="unsafe")
        self.classes[number] = classes

    def _make(self, count: int) -> None:
        shape, size = (self._bands, count), self._bands * count
        # Pages of their own, which the system has back at once.
        memory = np.frombuffer(mmap(-1, max(4 * size, 1)), np.uint8)
        self.latents = memory[: 2 * size].view(np.int16).reshape(shape)
        self.levels = memory[2 * size : 3 * size].view(np.int8).reshape(shape)
        self.classes = memory[3 * size : 4 * size].reshape(shape)


def important_steps(hierarchy: Hierarchy, coded: CodedBands) -> Hierarchy:
    """Steps of bands that suit what depends on them.

    Parameters
    ----------
    hierarchy : Hierarchy
        Order of coding and steps with which the bands were coded.
    coded : CodedBands
        All bands. Those that no band is predicted from get the step of the last one.

    Returns
    -------
    Hierarchy
        The same order, other steps.
    """
    order = hierarchy.bands(len(coded.predictions))
    last = hierarchy.eighths(order[-1])
    relative = np.array([exact.exp2((hierarchy.eighths(one) - last) / 8) for one in order])
    octaves = exact.log2(_importance(order, relative, coded)) * (-STRENGTH / 2)
    found = (np.rint(octaves * (8 / STEP_GRID)).astype(np.int64) + last // STEP_GRID) * STEP_GRID
    own = [0] * len(order)
    for one, step in zip(order, found.tolist(), strict=True):
        own[one.band] = step
    return Hierarchy((0,) * len(hierarchy.gains), hierarchy.first, tuple(own))


def _importance(
    order: Sequence[OrderedBand], steps: NDArray[np.float64], coded: CodedBands
) -> NDArray[np.float64]:
    """Importance of each band, in the order of coding; steps are in units of that of the last bands."""
    variances = _class_variances(coded)
    worth, lost = np.zeros((2, len(order)), np.int64)
    count = coded.latents.shape[1]
    for start in range(0, count, LATENTS_AT_ONCE):
        part = slice(start, min(start + LATENTS_AT_ONCE, count))
        _add_part(order, steps, coded, variances, part, worth, lost)
    found = np.ones(len(order))
    tiers = np.array([one.tier for one in order])
    prior = PRIOR * _SUM_UNIT
    for tier in range(int(tiers.max()) + 1):
        own = tiers == tier
        usual = float(worth[own].sum()) / max(float(lost[own].sum()), 1.0)
        found[own] += (worth[own] + prior * usual) / (lost[own] + prior)
    used = {
        reference
        for one, prediction in zip(order, coded.predictions, strict=True)
        for _, reference in zip(prediction.weights, one.references, strict=False)
    }
    found[[one.band not in used for one in order]] = 1.0
    return np.clip(found, LEAST, MOST)


def _class_variances(coded: CodedBands) -> NDArray[np.float64]:
    """Mean square of the latents of each class, in squared steps."""
    sums, counts = np.zeros((2, 256))
    for latents, classes in zip(coded.latents, coded.classes, strict=True):
        # Sums of integers, far below 2**53.
        sums += np.bincount(classes, latents.astype(np.float64) ** 2, 256)
        counts += np.bincount(classes, minlength=256)
    variances: NDArray[np.float64] = sums / (np.maximum(counts, 1.0) * LATENT_UNIT**2)
    return variances


def _add_part(
    order: Sequence[OrderedBand],
    steps: NDArray[np.float64],
    coded: CodedBands,
    variances: NDArray[np.float64],
    part: slice,
    worth: NDArray[np.int64],
    lost: NDArray[np.int64],
) -> None:
    """Add what some of the latents tell of each band.

    Squares of sums over all ways from one band to another are found without any of the ways: errors of random
    signs are sent from all bands at once, and what comes back to a band with its own sign is its share
    (Hutchinson's estimate of a diagonal).
    """
    latents, levels, classes = (one[:, part] for one in (coded.latents, coded.levels, coded.classes))
    values = latents.astype(np.float32) * np.float32(1.0 / LATENT_UNIT)
    np.clip(values, -FARTHEST_LATENT, FARTHEST_LATENT, out=values)
    # What each squared error that reaches a latent adds to the cost.
    table = 1.0 / (1.0 + variances * (steps * steps / KNEE)[:, None])
    prices = np.take_along_axis(table.astype(np.float32), classes.astype(np.intp), axis=1)
    zero = (levels == 0).astype(np.float32)
    signs = _signs(len(order), part)
    place = {one.band: number for number, one in enumerate(order)}
    weights = [
        [
            (np.float32(weight / WEIGHT_UNIT), place[reference])
            for weight, reference in zip(prediction.weights, one.references, strict=False)
        ]
        for one, prediction in zip(order, coded.predictions, strict=True)
    ]
    reached, handed = np.zeros_like(values), signs.copy()
    for number, references in enumerate(weights):
        for weight, reference in references:
            reached[number] += weight * handed[reference]
        handed[number] += reached[number] * zero[number]
        _cut(handed[number])
    # What an error costs that a band hands on: with its square, and in proportion to it.
    squared = reached * prices
    bent = values * prices * (2.0 * steps).astype(np.float32)[:, None]
    handed[:], turned = 0.0, np.zeros_like(values)
    for number in reversed(range(len(order))):
        _cut(handed[number])
        _cut(turned[number])
        cost = squared[number] + handed[number] * zero[number]
        slope = bent[number] + turned[number] * zero[number]
        for weight, reference in weights[number]:
            handed[reference] += weight * cost
            turned[reference] += weight * slope
    handed *= signs
    # A level of 1 that becomes zero is lost whole; errors of others have no sign.
    one, more = np.abs(levels) == 1, np.abs(levels) > 1
    lone = np.sign(levels) * one.astype(np.float32)
    turned *= lone * (ONES * REBUILT / steps).astype(np.float32)[:, None]
    worth += _sums(handed * (one * np.float32(ONES * REBUILT**2) + more * np.float32(LARGER)) + turned)
    lost += _sums(values * lone * np.float32(2 * ONES * REBUILT) - one * np.float32(ONES * REBUILT**2))
    lost += more.sum(axis=1) * round(LARGER * _SUM_UNIT)


def _cut(values: NDArray[np.float32]) -> None:
    """Cut errors that grow from band to band without end, in place."""
    np.clip(values, -FARTHEST_ERROR, FARTHEST_ERROR, out=values)


def _sums(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Sum of each band in units of ``1 / _SUM_UNIT``."""
    found: NDArray[np.int64] = np.rint(values * np.float32(_SUM_UNIT)).astype(np.int64).sum(axis=1)
    return found


def _signs(bands: int, part: slice) -> NDArray[np.float32]:
    """Signs of some latents of all bands, which look random and are always the same."""
    mixed = np.arange(part.start, part.stop, dtype=np.uint32) * np.uint32(0x9E3779B1)
    mixed = mixed ^ (np.arange(1, bands + 1, dtype=np.uint32) * np.uint32(0x85EBCA6B))[:, None]
    for _ in range(2):
        mixed ^= mixed >> np.uint32(15)
        mixed *= np.uint32(0x2C1B3C6D)
        mixed ^= mixed >> np.uint32(12)
    return np.where(mixed >> np.uint32(31), np.float32(1.0), np.float32(-1.0))
