"""The features of each latent that the restoration network is given.

Averages over pixels that look alike (`bandfold.ground.restoration.bilateral_filter`) differ from the decoded
planes; the cosine transform and the rotations take that difference to the latents, where each average becomes
a candidate correction. The network weighs the candidates. The other features have no sign, and a change of
sign of a component changes the sign of its corrections and nothing else: eigenvectors have no sign of their
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.bitstream.entropy.ans import DIRECT
from bandfold.bitstream.transforms.dct import FREQUENCIES
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors
from bandfold.common.scene import BLOCK, CHANNELS
from bandfold.ground.synthesis.decoded_latents import DecodedLatents

from .bilateral_filter import BilateralFilter, FilterKernel
from .block_cosines import block_cosines
from .latent_gains import LatentFacts

LARGEST_CORRECTION = 3.0
"""Steps that a candidate correction is held to: no latent is so far from its reconstruction point."""

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


Energy = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32] | np.float32]
"""Energy features: of the channel, of the block, number of the component."""


@dataclass(frozen=True)
class Candidates:
    """Candidate corrections of the latents of some columns of blocks, one for each average.

    Parameters
    ----------
    blocks : ndarray of float32, shape (rows, columns, kernels, 64, components)
        What each average would change, in steps, block by block.
    weights : ndarray of float32, shape (kernels, rows, columns)
        Logarithm of the sum of weights of each average, mean over a block: how many pixels look alike.
    """

    blocks: NDArray[np.float32]
    weights: NDArray[np.float32]

    def at(self, where: tuple[NDArray[np.intp], ...]) -> NDArray[np.float32]:
        """Candidate corrections of some latents.

        Parameters
        ----------
        where : tuple of ndarray of int, each of shape (n,)
            Channel, component, row and column of each latent.

        Returns
        -------
        ndarray of float32, shape (kernels, n)
        """
        channel, component, row, column = where
        return np.ascontiguousarray(self.blocks[row, column, :, channel, component].T)

    @property
    def corrections(self) -> NDArray[np.float32]:
        """The same with blocks last: shape (kernels, 64, components, rows, columns)."""
        return self.blocks.transpose(2, 3, 4, 0, 1)


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
    facts : LatentFacts
        What does not depend on the candidates.
    """

    def __init__(self, decoded: DecodedLatents, kernels: Sequence[FilterKernel], mode: Mode) -> None:
        self.decoded = decoded
        self._filter = BilateralFilter(decoded.planes(), kernels)
        magnitudes = np.abs(decoded.quantised)
        components = magnitudes.shape[1]
        self._channel = _log(CHANNELS * magnitudes.mean(axis=(2, 3))) / np.float32(8)
        self._block = _log(magnitudes.sum(axis=0)) / np.float32(8)
        self._number = (np.log1p(np.arange(components)) / 5).astype(np.float32)
        self._contexts = context_features(mode)
        self.facts = LatentFacts(_FREQUENCY, self._channel, self._number, self._contexts)

    def candidates(self, columns: slice) -> Candidates:
        """Compare the pixels of some columns of blocks with those around.

        Parameters
        ----------
        columns : slice
            Columns of blocks: a half-open range with explicit bounds.

        Returns
        -------
        Candidates
            Of all components.
        """
        found = self._filter.averages(columns)
        blocks = found.changes
        kernels, components = blocks.shape[1], blocks.shape[3]
        block_cosines(blocks.reshape(-1, CHANNELS, components))
        if self.decoded.chosen is not None:
            _rotate(blocks, self.decoded.chosen[:, columns].ravel(), self.decoded.rotations)
        np.clip(blocks, -LARGEST_CORRECTION, LARGEST_CORRECTION, out=blocks)
        wanted = (-1, columns.stop - columns.start)
        weights = np.log(found.sums).mean(axis=2).astype(np.float32)
        return Candidates(
            blocks.reshape(*wanted, kernels, CHANNELS, components), weights.T.reshape(kernels, *wanted)
        )

    def block_energy(self, columns: slice) -> NDArray[np.float32]:
        """Energy of each block, as the network is told.

        Parameters
        ----------
        columns : slice
            Columns of blocks: a half-open range with explicit bounds.

        Returns
        -------
        ndarray of float32, shape (rows, columns, components)
        """
        return np.ascontiguousarray(self._block[:, :, columns].transpose(1, 2, 0))

    def features(self, candidates: Candidates, columns: slice, component: int) -> NDArray[np.float32]:
        """Describe the latents of a component.

        Parameters
        ----------
        candidates : Candidates
            Candidate corrections of these columns.
        columns : slice
            Columns of blocks: a half-open range with explicit bounds.
        component : int
            Number of the component, from 0.

        Returns
        -------
        ndarray of float32, shape (features, 64, rows * columns)
            Input of the network.
        """
        quantised = self.decoded.quantised[:, component, :, columns]
        shape = (CHANNELS, quantised.shape[1] * quantised.shape[2])
        classes = self.decoded.classes[:, component, :, columns].reshape(shape)
        energy: Energy = (
            self._channel[:, component, None],
            self._block[component, :, columns].reshape(-1),
            self._number[component],
        )
        return _features(
            candidates.corrections[:, :, component].reshape(-1, *shape),
            quantised.reshape(shape),
            candidates.weights.reshape(-1, 1, shape[1]),
            _FREQUENCY[:, :, None],
            self._contexts[classes],
            energy,
        )

    def features_at(
        self, candidates: Candidates, columns: slice, where: tuple[NDArray[np.intp], ...]
    ) -> NDArray[np.float32]:
        """Describe some latents.

        Parameters
        ----------
        candidates : Candidates
            Candidate corrections of these columns.
        columns : slice
            Columns of blocks: a half-open range with explicit bounds.
        where : tuple of ndarray of int, each of shape (n,)
            Channel, component, row and column of each latent, the last one counted from the first of these
            columns.

        Returns
        -------
        ndarray of float32, shape (features, n)
            Input of the network.
        """
        channel, component, row, column = where
        place = (channel, component, row, column + columns.start)
        return _features(
            candidates.at(where),
            self.decoded.quantised[place],
            candidates.weights[:, row, column],
            _FREQUENCY[:, channel],
            self._contexts[self.decoded.classes[place]],
            (self._channel[channel, component], self._block[place[1:]], self._number[component]),
        )


