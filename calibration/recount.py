"""Frequencies and reconstruction points, counted on latents that are quantised as the encoder does it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import CLASSES, POINTS, TOKEN_COST_UNIT, Mode
from bandfold.bitstream.entropy.ans import TOKENS, to_tokens
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.onboard.quantisation.rdoq import quantise

from .corpus import Latents
from .integer_tables import integer_frequencies

EVENTS = 1e5
"""Magnitudes other than zero that every scene and step is made to count for."""

PRIOR_EVENTS = 200.0
"""What the earlier table of a class counts for."""

PRIOR_POINTS = (0.04, 0.02, 0.01)
PRIOR_MAGNITUDES = 50.0
"""Reconstruction points before any are counted, and what they count for."""

POINT_RANGE = (-0.25, 0.45)
POINT_UNIT = 256.0


@dataclass(frozen=True)
class Tally:
    """What was counted on quantised latents.

    Parameters
    ----------
    tokens : ndarray of int64, shape (classes, TOKENS)
        How often each token comes in each class, those of a second quantiser included.
    below : ndarray, shape (classes, POINTS)
        Sum of what magnitudes exceed the latents by, in steps.
    magnitudes : ndarray of int64, shape (classes, POINTS)
        How many they are.
    error : float
        Sum of squared errors, in steps squared.
    """

    tokens: NDArray[np.int64]
    below: NDArray[np.float64]
    magnitudes: NDArray[np.int64]
    error: float

    @property
    def count(self) -> int:
        """Number of latents."""
        return int(self.tokens.sum())

    def bits(self, mode: Mode) -> float:
        """Add up the bits that the latents cost.

        Parameters
        ----------
        mode : Mode
            Whose tables code them; its classes are those that were counted.

        Returns
        -------
        float
            Bits of all latents together.
        """
        return float((self.tokens * mode.costs.astype(np.int64)).sum()) / TOKEN_COST_UNIT


def quantise_strips(latents: Latents, mode: Mode) -> list[tuple[NDArray[np.int32], NDArray[np.uint8]]]:
    """Quantise as the encoder does.

    Parameters
    ----------
    latents : Latents
        Of a scene at one step.
    mode : Mode
        Statistics to quantise with.

    Returns
    -------
    list of tuple of ndarray
        Quantised latents and classes of each strip, as `bandfold.onboard.quantisation.rdoq.quantise` gives
        them.
    """
    return [quantise(strip, 1.0, mode) for strip in latents.integers()]


def tally(
    latents: Latents, strips: Iterable[tuple[NDArray[np.int32], NDArray[np.uint8]]], mode: Mode
) -> Tally:
    """Count what came out of quantising.

    Parameters
    ----------
    latents : Latents
        Of a scene at one step.
    strips : iterable of tuple of ndarray
        From `quantise_strips`.
    mode : Mode
        The same as there; says where magnitudes are reconstructed.

    Returns
    -------
    Tally
        Of all strips together.
    """
    classes_of_mode = len(mode.frequencies)
    tokens = np.zeros(classes_of_mode * TOKENS, dtype=np.int64)
    below = np.zeros(classes_of_mode * POINTS)
    counts = np.zeros(classes_of_mode * POINTS, dtype=np.int64)
    error = 0.0
    for exact, (quantised, classes) in zip(latents.integers(), strips, strict=True):
        size = np.abs(exact.transpose(1, 0, 2, 3)) / FRACTION
        magnitudes = np.abs(quantised)
        kind = classes.astype(np.int64)
        token = to_tokens(magnitudes.ravel().astype(np.int64))[0]
        tokens += np.bincount(kind.ravel() * TOKENS + token, minlength=tokens.size)
        live = magnitudes > 0
        place = kind[live] * POINTS + np.minimum(magnitudes[live] - 1, POINTS - 1)
        below += np.bincount(place, weights=magnitudes[live] - size[live], minlength=below.size)
        counts += np.bincount(place, minlength=counts.size)
        error += float(((size - mode.reconstruction_points(magnitudes, classes)) ** 2).sum())
    return Tally(
        tokens.reshape(-1, TOKENS),
        below.reshape(-1, POINTS),
        counts.reshape(-1, POINTS),
        error,
    )


def recount(
    tallies: Sequence[Tally], prior: NDArray[np.integer]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Make tables from what was counted.

    Parameters
    ----------
    tallies : sequence of Tally
        One for each scene and step; all weigh the same.
    prior : ndarray of integers, shape (classes, TOKENS)
        Frequencies that decide where little was counted.

    Returns
    -------
    frequencies : ndarray of int32, shape (classes, TOKENS)
        Each at least 1, each row summing to 2**24.
    points : ndarray of int32, shape (classes, POINTS)
        In units of ``1 / POINT_UNIT`` of a step.
    """
    counts = prior / prior.sum(axis=1, keepdims=True) * PRIOR_EVENTS
    # Levels of a second quantiser lie half a step below their magnitudes.
    level = 0.5 * (np.arange(len(counts)) // CLASSES)[:, None]
    below = (np.array(PRIOR_POINTS) + level) * PRIOR_MAGNITUDES
    magnitudes = np.full((len(counts), POINTS), PRIOR_MAGNITUDES)
    for one in tallies:
        weight = EVENTS / max(int(one.tokens[:, 1:].sum()), 1)
        counts += one.tokens * weight
        below += one.below * weight
        magnitudes += one.magnitudes * weight
    points = np.rint((np.clip(below / magnitudes - level, *POINT_RANGE) + level) * POINT_UNIT)
    return integer_frequencies(counts), points.astype(np.int32)
