"""Dead-zone rounding with rate-distortion optimised zeroing.

A latent is rounded towards zero where that saves more rate than it costs distortion. The rate is that of the
tables in the context that the first rounding gives; a second pass sees the contexts that the first one left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts import Past
from bandfold.bitstream.fold import FRACTION
from bandfold.bitstream.geometry import CHANNELS
from bandfold.bitstream.latents import classify
from bandfold.bitstream.reconstruct import magnitude_points
from bandfold.bitstream.tables import COST_UNIT, Mode
from bandfold.bitstream.tokens import DIRECT, to_tokens

ROUNDING = 0.42
"""Added to magnitudes before they are cut in the first pass: a dead zone of +-0.58 steps."""

RATE_WEIGHT = 0.13
"""Distortion, in steps squared, that one bit must save."""

PASSES = 2

LATENTS_AT_ONCE = 1 << 18
"""Latents that are decided together: components go through in runs that fit the processor's cache."""


def quantise(
    latents: NDArray[np.int32], step: float, mode: Mode, *, passes: int = PASSES
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Quantise the latents of a segment.

    Parameters
    ----------
    latents : ndarray of int32, shape (components, 64, rows, columns)
        In units of ``1 / FRACTION`` of a count.
    step : float
        In counts.
    mode : Mode
    passes : int
        Passes of optimised zeroing; 0 leaves dead-zone rounding.

    Returns
    -------
    quantised : ndarray of int32, shape (64, components, rows, columns)
    classes : ndarray of uint8, same shape
        Contexts of the result.
    """
    components, _, rows, columns = latents.shape
    quantised = np.empty((CHANNELS, components, rows, columns), dtype=np.int32)
    classes = np.empty(quantised.shape, dtype=np.uint8)
    past = Past.empty(2, rows, columns)
    run = max(1, LATENTS_AT_ONCE // (CHANNELS * rows * columns))
    for start in range(0, components, run):
        part = slice(start, min(start + run, components))
        ordered = np.ascontiguousarray(latents[part].transpose(1, 0, 2, 3))
        scaled = np.abs(ordered) / (step * FRACTION)
        magnitudes = np.floor(scaled + ROUNDING).astype(np.int32)
        kind, learnt = classify(magnitudes, mode, past)
        for _ in range(passes):
            magnitudes = _decide(scaled, kind, mode)
            kind, learnt = classify(magnitudes, mode, past)
        quantised[:, part] = np.where(ordered < 0, -magnitudes, magnitudes)
        classes[:, part] = kind
        joined = past.then(learnt)
        past = joined.part(part.stop - part.start, part.stop - part.start + 2)
    return quantised, classes


def _decide(scaled: NDArray[np.float64], classes: NDArray[np.uint8], mode: Mode) -> NDArray[np.int32]:
    """Choose between the nearest magnitude and the one below it, where the nearest is not zero."""
    nearest = np.floor(scaled + 0.5).astype(np.int32)
    live = nearest > 0
    value, kind, upper = scaled[live], classes[live], nearest[live]
    lower = upper - 1
    gain = _cost(value, kind, upper, mode) - _cost(value, kind, lower, mode)
    nearest[live] = np.where(gain < 0, upper, lower)
    return nearest


def _cost(
    value: NDArray[np.float64], kind: NDArray[np.uint8], magnitude: NDArray[np.int32], mode: Mode
) -> NDArray[np.float64]:
    """Distortion plus weighted rate, in steps squared."""
    tokens = to_tokens(magnitude.astype(np.int64))[0] if magnitude.max(initial=0) >= DIRECT else magnitude
    error = value - magnitude_points(magnitude, kind, mode)
    return error * error + mode.costs[kind, tokens] * (RATE_WEIGHT / COST_UNIT)
