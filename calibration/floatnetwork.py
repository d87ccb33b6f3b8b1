"""The context network as training leaves it: in floats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts import GROUPS
from bandfold.bitstream.dct import DIAGONAL

FEATURE_SCALE = 1.0 / 16
"""What features are multiplied by before the first layer."""

CHANNEL_GROUPS = GROUPS[DIAGONAL]
"""Group of weights that each channel uses, shape (64,)."""


@dataclass(frozen=True)
class FloatNetwork:
    """A trained context network and the statistics of its classes.

    Parameters
    ----------
    hidden : ndarray, shape (groups, FEATURES, units)
        Weights of the first layer.
    bias : ndarray, shape (64, units)
        Bias of the first layer, one per channel.
    output : ndarray, shape (groups, units)
        Weights of the second layer.
    offset : ndarray, shape (groups,)
        Bias of the second layer.
    probabilities : ndarray, shape (classes, tokens)
        Of the first tokens in each class.
    """

    hidden: NDArray[np.float64]
    bias: NDArray[np.float64]
    output: NDArray[np.float64]
    offset: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    def level(self, features: NDArray[np.uint8], channels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Compute what rounds to the class of each example.

        Parameters
        ----------
        features : ndarray of uint8, shape (n, FEATURES)
        channels : ndarray of uint8, shape (n,)

        Returns
        -------
        ndarray, shape (n,)
        """
        level = np.empty(len(features))
        groups = CHANNEL_GROUPS[channels]
        for group in range(len(self.hidden)):
            members = np.flatnonzero(groups == group)
            units = features[members] * FEATURE_SCALE @ self.hidden[group] + self.bias[channels[members]]
            level[members] = np.maximum(units, 0.0) @ self.output[group] + self.offset[group]
        return level
