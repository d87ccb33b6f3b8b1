"""What a restoration network is shown of each latent.

Averages over pixels that look alike (`bandfold.ground.restoration.smoothing`) differ from the decoded planes;
the cosine transform and the rotations take that difference to the latents, where each average suggests a
correction. The network weighs the suggestions. What it is told besides has no sign, and a change of sign of a
component changes the sign of its corrections and nothing else: eigenvectors have no sign of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.bitstream.entropy.tokens import DIRECT
from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT, FREQUENCIES
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors
from bandfold.common.scene import BLOCK, CHANNELS
from bandfold.ground.synthesis.inverse import synthesise, unrotate

from .smoothing import Window, smooth

LARGEST_SUGGESTION = 3.0
"""Steps that a suggestion is held to: no latent is so far from its point, and networks fear outliers."""

STATES = 4
"""Facts about the magnitude of a latent: 0, 1, 2, and its logarithm."""

PLACES = 3
"""Facts about a frequency: vertical, horizontal, whether it is zero."""

CLASS_FACTS = 3
"""Facts about a context: chance of 0 and of 1, logarithm of the mean magnitude."""

ENERGIES = 3
"""Logarithms: mean magnitude of the channel in the strip, sum over the block, number of the component."""


def facts(windows: int) -> int:
    """Count what the network is told of a latent: twice each suggestion, each weight, and the rest."""
    return 3 * windows + STATES + PLACES + CLASS_FACTS + ENERGIES


@dataclass(frozen=True)
class Decoded:
    """A strip as it was decoded.

    Parameters
    ----------
    quantised : ndarray of int32, shape (64, components, rows, columns)
    classes : ndarray of uint8, same shape
    points : ndarray of float32, same shape
        Reconstruction points, in steps.
    chosen : ndarray of uint8, shape (rows, columns), or None
    rotations : tuple of Vectors
    """

    quantised: NDArray[np.int32]
    classes: NDArray[np.uint8]
    points: NDArray[np.float32]
    chosen: NDArray[np.uint8] | None
    rotations: tuple[Vectors, ...]

    def planes(self) -> NDArray[np.float32]:
        """Component planes in steps, shape (components, 8 * rows, 8 * columns)."""
        latents = self.points.astype(np.float64)
        if self.chosen is not None:
            unrotate(latents, self.chosen, self.rotations)
        rows, columns = latents.shape[2:]
        return synthesise(latents, rows * BLOCK, columns * BLOCK).astype(np.float32)


@dataclass(frozen=True)
class Evidence:
    """What is known of the latents of some columns of blocks.

    Parameters
    ----------
    suggestions : ndarray of float32, shape (windows, 64, components, rows, columns)
        What each average would change, in steps.
    weights : ndarray of float32, shape (windows, rows, columns)
    """

    suggestions: NDArray[np.float32]
    weights: NDArray[np.float32]


class Witness:
    """Gathers evidence on a strip.

    Parameters
    ----------
    decoded : Decoded
    windows : sequence of Window
    mode : Mode
        Whose contexts the classes are.
    """

    def __init__(self, decoded: Decoded, windows: Sequence[Window], mode: Mode) -> None:
        self.decoded = decoded
        self._windows = windows
        self._planes = decoded.planes()
        magnitudes = np.abs(decoded.quantised)
        self._channel = _log(CHANNELS * magnitudes.mean(axis=(2, 3)))
        self._block = _log(magnitudes.sum(axis=0))
        self._classes = class_facts(mode)

    def look(self, columns: slice) -> Evidence:
        """Compare the pixels of some columns of blocks with those around.

        Parameters
        ----------
        columns : slice

        Returns
        -------
        Evidence
        """
        averages, weights = smooth(self._planes, columns, self._windows)
        averages -= self._planes[:, :, columns.start * BLOCK : columns.stop * BLOCK]
        suggestions = np.stack([_analyse(plane) for plane in averages])
        if self.decoded.chosen is not None:
            _rotate(suggestions, self.decoded.chosen[:, columns], self.decoded.rotations)
        np.clip(suggestions, -LARGEST_SUGGESTION, LARGEST_SUGGESTION, out=suggestions)
        return Evidence(suggestions, weights)

    def facts(self, evidence: Evidence, columns: slice, component: int) -> NDArray[np.float32]:
        """Describe the latents of a component.

        Parameters
        ----------
        evidence : Evidence
            Of these columns.
        columns : slice
        component : int

        Returns
        -------
        ndarray of float32, shape (facts, 64, rows * columns)
        """
        quantised = self.decoded.quantised[:, component, :, columns]
        shape = (CHANNELS, quantised.shape[1] * quantised.shape[2])
        values = quantised.reshape(shape)
        magnitudes = np.abs(values)
        suggestions = evidence.suggestions[:, :, component].reshape(-1, *shape)
        count = len(suggestions)
        result = np.empty((facts(count), *shape), dtype=np.float32)
        np.abs(suggestions, out=result[:count])
        np.multiply(suggestions, np.sign(values), out=result[count : 2 * count])
        result[2 * count : 3 * count] = evidence.weights.reshape(count, 1, -1) / 4
        rest = result[3 * count :]
        for magnitude in range(STATES - 1):
            rest[magnitude] = magnitudes == magnitude
        rest[STATES - 1] = np.log1p(magnitudes)
        places = rest[STATES : STATES + PLACES]
        places[: PLACES - 1] = FREQUENCIES.T[:, :, None] / BLOCK
        places[PLACES - 1] = (FREQUENCIES.sum(axis=1) == 0)[:, None]
        kinds = self.decoded.classes[:, component, :, columns].reshape(shape)
        rest[STATES + PLACES : STATES + PLACES + CLASS_FACTS] = self._classes[kinds].transpose(2, 0, 1)
        energies = rest[STATES + PLACES + CLASS_FACTS :]
        energies[0] = self._channel[:, component, None] / 8
        energies[1] = self._block[component, :, columns].reshape(-1) / 8
        energies[2] = np.log1p(component) / 5
        return result


def class_facts(mode: Mode) -> NDArray[np.float32]:
    """What the context of a latent lets expect of it, from its table: shape (classes, CLASS_FACTS)."""
    chances = mode.frequencies / mode.frequencies.sum(axis=1, keepdims=True)
    # Tokens beyond are of several magnitudes; they are rare where it matters.
    mean = chances[:, : DIRECT + 1] @ np.arange(DIRECT + 1)
    return np.stack([chances[:, 0], chances[:, 1], np.log2(mean + 2.0**-10) / 8], axis=1).astype(np.float32)


def _log(values: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.float32]:
    logarithms: NDArray[np.float32] = np.log1p(values).astype(np.float32)
    return logarithms


def _analyse(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Latents of planes: shape (64, components, rows, columns)."""
    count, lines, samples = planes.shape
    rows, columns = lines // BLOCK, samples // BLOCK
    blocks = planes.reshape(count, rows, BLOCK, columns, BLOCK).transpose(2, 4, 0, 1, 3)
    matrix = (DCT / DCT_UNIT).astype(np.float32)
    return (matrix @ blocks.reshape(CHANNELS, -1)).reshape(CHANNELS, count, rows, columns)


def _rotate(
    suggestions: NDArray[np.float32], chosen: NDArray[np.uint8], matrices: tuple[Vectors, ...]
) -> None:
    """Rotate each block as the encoder did, in place: the last two axes are positions."""
    for index, matrix in enumerate(matrices):
        members = chosen == index
        if members.any():
            rotation = (matrix.integers.T / BASIS_UNIT).astype(np.float32)
            top = suggestions[:, :, : matrix.count, members]
            suggestions[:, :, : matrix.count, members] = np.einsum("ij,wcjb->wcib", rotation, top)
