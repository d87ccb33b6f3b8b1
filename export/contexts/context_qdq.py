"""Context networks for TensorRT: Q/DQ with zero points of 0, floats in and out that hold integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bandfold.common.errors import ModelError
from bandfold.common.onnx_session import INPUT, OUTPUT
from bandfold.common.scene import CHANNELS

from .context_layers import ContextLayer, inputs_of
from .onnx_model import OnnxModel

MOST_SUM = 1 << 19
"""Sums in float32 are off by less than `SPARE` below this, in whatever order they are made."""

SPARE = 0.25
"""By how much biases keep sums away from ties."""


def to_context_qdq(
    layers: Sequence[ContextLayer], about: Mapping[str, str], extent: tuple[int, int]
) -> bytes:
    """Write a context network with symmetric Q/DQ.

    Biases are floats there. A quarter more than `ContextLayer.rounding_bias` is far from all ties, so that
    sums in float32 will do; and an engine that makes integers of the biases, as ONNX Runtime does, is left
    with that one.

    Parameters
    ----------
    layers : sequence of ContextLayer
        Layers of the network.
    about : mapping of str to str
        What the file says of itself.
    extent : tuple of int
        Rows and columns of latent positions.

    Returns
    -------
    bytes
        ONNX.

    Raises
    ------
    ModelError
        If sums may be too large for float32.
    """
    model = OnnxModel()
    one, zero = model.constant("one", np.float32(1)), model.constant("zero", np.int8(0))
    least = model.constant("least", np.float32(0))

    def quantised(x: str, name: str) -> str:
        integers = model.node("QuantizeLinear", [x, one, zero], f"{name}-integers")
        return model.node("DequantizeLinear", [integers, one, zero], f"{name}-floats")

    x = quantised(INPUT, "input")
    for number, layer in enumerate(layers, start=1):
        if layer.reach >= MOST_SUM:
            raise ModelError(
                f"sums of the context network reach {layer.reach}: Q/DQ is exact below {MOST_SUM} only"
            )
        weights = model.constant(f"weights-{number}", layer.weights[:, :, None, None])
        unit = model.constant(f"unit-{number}", layer.scale)
        kernel = model.node("DequantizeLinear", [weights, unit, zero], f"kernel-{number}")
        shifted = layer.rounding_bias(False) + (SPARE if layer.shift else 0.0)
        bias = model.constant(f"bias-{number}", (shifted * layer.scale).astype(np.float32))
        sums = model.node("Conv", [x, kernel, bias], f"sums-{number}", kernel_shape=[1, 1], group=CHANNELS)
        highest = model.constant(f"highest-{number}", np.float32(layer.highest))
        cut = model.node("Clip", [sums, least, highest], f"cut-{number}")
        x = quantised(cut, f"layer-{number}")
    model.node("Identity", [x], OUTPUT)
    return model.finish(about, inputs_of(layers[0]), floats=True, extent=extent)
