"""Quantised networks as plain arrays: a stack of convolutions with ReLU, all of it in 8-bit integers.

Whatever runs such a network must give these integers. A layer computes, for each output channel::

    sum = bias + weights * (x - zero of x)                       32-bit integers, zero outside the plane
    y = clip(rint(f32(sum) * f32((sx * sw) / sy)) + zero of y)   half to even, -128 to 127

which is what QLinearConv of ONNX Runtime and CONV_2D of LiteRT compute for int8 with a scale for each output
channel. ReLU costs nothing: the zero of its output is -128, and the clipping does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import ModelError

from .onnx_graph import Node, OnnxGraph, read_graph

LOW, HIGH = -128, 127
"""Range of an 8-bit integer."""

OPERATOR = "QLinearConv"


def same_padding(kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis, as TensorFlow's SAME padding adds them.

    Parameters
    ----------
    kernel, stride : int
        The axis must be a multiple of `stride` long; then the padding does not depend on its length.

    Returns
    -------
    before, after : int
        The odd one goes behind, which is why a TFLite convolution needs no PAD operator for it.
    """
    total = kernel - stride
    return total // 2, total - total // 2


@dataclass(frozen=True)
class ConvLayer:
    """A convolution in integers.

    Parameters
    ----------
    weights : ndarray of int8, shape (outputs, inputs, kernel, kernel)
        Integer weights, in units of the scale of their output channel.
    weight_scales : ndarray of float32, shape (outputs,)
        Unit of the weights of each output channel.
    bias : ndarray of int32, shape (outputs,)
        In units of input scale times weight scale.
    stride : int
        Distance of outputs, in lines and samples of the input.
    scale : float32
        Unit of the output.
    zero : int
        Integer that stands for 0 in the output; -128 behind a ReLU.
    """

    weights: NDArray[np.int8]
    weight_scales: NDArray[np.float32]
    bias: NDArray[np.int32]
    stride: int
    scale: np.float32
    zero: int

    @property
    def kernel(self) -> int:
        """Lines and samples of the kernel."""
        return int(self.weights.shape[2])

    def multipliers(self, input_scale: np.float32) -> NDArray[np.float32]:
        """Factor from sums to the output, for each channel.

        Parameters
        ----------
        input_scale : float32
            Unit of the integers of the input.

        Returns
        -------
        ndarray of float32, shape (outputs,)
        """
        found: NDArray[np.float32] = (input_scale * self.weight_scales) / self.scale
        return found


@dataclass(frozen=True)
class ConvStack:
    """A quantised network.

    Parameters
    ----------
    scale : float32
        Unit of the input.
    zero : int
        Integer that stands for 0 in the input.
    layers : tuple of ConvLayer
        The convolutions, first to last.
    """

    scale: np.float32
    zero: int
    layers: tuple[ConvLayer, ...]

    @property
    def inputs(self) -> int:
        """Channels of the input."""
        return int(self.layers[0].weights.shape[1])

    @property
    def outputs(self) -> int:
        """Channels of the output."""
        return int(self.layers[-1].weights.shape[0])

    @cached_property
    def reduction(self) -> int:
        """Lines and samples of the input for each of the output."""
        return int(np.prod([layer.stride for layer in self.layers]))

    @property
    def scales(self) -> tuple[np.float32, ...]:
        """Unit of the input of each layer."""
        return (self.scale, *(layer.scale for layer in self.layers[:-1]))

    @property
    def zeros(self) -> tuple[int, ...]:
        """Zero of the input of each layer."""
        return (self.zero, *(layer.zero for layer in self.layers[:-1]))

    @staticmethod
    def from_onnx(data: bytes, source: str) -> ConvStack:
        """Read a stack out of an ONNX file.

        Parameters
        ----------
        data : bytes
            A chain of QLinearConv operators with int8 weights, one scale for each output channel.
        source : str
            What error messages call it.

        Returns
        -------
        ConvStack

        Raises
        ------
        ModelError
            If it holds anything else, or sums could leave 32 bits.
        """
        graph = read_graph(data, source)
        try:
            return _stack(graph)
        except (ValueError, IndexError, KeyError) as error:
            raise ModelError(
                f"{source} is no stack of quantised convolutions ({error}): export it again"
            ) from error


def _stack(graph: OnnxGraph) -> ConvStack:
    layers: list[ConvLayer] = []
    first: tuple[np.float32, int] | None = None
    before: tuple[str, np.float32, int] | None = None
    for node in graph.nodes:
        if node.operator != OPERATOR:
            raise ValueError(f"an operator {node.operator}")
        constants = [graph.constants[name] for name in node.inputs[1:]]
        if len(constants) != 8:
            raise ValueError(f"{OPERATOR} without a bias")
        x_scale, x_zero = np.float32(constants[0]), int(constants[1])
        if before is not None and before != (node.inputs[0], x_scale, x_zero):
            raise ValueError("layers that do not follow each other")
        if first is None:
            first = (x_scale, x_zero)
        layer = _layer(node, constants)
        if layers and layer.weights.shape[1] != len(layers[-1].bias):
            raise ValueError("layers that do not fit each other")
        layers.append(layer)
        before = (node.outputs[0], layer.scale, layer.zero)
    if first is None:
        raise ValueError("no operator at all")
    return ConvStack(*first, tuple(layers))


def _layer(node: Node, constants: list[NDArray[np.generic]]) -> ConvLayer:
    weights, weight_scales, weight_zeros, y_scale, y_zero, bias = constants[2:]
    outputs, _, kernel, width = weights.shape
    strides, pads = node.integers["strides"], node.integers["pads"]
    stride = strides[0]
    same = same_padding(kernel, stride)
    if kernel != width or strides != (stride, stride) or kernel < stride:
        raise ValueError(f"a kernel of {kernel} x {width} with strides {strides}")
    if pads != (same[0], same[0], same[1], same[1]):
        raise ValueError(f"padding {pads}, which is not SAME")
    if node.integers.get("group", (1,)) != (1,) or node.integers.get("dilations", (1, 1)) != (1, 1):
        raise ValueError("groups or dilations")
    if weights.dtype != np.int8 or bias.dtype != np.int32 or weight_scales.dtype != np.float32:
        raise ValueError("weights, scales or a bias of another type")
    if weight_scales.shape != (outputs,) or bias.shape != (outputs,) or weight_zeros.any():
        raise ValueError("weights without one symmetric scale for each output channel")
    wide = weights.astype(np.int64)
    largest = np.abs(wide).sum(axis=(1, 2, 3)) * (HIGH - LOW) + np.abs(bias.astype(np.int64))
    if int(largest.max()) >= 1 << 31:
        raise ValueError("sums that leave 32 bits")
    return ConvLayer(
        np.asarray(weights, np.int8),
        np.asarray(weight_scales, np.float32),
        np.asarray(bias, np.int32),
        stride,
        np.float32(y_scale),
        int(y_zero),
    )
