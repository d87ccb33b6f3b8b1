"""Smaller graphs: weights of convolutions as int8 or float16, widened again where they are used.

The arithmetic stays float32. ONNX Runtime folds the widening into the weights when it opens a graph.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

LEAST_INT8 = 10000
"""Weights with fewer entries are kept in float16: little is to gain there, and first and last layers matter
most."""

LEAST_HALF = 256

_OUTPUT_AXIS = {"Conv": 0, "ConvTranspose": 1}
"""Axis of a weight that counts output channels."""


def compact(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Store the large weights of a graph in fewer bytes.

    Parameters
    ----------
    proto : onnx.ModelProto
        Not changed.

    Returns
    -------
    onnx.ModelProto
        Weights of convolutions with kernels larger than one sample and at least `LEAST_INT8` entries are
        int8 with one scale per output channel (largest magnitude / 127); others of at least `LEAST_HALF`
        entries are float16 (those of GDN among them: what they weigh are squares).
    """
    result = onnx.ModelProto()
    result.CopyFrom(proto)
    graph = result.graph
    users = {node.input[1]: node for node in graph.node if node.op_type in _OUTPUT_AXIS}
    kept, added = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.name not in users or values.dtype != np.float32 or values.size < LEAST_HALF:
            kept.append(tensor)
            continue
        node = users[tensor.name]
        stored = f"{tensor.name}_stored"
        if values.size >= LEAST_INT8 and values.shape[2] > 1:
            axis = _OUTPUT_AXIS[node.op_type]
            codes, scales = quantise_weights(values, axis)
            scale_name, zero_name = f"{tensor.name}_scale", f"{tensor.name}_zero"
            zeros = np.zeros(scales.shape, np.int8)
            kept += [
                numpy_helper.from_array(codes, stored),
                numpy_helper.from_array(scales, scale_name),
                numpy_helper.from_array(zeros, zero_name),
            ]
            added.append(
                onnx.helper.make_node(
                    "DequantizeLinear", [stored, scale_name, zero_name], [tensor.name], axis=axis
                )
            )
        else:
            kept.append(numpy_helper.from_array(values.astype(np.float16), stored))
            added.append(onnx.helper.make_node("Cast", [stored], [tensor.name], to=onnx.TensorProto.FLOAT))
    nodes = [*added, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    onnx.checker.check_model(result)
    return result


def quantise_weights(weights: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round weights to int8, each output channel in units of its own.

    Parameters
    ----------
    weights : ndarray of float32
        Of a convolution, of any shape.
    axis : int
        That counts output channels.

    Returns
    -------
    codes : ndarray of int8, same shape
        -127 to 127.
    scales : ndarray of float32, shape (output channels,)
        Weight of one unit of a code; 1 for a channel without weights.
    """
    others = tuple(number for number in range(weights.ndim) if number != axis)
    largest = np.abs(weights).max(axis=others, keepdims=True)
    scales = np.where(largest > 0, largest / np.float32(127), np.float32(1)).astype(np.float32)
    return np.rint(weights / scales).astype(np.int8), scales.reshape(-1)
