"""Networks in half precision, for GPUs: the convolutions in float16, everything else as it was."""

from __future__ import annotations

import warnings

import onnx

KEPT = ("Round", "Mul", "Sqrt", "Div", "Sub")
"""Operators that stay in float32: squares of GDN would overflow, latents are rounded."""


def to_half(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Let a graph compute its convolutions in float16.

    Parameters
    ----------
    graph : onnx.ModelProto
        Not changed.

    Returns
    -------
    onnx.ModelProto
        Input and output stay float32.
    """
    # Of ONNX Runtime, but written against the onnx library alone.
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    # The converter tells operators apart by their names.
    for number, node in enumerate(copy.graph.node):
        node.name = f"{node.op_type}-{number}"
    with warnings.catch_warnings():
        # About weights too small for float16, which become 0.
        warnings.simplefilter("ignore")
        made: onnx.ModelProto = convert_float_to_float16(copy, keep_io_types=True, op_block_list=list(KEPT))
    # It adds its casts at the end.
    OnnxModel(made).topological_sort()
    onnx.checker.check_model(made)
    return made
