"""Context networks as three convolutions of 8-bit integers, whose rounding is theirs to the last bit.

A context network shifts its sums to the right, which rounds down: ``floor(v / 2**s)``. Engines of quantised
networks multiply sums by a scale and round to the nearest integer. Both agree for every integer ``v`` if half
of ``2**s`` is taken off the bias and the scale is a trifle larger than ``2**-s``: with the former as ``q``

    q - 1/2 < (v - 2**(s - 1)) * 2**-s * (1 + e) < q + 1/2      for 1 <= q <= 127 and 0 < e < 2**-s / 127.5

At the lower end the excess lifts the sum over the tie, so that it does not matter to which side an engine
rounds ties; at the upper end it is too small to reach the next one. What lies below 1 or above 127 is cut.
With ``e = 2**-(s + 9)`` the scale has so few bits that the product is good enough in float32 too.

Kernels in fixed point (of TensorFlow Lite without XNNPACK, of microcontrollers, of Ethos-U) round twice: half
the sum first, then the rest. They lose the lowest bit of the sum unless it is 0, and inputs in halves, which
double every sum, make it so: `ContextLayer.rounding_bias` has both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.context_network import BYTE_LIMIT, ContextNetwork
from bandfold.bitstream.contexts.features import GROUPS
from bandfold.bitstream.transforms.dct import DIAGONAL
from bandfold.common.errors import ModelError
from bandfold.common.scene import CHANNELS

MOST_SHIFT = 13
"""Scales of larger shifts do not have the bits that exactness needs in float32."""

_EXCESS_BITS = 9


@dataclass(frozen=True)
class ContextLayer:
    """A layer of a context network as a convolution of 1 x 1 in `CHANNELS` groups, one for each channel.

    Parameters
    ----------
    weights : ndarray of int8, shape (CHANNELS * outputs, inputs)
        Outputs of the first channel come first; inputs are those of the own channel.
    bias : ndarray of int32, shape (CHANNELS * outputs,)
        Before anything is taken off it for the rounding.
    shift : int
        By how many bits sums are shifted to the right, 0 to `MOST_SHIFT`.
    highest : int
        Outputs are cut to 0 ... `highest`, at most 127.
    """

    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    shift: int
    highest: int

    @property
    def scale(self) -> np.float32:
        """Unit of the weights: what sums are multiplied by, times 2 where the inputs are in halves."""
        excess = 2.0 ** -(self.shift + _EXCESS_BITS) if self.shift else 0.0
        return np.float32(2.0**-self.shift * (1.0 + excess))

    @property
    def reach(self) -> int:
        """What no sum exceeds in magnitude, for inputs up to 127."""
        rows = np.abs(self.weights.astype(np.int64)).sum(axis=1) * round(BYTE_LIMIT)
        return int((rows + np.abs(self.bias.astype(np.int64))).max())

    def rounding_bias(self, in_halves: bool) -> NDArray[np.int32]:
        """Bias with which engines, which round to the nearest integer, round down.

        Parameters
        ----------
        in_halves : bool
            Whether inputs are given in halves, so that sums are twice as large.

        Returns
        -------
        ndarray of int32, shape (CHANNELS * outputs,)
        """
        half = 1 << self.shift >> 1
        return ((self.bias - half) * (2 if in_halves else 1)).astype(np.int32)


def context_layers(network: ContextNetwork) -> tuple[ContextLayer, ...]:
    """Layers of a context network for all channels side by side.

    Parameters
    ----------
    network : ContextNetwork
        With two hidden layers, whose weights are bytes.

    Returns
    -------
    tuple of ContextLayer
        Three of them.

    Raises
    ------
    ModelError
        If the network has weights of more than 8 bits, or shifts that engines cannot do exactly.
    """
    if not network.deep:
        raise ModelError(
            "the context network has one hidden layer, whose weights are of 16 bits, as in tables of earlier "
            "releases: only those with two hidden layers are networks of 8-bit integers"
        )
    if not all(0 <= shift <= MOST_SHIFT for shift in network.shifts):
        raise ModelError(
            f"the context network shifts sums by {network.shifts} bits: engines of 8-bit integers are exact "
            f"with 0 to {MOST_SHIFT} bits; train the tables again"
        )
    groups = GROUPS[DIAGONAL]
    (hidden, bias), (middle, middle_bias), (output, offset) = network.layers
    parts = (
        (hidden[groups], bias, BYTE_LIMIT),
        (middle[groups], middle_bias[groups], BYTE_LIMIT),
        (output[groups][:, None], offset[groups][:, None], network.classes - 1),
    )
    return tuple(
        ContextLayer(
            weights.reshape(-1, weights.shape[-1]).astype(np.int8),
            biases.reshape(-1).astype(np.int32),
            shift,
            round(highest),
        )
        for (weights, biases, highest), shift in zip(parts, network.shifts, strict=True)
    )


def inputs_of(layer: ContextLayer) -> int:
    """How many planes a layer takes: the inputs of all channels."""
    return layer.weights.shape[-1] * CHANNELS


def outputs_of(layer: ContextLayer) -> int:
    """How many outputs a layer has for each channel."""
    return len(layer.bias) // CHANNELS
