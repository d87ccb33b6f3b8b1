"""Networks that can be quantised, as arrays: convolutions with SAME padding and ReLU, read from ONNX."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from bandfold.common.errors import ModelError
from bandfold.common.onnx_session import INPUT
from bandfold.onboard.networks.conv_stack import same_padding

from .graphs import session


@dataclass(frozen=True)
class FloatLayer:
    """A convolution in floating point.

    Parameters
    ----------
    weights : ndarray of float32, shape (outputs, inputs, kernel, kernel)
        Of the convolution.
    bias : ndarray of float64, shape (outputs,)
        Added to each output channel.
    stride : int
        Positions from one output to the next, along both axes.
    relu : bool
        Whether a ReLU follows.
    output : str
        Name of the tensor behind it.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float64]
    stride: int
    relu: bool
    output: str


@dataclass(frozen=True)
class FloatStack:
    """A network before it is quantised.

    Parameters
    ----------
    graph : onnx.ModelProto
        The graph that it was read from.
    layers : tuple of FloatLayer
        From the input to the output.
    rounds : bool
        Whether the output is rounded to integers.
    """

    graph: onnx.ModelProto
    layers: tuple[FloatLayer, ...]
    rounds: bool

    @staticmethod
    def from_onnx(graph: onnx.ModelProto, source: str = "the network") -> FloatStack:
        """Read a stack out of a graph.

        Parameters
        ----------
        graph : onnx.ModelProto
            A chain of Conv operators with SAME padding, each with a ReLU behind it or not; a constant for
            each channel may be added or subtracted, and the result rounded.
        source : str
            What error messages call it.

        Returns
        -------
        FloatStack
            The layers in floating point.

        Raises
        ------
        ModelError
            If the graph holds anything else.
        """
        try:
            return _read(graph)
        except ValueError as error:
            raise ModelError(
                f"{source} cannot be quantised, it has {error}: only convolutions with SAME padding and ReLU "
                "give the same integers everywhere (balle48-relu in place of balle48)"
            ) from error

    def activations(self, batch: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Run the network and give the output of each layer, not rounded.

        Parameters
        ----------
        batch : ndarray of float32, shape (n, inputs, lines, samples)
            What the network takes.

        Yields
        ------
        ndarray of float32
            Of one layer, shape (n, outputs, rows, columns).
        """
        yield from self._session.run(None, {INPUT: batch})

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        """The graph with the output of every layer."""
        probed = onnx.ModelProto()
        probed.CopyFrom(self.graph)
        del probed.graph.output[:]
        probed.graph.output.extend(
            helper.make_tensor_value_info(layer.output, onnx.TensorProto.FLOAT, None) for layer in self.layers
        )
        return session(probed)


def _read(graph: onnx.ModelProto) -> FloatStack:
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}
    layers: list[FloatLayer] = []
    rounds = False
    at = INPUT
    for node in graph.graph.node:
        kind = node.op_type
        if rounds or node.input[0] != at:
            raise ValueError("branches, or something behind the rounding")
        last = layers[-1] if layers else None
        at = node.output[0]
        if kind == "Conv":
            layers.append(_convolution(node, constants))
        elif kind == "Relu" and last is not None and not last.relu:
            layers[-1] = FloatLayer(last.weights, last.bias, last.stride, True, at)
        elif kind in ("Add", "Sub") and last is not None and not last.relu and node.input[1] in constants:
            shift = constants[node.input[1]].astype(np.float64)
            if shift.size not in (1, len(last.bias)) or shift.shape[-2:] != (1, 1):
                raise ValueError(f"{kind} of something else than a number for each channel")
            sign = 1.0 if kind == "Add" else -1.0
            bias = last.bias + sign * shift.ravel()
            layers[-1] = FloatLayer(last.weights, bias, last.stride, False, at)
        elif kind == "Round" and last is not None and not last.relu:
            rounds = True
        else:
            raise ValueError(f"an operator {kind}")
    if not layers:
        raise ValueError("no convolution")
    return FloatStack(graph, tuple(layers), rounds)


def _convolution(node: onnx.NodeProto, constants: dict[str, NDArray[np.generic]]) -> FloatLayer:
    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    if any(name not in constants for name in node.input[1:]):
        raise ValueError("weights that are not constant")
    weights = constants[node.input[1]].astype(np.float32)
    _, _, kernel, width = weights.shape
    strides = list(attributes.get("strides", [1, 1]))
    before, after = same_padding(kernel, strides[0])
    if (
        kernel != width
        or kernel < strides[0]
        or strides != [strides[0]] * 2
        or list(attributes.get("pads", [0] * 4)) != [before, before, after, after]
        or attributes.get("group", 1) != 1
        or list(attributes.get("dilations", [1, 1])) != [1, 1]
    ):
        raise ValueError(
            f"a convolution of {kernel} x {width} with padding that is not SAME, groups or dilations"
        )
    bias = constants[node.input[2]].astype(np.float64) if len(node.input) > 2 else np.zeros(len(weights))
    return FloatLayer(weights, bias, strides[0], False, node.output[0])
