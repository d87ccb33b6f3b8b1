"""Context networks as TensorFlow Lite, without TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from bandfold.common.onnx_session import INPUT, OUTPUT
from bandfold.common.scene import CHANNELS
from bandfold.export.tflite_graph import TfliteGraph

from .context_layers import ContextLayer, inputs_of, outputs_of

HALF = np.float32(0.5)
"""Inputs of convolutions are in halves, see `bandfold.export.contexts.context_layers`."""

LOWEST = -128
"""Integer that stands for 0 there: 127 becomes 126, the last but one that there is."""

METADATA = "bandfold"
"""Name of the JSON object in the metadata of the file."""


def to_context_tflite(
    layers: Sequence[ContextLayer], about: Mapping[str, str], extent: tuple[int, int] | None = None
) -> bytes:
    """Write a context network as a TensorFlow Lite file.

    Parameters
    ----------
    layers : sequence of ContextLayer
        Layers of the network.
    about : mapping of str to str
        What the file says of itself.
    extent : tuple of int, optional
        Rows and columns of latent positions, if it is to have these and no others.

    Returns
    -------
    bytes
        Input and output are of int8, channels last, in units of 1 with a zero of 0; unless an extent is
        given, batch, rows and columns can be resized.
    """
    graph = TfliteGraph(f"bandfold: contexts, {about['source']}")
    plane = [1, *(extent or (1, 1))]
    one = np.float32(1)

    def activation(name: str, channels: int, scale: np.float32 = one, zero: int = 0) -> int:
        return graph.activation(name, [*plane, channels], scale, zero, resizable=extent is None)

    inputs = inputs_of(layers[0])
    source = x = activation(INPUT, inputs)
    for number, layer in enumerate(layers, start=1):
        halves = activation(f"halves-{number}", inputs, HALF, LOWEST)
        graph.node("QUANTIZE", [x], halves, schema.QuantizeOptionsT(), version=2)
        # Lines and samples of the kernel come between outputs and inputs.
        weights = graph.constant(f"weights-{number}", layer.weights[:, None, None, :], layer.scale)
        bias = graph.constant(f"bias-{number}", layer.rounding_bias(True), HALF * layer.scale)
        inputs = outputs_of(layer) * CHANNELS
        x = activation(f"layer-{number}", inputs)
        graph.convolution([halves, weights, bias], x, positive=True)
    highest = graph.constant("highest", np.array([layers[-1].highest], np.int8), one)
    output = activation(OUTPUT, CHANNELS)
    graph.node("MINIMUM", [x, highest], output, schema.MaximumMinimumOptionsT(), version=2)
    return graph.finish(source, output, {METADATA: json.dumps(dict(about))})
