"""Context networks as ONNX: one QLinearConv and one Clip for each layer, int8 in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bandfold.common.onnx_session import INPUT, OUTPUT
from bandfold.common.scene import CHANNELS

from .context_layers import ContextLayer, inputs_of
from .onnx_model import OnnxModel


def to_context_onnx(layers: Sequence[ContextLayer], about: Mapping[str, str]) -> bytes:
    """Write a context network as an ONNX graph.

    Parameters
    ----------
    layers : sequence of ContextLayer
        Layers of the network.
    about : mapping of str to str
        What the file says of itself.

    Returns
    -------
    bytes
        Input and output are of int8, channels first, in units of 1 with a zero of 0. Batch, rows and columns
        stay free.
    """
    model = OnnxModel()
    one, zero = model.constant("one", np.float32(1)), model.constant("zero", np.int8(0))
    x = INPUT
    for number, layer in enumerate(layers, start=1):
        weights = model.constant(f"weights-{number}", layer.weights[:, :, None, None])
        unit = model.constant(f"unit-{number}", layer.scale)
        bias = model.constant(f"bias-{number}", layer.rounding_bias(False))
        inputs = [x, one, zero, weights, unit, zero, one, zero, bias]
        sums = model.node("QLinearConv", inputs, f"layer-{number}", kernel_shape=[1, 1], group=CHANNELS)
        highest = model.constant(f"highest-{number}", np.int8(layer.highest))
        x = OUTPUT if number == len(layers) else f"cut-{number}"
        model.node("Clip", [sums, zero, highest], x)
    return model.finish(about, inputs_of(layers[0]))
