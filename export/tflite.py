"""Quantised networks as TensorFlow Lite: a flatbuffer with one CONV_2D for each layer, without TensorFlow."""

from __future__ import annotations

import numpy as np

from bandfold.common.onnx_session import INPUT, OUTPUT
from bandfold.onboard.networks.conv_stack import ConvStack

from .tflite_graph import TfliteGraph


def to_tflite(stack: ConvStack, extent: tuple[int, int] | None = None) -> bytes:
    """Write a quantised network as a TensorFlow Lite file.

    Parameters
    ----------
    stack : ConvStack
        The quantised network.
    extent : tuple of int, optional
        Lines and samples of the input, if it is to have these and no others.

    Returns
    -------
    bytes
        Input and output are of int8, channels last; unless an extent is given, batch, lines and samples can
        be resized.
    """
    graph = TfliteGraph()

    def activation(name: str, channels: int, reduction: int, scale: np.float32, zero: int) -> int:
        lines, samples = (size // reduction for size in extent or [stack.reduction] * 2)
        return graph.activation(name, [1, lines, samples, channels], scale, zero, resizable=extent is None)

    reduction = 1
    source = x = activation(INPUT, stack.inputs, reduction, stack.scale, stack.zero)
    for number, (layer, scale) in enumerate(zip(stack.layers, stack.scales, strict=True), start=1):
        reduction *= layer.stride
        weights = layer.weights.transpose(0, 2, 3, 1)
        inputs = (
            x,
            graph.constant(f"weights-{number}", weights, layer.weight_scales),
            graph.constant(f"bias-{number}", layer.bias, scale * layer.weight_scales),
        )
        name = OUTPUT if number == len(stack.layers) else f"layer-{number}"
        x = activation(name, len(layer.bias), reduction, layer.scale, layer.zero)
        graph.convolution(inputs, x, layer.stride)
    return graph.finish(source, x)
