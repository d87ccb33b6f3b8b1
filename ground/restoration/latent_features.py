"""The features of each latent that the restoration network is given.

Averages over pixels that look alike (`bandfold.ground.restoration.bilateral_filter`) differ from the decoded
planes; the cosine transform and the rotations take that difference to the latents, where each average becomes
a candidate correction. The network weighs the candidates. The other features have no sign, and a change of
sign of a component changes the sign of its corrections and nothing else: eigenvectors have no sign of their
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.bitstream.entropy.ans import DIRECT
from bandfold.bitstream.transforms.dct import FREQUENCIES
from bandfold.common.scene import BLOCK, CHANNELS
from bandfold.ground.synthesis.decoded_latents import DecodedLatents

from .bilateral_filter import FilterKernel, weighing_of
from .block_turns import BlockTurns
from .latent_gains import LatentFacts
from .pixel_similarity import averages
from .strip_blocks import StripBlocks, magnitude_sums
from .suggestions import suggest

MAGNITUDE_FEATURES = 4
"""Magnitude of a latent: whether it is 0, 1, 2, and its logarithm."""

FREQUENCY_FEATURES = 3
"""Frequency of a latent: vertical, horizontal, whether it is zero."""

CONTEXT_FEATURES = 3
"""Context of a latent: probability of 0 and of 1, logarithm of the mean magnitude."""

ENERGY_FEATURES = 3
"""Logarithms: mean magnitude of the channel in the strip, sum over the block, number of the component."""

_SIGNLESS = (MAGNITUDE_FEATURES, FREQUENCY_FEATURES, CONTEXT_FEATURES, ENERGY_FEATURES)


def feature_count(kernels: int) -> int:
    """Count the features of a latent.

    Parameters
    ----------
    kernels : int
        Averages that the network weighs.

    Returns
    -------
    int
        Each candidate twice, each weight, and what is known of magnitude, frequency, context and energy.
    """
    return 3 * kernels + sum(_SIGNLESS)


Blocks = slice | NDArray[np.intp]
"""Numbers of blocks, counted row by row."""


@dataclass(frozen=True)
class Candidates:
    """Candidate corrections of the latents of some blocks, one for each average.

    Parameters
    ----------
    blocks : ndarray of float32, shape (blocks, kernels, 64, filled)
        What each average would change, in steps.
    weights : ndarray of float32, shape (blocks, kernels)
        Logarithm of the sum of weights of each average, mean over a block: how many pixels look alike.
    """

    blocks: NDArray[np.float32]
    weights: NDArray[np.float32]

    def of(self, component: int) -> NDArray[np.float32]:
        """Candidate corrections of a component: shape (kernels, 64, blocks)."""
        return self.blocks[..., component].transpose(1, 2, 0)


def channel_energy(decoded: DecodedLatents) -> NDArray[np.float32]:
    """Energy of each channel of each component in a strip, as the network is told.

    Parameters
    ----------
    decoded : DecodedLatents
        The strip.

    Returns
    -------
    ndarray of float32, shape (64, components)
    """
    rows, columns = decoded.quantised.shape[2:]
    return _log(magnitude_sums(decoded.quantised) * (CHANNELS / (rows * columns))) / np.float32(8)


class FeatureExtractor:
    """Computes the features of the latents of a strip.

    Parameters
    ----------
    decoded : DecodedLatents
        The strip.
    kernels : sequence of FilterKernel
        Averages that the network weighs.
    mode : Mode
        Statistics of the contexts that the latents were coded in.

    Attributes
    ----------
    decoded : DecodedLatents
        What was given.
    facts : LatentFacts
        What does not depend on the candidates, as whole numbers.
    """

    def __init__(self, decoded: DecodedLatents, kernels: Sequence[FilterKernel], mode: Mode) -> None:
        self.decoded = decoded
        self._turns = BlockTurns(decoded.rotations)
        self._weighing = weighing_of(kernels)
        self._channel = channel_energy(decoded)
        self._number = (np.log1p(np.arange(decoded.quantised.shape[1])) / 5).astype(np.float32)
        self._contexts = context_features(mode)
        self.facts = LatentFacts(_FREQUENCY, self._channel, self._number, self._contexts)

    def of_part(self, decoded: DecodedLatents) -> FeatureExtractor:
        """Look at a part of the strip, of which everything else is known.

        Parameters
        ----------
        decoded : DecodedLatents
            The part.

        Returns
        -------
        FeatureExtractor
        """
        other = copy(self)
        other.__dict__.pop("blocks", None)
        other.decoded = decoded
        return other

    @cached_property
    def blocks(self) -> StripBlocks:
        """The strip block by block."""
        return StripBlocks(self.decoded, self._turns)

    def energy(self, part: Blocks) -> NDArray[np.float32]:
        """Energy of some blocks, as the network is told.

        Parameters
        ----------
        part : Blocks
            Which blocks.

        Returns
        -------
        ndarray of float32, shape (blocks, filled)
        """
        return _log(self.blocks.magnitudes[part]) / np.float32(8)

    def candidates(self, part: Blocks) -> Candidates:
        """Compare the pixels of some blocks with those around.

        Parameters
        ----------
        part : Blocks
            Which blocks.

        Returns
        -------
        Candidates
            Of all components.
        """
        found = averages(self.blocks, self._weighing, self.blocks.starts[part])
        suggest(found.changes, self._turns, self.blocks.chosen_of(part))
        return Candidates(found.changes, np.log(found.sums).mean(axis=2))

    def features(self, candidates: Candidates, part: Blocks, component: int) -> NDArray[np.float32]:
        """Describe the latents of a component.

        Parameters
        ----------
        candidates : Candidates
            Candidate corrections of these blocks.
        part : Blocks
            Which blocks.
        component : int
            Number of the component, from 0.

        Returns
        -------
        ndarray of float32, shape (features, 64, blocks)
            Input of the network.
        """
        values = self.blocks.levels[part, :, component].T
        corrections, magnitudes = candidates.of(component), np.abs(values)
        count = len(corrections)
        result = np.empty((feature_count(count), *values.shape), dtype=np.float32)
        np.abs(corrections, out=result[:count])
        np.multiply(corrections, np.sign(values), out=result[count : 2 * count])
        result[2 * count : 3 * count] = candidates.weights.T[:, None] / 4
        # Views of the rest, one for each group of features.
        magnitude, frequencies, context, energies = np.split(result[3 * count :], np.cumsum(_SIGNLESS)[:-1])
        for value in range(MAGNITUDE_FEATURES - 1):
            magnitude[value] = magnitudes == value
        magnitude[-1] = np.log1p(magnitudes)
        frequencies[:] = _FREQUENCY[:, :, None]
        context[:] = np.moveaxis(self._contexts[self.blocks.classes[part, :, component].T], -1, 0)
        energies[0] = self._channel[:, component, None]
        energies[1] = self.energy(part)[:, component]
        energies[2] = self._number[component]
        return result


def context_features(mode: Mode) -> NDArray[np.float32]:
    """What each context lets expect of a latent, from its table of frequencies.

    Parameters
    ----------
    mode : Mode
        Statistics of the contexts.

    Returns
    -------
    ndarray of float32, shape (classes, CONTEXT_FEATURES)
        Probability of 0 and of 1, scaled logarithm of the mean magnitude.
    """
    chances = mode.frequencies / mode.frequencies.sum(axis=1, keepdims=True)
    # Tokens beyond are of several magnitudes; they are rare where it matters.
    mean = chances[:, : DIRECT + 1] @ np.arange(DIRECT + 1)
    return np.stack([chances[:, 0], chances[:, 1], np.log2(mean + 2.0**-10) / 8], axis=1).astype(np.float32)


def _log(values: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.float32]:
    logarithms: NDArray[np.float32] = np.log1p(values).astype(np.float32)
    return logarithms


def _frequency_features() -> NDArray[np.float32]:
    """Of each channel: shape (FREQUENCY_FEATURES, 64)."""
    features = [*(FREQUENCIES.T / BLOCK), FREQUENCIES.sum(axis=1) == 0]
    return np.array(features, dtype=np.float32)


_FREQUENCY = _frequency_features()
