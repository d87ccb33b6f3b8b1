"""Quantised networks as TensorFlow Lite: a flatbuffer with one CONV_2D for each layer, without TensorFlow."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from bandfold.onboard.networks.conv_stack import ConvStack

from .graphs import INPUT, OUTPUT

_SCHEMA = 3
"""Version of the format of the file."""

_INT8_CONVOLUTION = 3
"""Version of CONV_2D that takes int8 with a scale for each output channel."""

_IDENTIFIER = b"TFL3"


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
    model = schema.ModelT()
    model.version = _SCHEMA
    model.description = "bandfold"
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    code.version = _INT8_CONVOLUTION
    model.operatorCodes = [code]
    # The first buffer is that of tensors without content.
    model.buffers = [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.name = "network"
    graph.tensors, graph.operators = [], []
    model.subgraphs = [graph]

    def tensor(name: str, dtype: int, shape: list[int], scales: Any, zeros: list[int]) -> Any:
        made = schema.TensorT()
        made.name, made.type, made.shape = name, dtype, shape
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = np.atleast_1d(scales).tolist(), zeros
        graph.tensors.append(made)
        return made

    def activation(name: str, channels: int, reduction: int, scale: np.float32, zero: int) -> int:
        lines, samples = (size // reduction for size in extent or [stack.reduction] * 2)
        made = tensor(name, schema.TensorType.INT8, [1, lines, samples, channels], scale, [zero])
        if extent is None:
            made.shapeSignature = [-1, -1, -1, channels]
        return len(graph.tensors) - 1

    def constant(name: str, dtype: int, values: NDArray[Any], scales: NDArray[np.float32]) -> int:
        made = tensor(name, dtype, list(values.shape), scales, [0] * len(scales))
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        model.buffers.append(buffer)
        made.buffer = len(model.buffers) - 1
        return len(graph.tensors) - 1

    reduction = 1
    x = activation(INPUT, stack.inputs, reduction, stack.scale, stack.zero)
    graph.inputs = [x]
    for number, (layer, scale) in enumerate(zip(stack.layers, stack.scales, strict=True), start=1):
        reduction *= layer.stride
        weights = layer.weights.transpose(0, 2, 3, 1)
        operator = schema.OperatorT()
        operator.opcodeIndex = 0
        operator.inputs = [
            x,
            constant(f"weights-{number}", schema.TensorType.INT8, weights, layer.weight_scales),
            constant(f"bias-{number}", schema.TensorType.INT32, layer.bias, scale * layer.weight_scales),
        ]
        name = OUTPUT if number == len(stack.layers) else f"layer-{number}"
        x = activation(name, len(layer.bias), reduction, layer.scale, layer.zero)
        operator.outputs = [x]
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.SAME
        options.strideH = options.strideW = layer.stride
        options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = schema.ActivationFunctionType.NONE
        operator.builtinOptionsType = schema.BuiltinOptions.Conv2DOptions
        operator.builtinOptions = options
        graph.operators.append(operator)
    graph.outputs = [x]
    builder = flatbuffers.Builder(1 << 18)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())
