"""What a graph costs: multiply-adds for each sample, and parameters."""

from __future__ import annotations

import math

import onnx

_SIDE = 64
"""Lines and samples of the planes that are counted on."""


def multiplications(proto: onnx.ModelProto, samples_per_position: int = 1) -> float:
    """Count the multiply-adds of the convolutions of a graph, GDN's among them.

    Parameters
    ----------
    proto : onnx.ModelProto
        With one input (n, channels, height, width).
    samples_per_position : int
        Samples of the scene for each position of the input: 1 for an analysis, 256 for a synthesis that
        takes latents of 16 x 16 samples.

    Returns
    -------
    float
        For each sample of the scene.
    """
    shaped = onnx.ModelProto()
    shaped.CopyFrom(proto)
    dims = shaped.graph.input[0].type.tensor_type.shape.dim
    for place, extent in ((0, 1), (2, _SIDE), (3, _SIDE)):
        dims[place].dim_value = extent
    for output in shaped.graph.output:
        output.type.tensor_type.ClearField("shape")
    graph = onnx.shape_inference.infer_shapes(shaped, data_prop=True).graph
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.value_info, *graph.output)
    }
    shapes |= {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    total = 0
    for node in graph.node:
        if node.op_type == "Conv":
            positions = math.prod(shapes[node.output[0]][2:])
        elif node.op_type == "ConvTranspose":
            positions = math.prod(shapes[node.input[0]][2:])
        else:
            continue
        total += positions * math.prod(shapes[node.input[1]])
    return total / (_SIDE * _SIDE * samples_per_position)


def parameters(proto: onnx.ModelProto) -> int:
    """Count the weights and biases of a graph, in whatever type they are stored.

    Parameters
    ----------
    proto : onnx.ModelProto
        The graph; scales and zeros of stored weights do not count.

    Returns
    -------
    int
        How many there are.
    """
    return sum(
        math.prod(tensor.dims)
        for tensor in proto.graph.initializer
        if len(tensor.dims) > 0 and not tensor.name.endswith(("_scale", "_zero"))
    )
