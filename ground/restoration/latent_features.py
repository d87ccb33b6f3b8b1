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
from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT, FREQUENCIES
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors
from bandfold.common.scene import BLOCK, CHANNELS
from bandfold.ground.synthesis.decoded_latents import DecodedLatents

from .bilateral_filter import FilterKernel, bilateral_filter

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


@dataclass(frozen=True)
class Candidates:
    """Candidate corrections of the latents of some columns of blocks, one for each average.

    Parameters
    ----------
    corrections : ndarray of float32, shape (kernels, 64, components, rows, columns)
        What each average would change, in steps.
    weights : ndarray of float32, shape (kernels, rows, columns)
        Logarithm of the sum of weights of each average, mean over a block: how many pixels look alike.
    """

    corrections: NDArray[np.float32]
    weights: NDArray[np.float32]


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
    """

    def __init__(self, decoded: DecodedLatents, kernels: Sequence[FilterKernel], mode: Mode) -> None:
        self.decoded = decoded
        self._kernels = kernels
        self._planes = decoded.planes()
        magnitudes = np.abs(decoded.quantised)
        self._channel = _log(CHANNELS * magnitudes.mean(axis=(2, 3)))
        self._block = _log(magnitudes.sum(axis=0))
        self._contexts = context_features(mode)

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
        averages, weights = bilateral_filter(self._planes, columns, self._kernels)
        averages -= self._planes[:, :, columns.start * BLOCK : columns.stop * BLOCK]
        corrections = np.stack([_cosine_transform(planes) for planes in averages])
        if self.decoded.chosen is not None:
            _rotate(corrections, self.decoded.chosen[:, columns], self.decoded.rotations)
        np.clip(corrections, -LARGEST_CORRECTION, LARGEST_CORRECTION, out=corrections)
        return Candidates(corrections, weights)

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
        values = quantised.reshape(shape)
        magnitudes = np.abs(values)
        corrections = candidates.corrections[:, :, component].reshape(-1, *shape)
        count = len(corrections)
        result = np.empty((feature_count(count), *shape), dtype=np.float32)
        np.abs(corrections, out=result[:count])
        np.multiply(corrections, np.sign(values), out=result[count : 2 * count])
        result[2 * count : 3 * count] = candidates.weights.reshape(count, 1, -1) / 4
        # Views of the rest, one for each group of features.
        magnitude, frequency, context, energy = np.split(result[3 * count :], np.cumsum(_SIGNLESS)[:-1])
        for value in range(MAGNITUDE_FEATURES - 1):
            magnitude[value] = magnitudes == value
        magnitude[-1] = np.log1p(magnitudes)
        frequency[:-1] = FREQUENCIES.T[:, :, None] / BLOCK
        frequency[-1] = (FREQUENCIES.sum(axis=1) == 0)[:, None]
        classes = self.decoded.classes[:, component, :, columns].reshape(shape)
        context[:] = self._contexts[classes].transpose(2, 0, 1)
        energy[0] = self._channel[:, component, None] / 8
        energy[1] = self._block[component, :, columns].reshape(-1) / 8
        energy[2] = np.log1p(component) / 5
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


def _cosine_transform(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Latents of planes: shape (64, components, rows, columns)."""
    count, lines, samples = planes.shape
    rows, columns = lines // BLOCK, samples // BLOCK
    blocks = planes.reshape(count, rows, BLOCK, columns, BLOCK).transpose(2, 4, 0, 1, 3)
    matrix = (DCT / DCT_UNIT).astype(np.float32)
    return (matrix @ blocks.reshape(CHANNELS, -1)).reshape(CHANNELS, count, rows, columns)


def _rotate(
    corrections: NDArray[np.float32], chosen: NDArray[np.uint8], matrices: tuple[Vectors, ...]
) -> None:
    """Rotate each block as the encoder did, in place: the last two axes are positions."""
    for index, matrix in enumerate(matrices):
        members = chosen == index
        if members.any():
            rotation = (matrix.integers.T / BASIS_UNIT).astype(np.float32)
            top = corrections[:, :, : matrix.count, members]
            corrections[:, :, : matrix.count, members] = np.einsum("ij,wcjb->wcib", rotation, top)
