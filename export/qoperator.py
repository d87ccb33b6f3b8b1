"""Quantised networks as ONNX: one QLinearConv for each layer, int8 in and out.

Of the ways in which ONNX writes quantised networks (QOperator or QDQ, signed or unsigned), this is the one
that ONNX Runtime runs in integers on every processor.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bandfold.common.onnx_session import INPUT, OUTPUT
from bandfold.onboard.networks.conv_stack import ConvStack, same_padding

from .onnx_versions import IR_VERSION, OPSET


def to_qoperator(stack: ConvStack) -> onnx.ModelProto:
    """Write a quantised network as an ONNX graph.

    Parameters
    ----------
    stack : ConvStack
        The quantised network.

    Returns
    -------
    onnx.ModelProto
        Batch, lines and samples stay free.
    """
    nodes, constants = [], []

    def constant(name: str, value: np.ndarray | np.generic) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    x = INPUT
    x_names = constant("scale-0", stack.scale), constant("zero-0", np.int8(stack.zero))
    for number, layer in enumerate(stack.layers, start=1):
        y = OUTPUT if number == len(stack.layers) else f"layer-{number}"
        y_names = constant(f"scale-{number}", layer.scale), constant(f"zero-{number}", np.int8(layer.zero))
        inputs = [
            x,
            *x_names,
            constant(f"weights-{number}", layer.weights),
            constant(f"weight-scales-{number}", layer.weight_scales),
            constant(f"weight-zeros-{number}", np.zeros(len(layer.bias), np.int8)),
            *y_names,
            constant(f"bias-{number}", layer.bias),
        ]
        before, after = same_padding(layer.kernel, layer.stride)
        nodes.append(
            helper.make_node(
                "QLinearConv",
                inputs,
                [y],
                kernel_shape=[layer.kernel] * 2,
                strides=[layer.stride] * 2,
                pads=[before, before, after, after],
            )
        )
        x, x_names = y, y_names
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info(INPUT, TensorProto.INT8, ["n", stack.inputs, "lines", "samples"])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.INT8, ["n", stack.outputs, "rows", "columns"])],
        constants,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="bandfold",
    )
    onnx.checker.check_model(model)
    return model
