"""Examples for training: what is known around a latent, and the token that it became."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.context_network import FEATURES, MOST_FEATURES
from bandfold.bitstream.contexts.features import (
    CHANNEL_FEATURES,
    DIAGONAL_SLICES,
    DIAGONALS,
    EXTENDED_FEATURES,
    LATENT_FEATURES,
    POSITION_FEATURES,
    Past,
    Surroundings,
    magnitudes_of,
)
from bandfold.bitstream.contexts.trellis_states import set_of_latents
from bandfold.bitstream.entropy.ans import to_tokens

LIVELY_SHARE = 0.8
"""Share of the examples that are taken where something is known to be there; the rest are lone zeros."""

_TELLING = [0, 1, 4, 5, 6, -POSITION_FEATURES - CHANNEL_FEATURES]
"""Features that tell whether anything is near: next in frequency, next in place, in the last component."""


@dataclass(frozen=True)
class Examples:
    """Examples drawn from the latents of one scene at one step.

    Parameters
    ----------
    features : ndarray of uint8, shape (n, FEATURES), or (n, MOST_FEATURES) with two quantisers
        What is known around each latent; see `bandfold.bitstream.contexts.features`.
    tokens : ndarray of uint8, shape (n,)
        What each latent is coded as.
    channels : ndarray of uint8, shape (n,)
        Frequency of the cosine transform, 0 to 63.
    second : ndarray of bool, shape (n,)
        Which latents went through the second of two quantisers.
    weights : ndarray of float32, shape (n,)
        Latents that each example stands for.
    """

    features: NDArray[np.uint8]
    tokens: NDArray[np.uint8]
    channels: NDArray[np.uint8]
    second: NDArray[np.bool_]
    weights: NDArray[np.float32]

    def not_extended(self) -> Examples:
        """The same as networks see them that are not extended."""
        further = range(LATENT_FEATURES, LATENT_FEATURES + EXTENDED_FEATURES)
        return replace(self, features=np.delete(self.features, further, axis=1))


def draw_examples(
    strips: Sequence[NDArray[np.int32]], count: int, rng: np.random.Generator, dependent: bool = False
) -> Examples:
    """Draw about `count` examples from quantised latents.

    Most latents are zeros among zeros, which teach little: they are drawn more rarely than the others, and
    weigh more.

    Parameters
    ----------
    strips : sequence of ndarray of int32, each of shape (64, components, rows, columns)
        Quantised latents, strip by strip.
    count : int
        Examples wanted.
    rng : numpy.random.Generator
        Source of chance.
    dependent : bool
        Whether there are two quantisers.

    Returns
    -------
    drawn : Examples
        Fewer than asked for if there are not so many latents.
    """
    parts = [part for strip in strips for part in _describe(strip, dependent)]
    lively = [(tokens > 0) | (known[_TELLING].max(axis=0) > 0) for known, tokens, *_ in parts]
    number = sum(int(flags.sum()) for flags in lively)
    others = sum(flags.size for flags in lively) - number
    chance = (
        min(1.0, count * (1 - LIVELY_SHARE) / max(others, 1)),
        min(1.0, count * LIVELY_SHARE / max(number, 1)),
    )
    none = np.zeros(0, np.uint8)
    features = MOST_FEATURES if dependent else FEATURES
    drawn = [(np.zeros((0, features), np.uint8), none, none, none.astype(np.bool_), np.zeros(0))]
    for (known, tokens, channels, second), flags in zip(parts, lively, strict=True):
        probability = np.where(flags, chance[1], chance[0])
        taken = rng.random(flags.size) < probability
        drawn.append(
            (known[:, taken].T, tokens[taken], channels[taken], second[taken], 1.0 / probability[taken])
        )
    known, tokens, channels, second, weights = (np.concatenate(column) for column in zip(*drawn, strict=True))
    return Examples(known, tokens, channels, second, weights.astype(np.float32))


def _describe(
    quantised: NDArray[np.int32], dependent: bool
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]]:
    """Features (features, n), tokens, channels and quantisers of each diagonal of a strip."""
    _, count, rows, columns = quantised.shape
    if not quantised.size:
        return
    second = set_of_latents(quantised) if dependent else np.zeros(quantised.shape, dtype=np.uint8)
    magnitudes = magnitudes_of(quantised, dependent, second)
    now = Surroundings(count, rows, columns, extended=dependent)
    for diagonal in range(DIAGONALS):
        now.learn(diagonal, magnitudes[DIAGONAL_SLICES[diagonal]])
    nothing = Past.empty(2, rows, columns, extended=dependent)
    run = nothing.then(now.past(nothing))
    last, before = run.part(1, count + 1), run.part(0, count)
    for diagonal in range(DIAGONALS):
        channels = DIAGONAL_SLICES[diagonal]
        values = quantised[channels]
        shared = now.position_features(diagonal, last)[:, None], now.channel_features(diagonal, last)
        known = (now.latent_features(diagonal, last, before), shared[0], shared[1][..., None, None])
        planes = [np.broadcast_to(one, (len(one), *values.shape)).reshape(len(one), -1) for one in known]
        numbers = np.arange(channels.start, channels.stop, dtype=np.uint8)
        yield (
            np.concatenate([plane.astype(np.uint8) for plane in planes]),
            to_tokens(np.abs(values).ravel().astype(np.int64))[0].astype(np.uint8),
            np.repeat(numbers, values[0].size),
            second[channels].ravel().astype(np.bool_),
        )
