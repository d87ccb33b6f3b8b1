"""The analysis of a model as compilers of accelerators take it: of one shape, symmetric, or in floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from bandfold.common.errors import ModelError, SettingsError
from bandfold.common.onnx_session import INPUT, OUTPUT
from bandfold.common.scene import block_rows
from bandfold.onboard.networks.conv_stack import HIGH, LOW, ConvStack, same_padding

from .onnx_versions import IR_VERSION, OPSET
from .tflite import to_tflite


@dataclass(frozen=True)
class Shape:
    """Extent of what the network is shown at once.

    Parameters
    ----------
    lines, samples : int
        Of a strip.
    """

    lines: int
    samples: int

    def positions(self, stack: ConvStack) -> tuple[int, int]:
        """Rows and columns of the input of a network.

        Parameters
        ----------
        stack : ConvStack
            Of single samples, or of blocks with those around the strip.

        Returns
        -------
        tuple of int
        """
        if stack.inputs == 1:
            step = stack.reduction
            return -(-self.lines // step) * step, -(-self.samples // step) * step
        return block_rows(self.lines) + 2, block_rows(self.samples) + 2


def to_static_tflite(stack: ConvStack, shape: Shape) -> bytes:
    """A quantised network for compilers that need one shape: Ethos-U (Vela), Edge TPU, NNAPI.

    Parameters
    ----------
    stack : ConvStack
        The network.
    shape : Shape
        Of the strips that it is to run on.

    Returns
    -------
    bytes
        The integers of every other engine.
    """
    return to_tflite(stack, shape.positions(stack))


def to_qdq(stack: ConvStack, shape: Shape) -> bytes:
    """A quantised network as TensorRT takes it: Q/DQ with zero points of 0, floats in and out.

    Parameters
    ----------
    stack : ConvStack
        The network, all of whose zeros are 0.
    shape : Shape
        Of the strips that it is to run on.

    Returns
    -------
    bytes
        ONNX.

    Raises
    ------
    ModelError
        If a zero is not 0, as behind a ReLU.
    """
    if stack.zero or any(layer.zero for layer in stack.layers):
        raise ModelError("the network is not symmetric: its zero points are not 0, which TensorRT refuses")
    graph = _Graph(stack, shape)
    x = graph.quantised(INPUT, "input", stack.scale)
    for number, layer in enumerate(stack.layers, start=1):
        weights = graph.constant(f"weights-{number}", layer.weights)
        scales = graph.constant(f"weight-scales-{number}", layer.weight_scales)
        zeros = graph.constant(f"weight-zeros-{number}", np.zeros(len(layer.bias), np.int8))
        kernel = graph.node("DequantizeLinear", [weights, scales, zeros], f"kernel-{number}", axis=0)
        unit = stack.scales[number - 1] * layer.weight_scales
        bias = graph.constant(f"bias-{number}", (layer.bias * unit).astype(np.float32))
        y = graph.convolution(number, [x, kernel, bias])
        x = graph.quantised(y, f"layer-{number}", layer.scale)
    return graph.finish(x, TensorProto.FLOAT)


def to_float(stack: ConvStack, shape: Shape, *, half: bool = False) -> bytes:
    """A network before it was quantised, for compilers that quantise themselves (Hailo) and for GPUs.

    Parameters
    ----------
    stack : ConvStack
        The network.
    shape : Shape
        Of the strips that it is to run on.
    half : bool
        Whether in float16.

    Returns
    -------
    bytes
        ONNX. In and out are floats in units of the integers; the output is not rounded.
    """
    kind: type[np.floating] = np.float16 if half else np.float32
    graph = _Graph(stack, shape)
    x = INPUT
    for number, layer in enumerate(stack.layers, start=1):
        factors = layer.multipliers(stack.scales[number - 1])
        weights = layer.weights * factors[:, None, None, None]
        bias = layer.bias * factors
        inputs = [
            x,
            graph.constant(f"weights-{number}", weights.astype(kind)),
            graph.constant(f"bias-{number}", bias.astype(kind)),
        ]
        x = graph.convolution(number, inputs)
        if layer.zero == LOW:
            x = graph.node("Relu", [x], f"positive-{number}")
    return graph.finish(x, TensorProto.FLOAT16 if half else TensorProto.FLOAT)


class _Graph:
    """An ONNX graph of one shape."""

    def __init__(self, stack: ConvStack, shape: Shape) -> None:
        self._stack, self._positions = stack, shape.positions(stack)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def convolution(self, number: int, inputs: Sequence[str]) -> str:
        layer = self._stack.layers[number - 1]
        before, after = same_padding(layer.kernel, layer.stride)
        return self.node(
            "Conv",
            inputs,
            f"sums-{number}",
            kernel_shape=[layer.kernel] * 2,
            strides=[layer.stride] * 2,
            pads=[before, before, after, after],
        )

    def quantised(self, x: str, name: str, scale: np.float32) -> str:
        """Round to integers of 8 bits and back."""
        unit = self.constant(f"{name}-scale", np.float32(scale))
        zero = self.constant(f"{name}-zero", np.int8(0))
        integers = self.node("QuantizeLinear", [x, unit, zero], f"{name}-integers")
        return self.node("DequantizeLinear", [integers, unit, zero], f"{name}-floats")

    def finish(self, output: str, kind: int) -> bytes:
        stack, (lines, samples) = self._stack, self._positions
        self.node("Identity", [output], OUTPUT)
        extents = (
            [1, stack.inputs, lines, samples],
            [
                1,
                stack.outputs,
                lines // stack.reduction,
                samples // stack.reduction,
            ],
        )
        ends = [
            helper.make_tensor_value_info(name, kind, extent)
            for name, extent in zip((INPUT, OUTPUT), extents, strict=True)
        ]
        made = helper.make_graph(self._nodes, "network", ends[:1], ends[1:], self._constants)
        model = helper.make_model(
            made,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="bandfold",
        )
        onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data


TARGETS: Mapping[str, tuple[str, Callable[[ConvStack, Shape], bytes]]] = {
    "tflite": ("static.tflite", to_static_tflite),
    "tensorrt": ("qdq.onnx", to_qdq),
    "fp16": ("fp16.onnx", lambda stack, shape: to_float(stack, shape, half=True)),
    "float": ("float.onnx", to_float),
}
"""Kinds of graphs by name: the end of their file names, and what makes them."""


def target_graphs(stacks: Sequence[ConvStack], wanted: Sequence[str], shape: Shape) -> dict[str, bytes]:
    """Make the graphs of a model for accelerators.

    Parameters
    ----------
    stacks : sequence of ConvStack
        Its analyses, by the numbers of their engines.
    wanted : sequence of str
        Names in `TARGETS`.
    shape : Shape
        Of the strips that they are to run on.

    Returns
    -------
    dict of str to bytes
        Graphs by the names of their files.

    Raises
    ------
    SettingsError
        If there is no such kind of graph.
    ModelError
        If a network cannot be written as such a graph.
    """
    unknown = sorted(set(wanted) - set(TARGETS))
    if unknown:
        raise SettingsError(f"target {unknown[0]!r} is unknown: use {', '.join(TARGETS)}")
    return {
        f"analysis-{number}.{TARGETS[name][0]}": TARGETS[name][1](stack, shape)
        for number, stack in enumerate(stacks)
        for name in wanted
    }


def integer_range(values: NDArray[np.floating]) -> NDArray[np.int8]:
    """What a graph in floating point gives, as the integers that it stands for.

    Parameters
    ----------
    values : ndarray of floats
        Output of a graph of `to_float`.

    Returns
    -------
    ndarray of int8, same shape
        Rounded, halves to even, and cut to 8 bits.
    """
    found: NDArray[np.int8] = np.clip(np.rint(values), LOW, HIGH).astype(np.int8)
    return found
