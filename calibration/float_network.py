"""The context network as training leaves it: in floats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.features import GROUPS
from bandfold.bitstream.transforms.dct import DIAGONAL

FEATURE_SCALE = 1.0 / 16
"""What features are multiplied by before the first layer."""

CHANNEL_GROUPS = GROUPS[DIAGONAL]
"""Group of weights that each channel uses, shape (64,)."""


@dataclass(frozen=True)
class FloatNetwork:
    """A trained context network and the statistics of its classes.

    Parameters
    ----------
    hidden : ndarray, shape (groups, features, units)
        Weights of the first layer.
    bias : ndarray, shape (64, units)
        Bias of the first layer, one per channel.
    middle : ndarray, shape (groups, units, middle units)
        Weights of the second layer.
    middle_bias : ndarray, shape (groups, middle units)
        Bias of the second layer.
    output : ndarray, shape (groups, middle units)
        Weights of the last layer.
    offset : ndarray, shape (groups,)
        Bias of the last layer.
    probabilities : ndarray, shape (quantisers * classes, tokens)
        Of the first tokens in each class.
    """

    hidden: NDArray[np.float64]
    bias: NDArray[np.float64]
    middle: NDArray[np.float64]
    middle_bias: NDArray[np.float64]
    output: NDArray[np.float64]
    offset: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    def units(
        self, features: NDArray[np.uint8], channels: NDArray[np.uint8], group: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute both hidden layers of examples whose channels are of one group.

        Parameters
        ----------
        features : ndarray of uint8, shape (n, features)
            What is known around each latent.
        channels : ndarray of uint8, shape (n,)
            Frequency of each latent, 0 to 63.
        group : int
            Number of the group of weights.

        Returns
        -------
        first : ndarray, shape (n, units)
            Units of the first hidden layer.
        second : ndarray, shape (n, middle units)
            Units of the second hidden layer.
        """
        first = np.maximum(features * FEATURE_SCALE @ self.hidden[group] + self.bias[channels], 0.0)
        return first, np.maximum(first @ self.middle[group] + self.middle_bias[group], 0.0)

    def level(self, features: NDArray[np.uint8], channels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Compute what rounds to the class of each example, quantisers aside.

        Parameters
        ----------
        features : ndarray of uint8, shape (n, features)
            What is known around each latent.
        channels : ndarray of uint8, shape (n,)
            Frequency of each latent, 0 to 63.

        Returns
        -------
        ndarray, shape (n,)
            Not rounded, not held to the classes that there are.
        """
        level = np.empty(len(features))
        for group, members in members_of_groups(channels):
            second = self.units(features[members], channels[members], group)[1]
            level[members] = second @ self.output[group] + self.offset[group]
        return level


def members_of_groups(channels: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Give each group of weights and the examples that use it.

    Parameters
    ----------
    channels : ndarray of uint8, shape (n,)
        Frequency of each example, 0 to 63.

    Yields
    ------
    group : int
        Number of the group.
    members : ndarray of intp
        Numbers of the examples, rising; may be empty.
    """
    groups = CHANNEL_GROUPS[channels]
    for group in range(int(GROUPS.max()) + 1):
        yield group, np.flatnonzero(groups == group)