def _features(
    corrections: NDArray[np.float32],
    values: NDArray[np.int32],
    weights: NDArray[np.float32],
    frequency: NDArray[np.float32],
    contexts: NDArray[np.float32],
    energy: Energy,
) -> NDArray[np.float32]:
    """Put features on top of each other: all others are as `values`, or are repeated to be."""
    count, magnitudes = len(corrections), np.abs(values)
    result = np.empty((feature_count(count), *values.shape), dtype=np.float32)
    np.abs(corrections, out=result[:count])
    np.multiply(corrections, np.sign(values), out=result[count : 2 * count])
    result[2 * count : 3 * count] = weights / 4
    # Views of the rest, one for each group of features.
    magnitude, frequencies, context, energies = np.split(result[3 * count :], np.cumsum(_SIGNLESS)[:-1])
    for value in range(MAGNITUDE_FEATURES - 1):
        magnitude[value] = magnitudes == value
    magnitude[-1] = np.log1p(magnitudes)
    frequencies[:] = frequency
    context[:] = np.moveaxis(contexts, -1, 0)
    for number, part in enumerate(energy):
        energies[number] = part
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


def _rotate(blocks: NDArray[np.float32], chosen: NDArray[np.uint8], matrices: tuple[Vectors, ...]) -> None:
    """Rotate blocks, of shape (blocks, kernels, 64, components), as the encoder did, in place."""
    components = blocks.shape[3]
    for index, matrix in enumerate(matrices):
        rotation = (matrix.integers / BASIS_UNIT).astype(np.float32)
        for number in np.flatnonzero(chosen == index):
            # One after the other: each fits into the processor's cache.
            top = blocks[number].reshape(-1, components)[:, : matrix.count]
            top[:] = top @ rotation
