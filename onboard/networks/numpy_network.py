"""The golden engine: quantised networks in NumPy. Slow, exact, and with nothing to install."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .conv_stack import HIGH, LOW, ConvLayer, ConvStack, same_padding
from .engine import run_channels_last

_WINDOWS = 1 << 22
"""Entries of the matrix that a part of a layer is multiplied as: bounds the memory."""


class NumpyNetwork:
    """A quantised network run by NumPy.

    Sums are of integers below 2**53 held in float64: exact in any order, so BLAS gives the same on every
    machine.

    Parameters
    ----------
    stack : ConvStack
        The convolutions as arrays.
    """

    def __init__(self, stack: ConvStack) -> None:
        self._stack = stack

    def run(self, batch: NDArray[np.int8]) -> NDArray[np.int8]:
        """Put a batch through the network; see `IntegerNetwork.run`."""
        for result in self.layers(batch):
            batch = result
        return batch

    def run_last(self, last: NDArray[np.int8]) -> NDArray[np.int8]:
        """The same with channels last; see `IntegerNetwork.run_last`."""
        return run_channels_last(self.run, last)

    def layers(self, batch: NDArray[np.int8]) -> Iterator[NDArray[np.int8]]:
        """Put a batch through the network, layer by layer.

        Parameters
        ----------
        batch : ndarray of int8, shape (n, inputs, lines, samples)
            Planes as integers.

        Yields
        ------
        ndarray of int8
            Output of each layer.
        """
        stack = self._stack
        for layer, scale, zero in zip(stack.layers, stack.scales, stack.zeros, strict=True):
            batch = np.stack([_convolve(plane, layer, scale, zero) for plane in batch])
            yield batch


def _convolve(
    plane: NDArray[np.int8], layer: ConvLayer, input_scale: np.float32, input_zero: int
) -> NDArray[np.int8]:
    """Run a layer on one element of a batch, shape (inputs, lines, samples)."""
    pads = same_padding(layer.kernel, layer.stride)
    centred = np.pad(plane.astype(np.float64) - input_zero, ((0, 0), pads, pads))
    windows = sliding_window_view(centred, (layer.kernel, layer.kernel), axis=(1, 2))
    windows = windows[:, :: layer.stride, :: layer.stride].transpose(1, 2, 0, 3, 4)
    rows, columns = windows.shape[:2]
    weights = layer.weights.reshape(len(layer.weights), -1).astype(np.float64)
    factors = layer.multipliers(input_scale)
    result = np.empty((len(weights), rows, columns), dtype=np.int8)
    at_once = max(_WINDOWS // (columns * weights.shape[1]), 1)
    for start in range(0, rows, at_once):
        part = windows[start : start + at_once]
        # Sums are below 2**31: the conversion to float32 is the only rounding before the last one.
        sums = part.reshape(-1, weights.shape[1]) @ weights.T + layer.bias
        scaled = np.rint(sums.astype(np.float32) * factors) + np.float32(layer.zero)
        clipped = np.clip(scaled, LOW, HIGH).astype(np.int8)
        result[:, start : start + at_once] = clipped.T.reshape(len(weights), -1, columns)
    return result
