"""Trains the tables of refinement: weights of contexts, and frequencies of tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.entropy.ans import TOKENS, token_base
from bandfold.bitstream.refinement.scales import CLASSES, FIRST_CLASS, MEAN, OCTAVE, UNIT_SCALE, WEIGHT_GROUPS
from bandfold.bitstream.refinement.tables import (
    FEATURES,
    WEIGHT_UNIT,
    RefinementTables,
    refinement_from_arrays,
)

from .integer_tables import integer_frequencies
from .refinement_material import ContextExamples

SIZES = np.array([MEAN, 1, 2, 9, 25, 16, 144, 112], dtype=np.float64)
"""What each feature is where all magnitudes around are 1."""

_ITERATIONS = 80
_LEAST = 0.25
_USUAL_EXAMPLES = 20000
_PRIOR = 400.0
_TAIL = 1e-4
_TAIL_FALL = 0.7
_SCENE = 3e6


def train_weights(examples: ContextExamples) -> NDArray[np.int32]:
    """Weights that expect magnitudes best, as if these were distributed exponentially.

    Parameters
    ----------
    examples : ContextExamples
        Of all scales.

    Returns
    -------
    ndarray of int32, shape (WEIGHT_GROUPS, FEATURES)
        Groups with few examples are drawn to those of all scales.
    """
    usual = _fit(examples.features, examples.magnitudes)
    rows = []
    for group in range(WEIGHT_GROUPS):
        chosen = examples.groups == group
        count = int(chosen.sum())
        share = count / (count + _USUAL_EXAMPLES)
        own = _fit(examples.features[chosen], examples.magnitudes[chosen]) if count else usual
        rows.append(share * own + (1.0 - share) * usual)
    result: NDArray[np.int32] = np.rint(np.array(rows) / SIZES * WEIGHT_UNIT).astype(np.int32)
    return result


def _fit(features: NDArray[np.float64], magnitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least divergence of Itakura and Saito, by multiplicative updates (C. Fevotte et al., 2009)."""
    planes, target = features / SIZES, magnitudes + _LEAST
    planes[:, 0] = 1.0
    weights = np.full(FEATURES, 1.0 / FEATURES)
    weights[0] = 1.0
    for _ in range(_ITERATIONS):
        expected = np.maximum(planes @ weights, 1e-3)
        weights = (
            weights * (planes.T @ (target / expected**2)) / np.maximum(planes.T @ (1.0 / expected), 1e-9)
        )
    return weights


def train_frequencies(counts: Sequence[NDArray[np.int64]]) -> NDArray[np.int32]:
    """Frequencies of tokens from what was counted in several scenes.

    Parameters
    ----------
    counts : sequence of ndarray of int64, each of shape (CLASSES, TOKENS)
        One for each scene; large scenes count no more than others.

    Returns
    -------
    ndarray of int32, shape (CLASSES, TOKENS)
        Each at least 1, each row summing to 2**24.
    """
    total = sum(one * min(_SCENE / max(one.sum(), 1), 1.0) for one in counts)
    return integer_frequencies(total + _PRIOR * geometric_tokens())


def geometric_tokens() -> NDArray[np.float64]:
    """Probabilities of tokens where numbers are distributed geometrically on both sides of 0.

    Returns
    -------
    ndarray of float64, shape (CLASSES, TOKENS)
        With a tail that falls more slowly, so that no token is out of reach.
    """
    first, widths = token_base(np.arange(TOKENS, dtype=np.int32))
    low = first.astype(np.float64)
    high = low + np.exp2(widths.astype(np.float64))
    octaves = (FIRST_CLASS - UNIT_SCALE + 2 * np.arange(CLASSES) + 1) / OCTAVE
    mean = np.exp2(octaves)[:, None]
    fall = (np.sqrt(1.0 + mean * mean) - 1.0) / mean
    inner = np.where(low == 0, (1.0 - fall) / (1.0 + fall), 2.0 / (1.0 + fall) * (fall**low - fall**high))
    tail = _TAIL * np.minimum(mean, 1.0) * _TAIL_FALL ** np.arange(TOKENS)
    result: NDArray[np.float64] = inner + tail
    return result


def first_tables(frequencies: NDArray[np.int32] | None = None) -> RefinementTables:
    """Tables to begin with: all features count alike, and numbers are distributed geometrically.

    Parameters
    ----------
    frequencies : ndarray of int32, shape (CLASSES, TOKENS), optional
        Others than these.

    Returns
    -------
    RefinementTables
    """
    weights = np.full((WEIGHT_GROUPS, FEATURES), WEIGHT_UNIT / FEATURES / SIZES)
    chosen = integer_frequencies(geometric_tokens()) if frequencies is None else frequencies
    return refinement_from_arrays({"weights": np.rint(weights), "frequencies": chosen})
