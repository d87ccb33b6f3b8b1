"""A TensorFlow Lite flatbuffer, put together tensor by tensor, without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

_SCHEMA = 3
"""Version of the format of the file."""

_IDENTIFIER = b"TFL3"

_KINDS = {"int8": schema.TensorType.INT8, "int32": schema.TensorType.INT32}


class TfliteGraph:
    """A model of one graph, all of whose tensors are quantised.

    Parameters
    ----------
    description : str
        What the file says of itself.
    """

    def __init__(self, description: str = "bandfold") -> None:
        self._model = schema.ModelT()
        self._model.version = _SCHEMA
        self._model.description = description
        self._model.operatorCodes = []
        # The first buffer is that of tensors without content.
        self._model.buffers = [schema.BufferT()]
        self._graph = schema.SubGraphT()
        self._graph.name = "network"
        self._graph.tensors, self._graph.operators = [], []
        self._model.subgraphs = [self._graph]

    def activation(
        self, name: str, shape: Sequence[int], scale: np.floating, zero: int, *, resizable: bool
    ) -> int:
        """Add a tensor of int8 that is computed, or an input.

        Parameters
        ----------
        name : str
            Of the tensor.
        shape : sequence of int
            Batch, lines, samples, channels.
        scale : floating
            Unit of its integers.
        zero : int
            Integer that stands for 0.
        resizable : bool
            Whether all but the channels can be resized.

        Returns
        -------
        int
            Number of the tensor.
        """
        made = self._tensor(name, schema.TensorType.INT8, shape, scale, [zero])
        if resizable:
            made.shapeSignature = [-1, -1, -1, shape[-1]]
        return len(self._graph.tensors) - 1

    def constant(self, name: str, values: NDArray[Any], scales: NDArray[np.floating] | np.floating) -> int:
        """Add a tensor of weights, biases or other numbers.

        Parameters
        ----------
        name : str
            Of the tensor.
        values : ndarray of int8 or int32
            Its content.
        scales : ndarray of floats, or a float
            Unit of its integers: one for all, or one for each entry of the first axis. Their 0 is 0.

        Returns
        -------
        int
            Number of the tensor.
        """
        made = self._tensor(name, _KINDS[values.dtype.name], values.shape, scales, [0] * np.size(scales))
        made.buffer = self._buffer(values.tobytes())
        return len(self._graph.tensors) - 1

    def node(
        self, operator: str, inputs: Sequence[int], output: int, options: Any = None, version: int = 1
    ) -> int:
        """Add an operator.

        Parameters
        ----------
        operator : str
            Name of a built-in operator, such as ``"CONV_2D"``.
        inputs : sequence of int
            Numbers of the tensors that it takes.
        output : int
            Number of the tensor that it gives.
        options : object, optional
            Its options, of the class that the schema has for them.
        version : int
            Of the operator.

        Returns
        -------
        int
            `output`.
        """
        code = getattr(schema.BuiltinOperator, operator)
        known = [(one.builtinCode, one.version) for one in self._model.operatorCodes]
        if (code, version) not in known:
            added = schema.OperatorCodeT()
            added.builtinCode = added.deprecatedBuiltinCode = code
            added.version = version
            self._model.operatorCodes.append(added)
            known.append((code, version))
        made = schema.OperatorT()
        made.opcodeIndex = known.index((code, version))
        made.inputs, made.outputs = list(inputs), [output]
        if options is not None:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
            made.builtinOptions = options
        self._graph.operators.append(made)
        return output

    def convolution(
        self, inputs: Sequence[int], output: int, stride: int = 1, *, positive: bool = False
    ) -> int:
        """Add a convolution of int8 with TensorFlow's SAME padding.

        Parameters
        ----------
        inputs : sequence of int
            Numbers of its input, its weights and its bias.
        output : int
            Number of the tensor that it gives.
        stride : int
            Along lines and samples.
        positive : bool
            Whether a ReLU is a part of it.

        Returns
        -------
        int
            `output`.
        """
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.SAME
        options.strideH = options.strideW = stride
        options.dilationHFactor = options.dilationWFactor = 1
        kinds = schema.ActivationFunctionType
        options.fusedActivationFunction = kinds.RELU if positive else kinds.NONE
        # Version 3 takes int8 with a scale for each output channel.
        return self.node("CONV_2D", inputs, output, options, version=3)

    def finish(self, source: int, output: int, metadata: Mapping[str, str] | None = None) -> bytes:
        """Bytes of the file.

        Parameters
        ----------
        source, output : int
            Numbers of the tensors that the graph takes and gives.
        metadata : mapping of str to str, optional
            Texts that the file carries, by name.

        Returns
        -------
        bytes
        """
        self._graph.inputs, self._graph.outputs = [source], [output]
        for name, text in (metadata or {}).items():
            entry = schema.MetadataT()
            entry.name, entry.buffer = name, self._buffer(text.encode())
            self._model.metadata = [*(self._model.metadata or []), entry]
        builder = flatbuffers.Builder(1 << 18)
        builder.Finish(self._model.Pack(builder), _IDENTIFIER)
        return bytes(builder.Output())

    def _tensor(self, name: str, kind: int, shape: Sequence[int], scales: Any, zeros: list[int]) -> Any:
        made = schema.TensorT()
        made.name, made.type, made.shape = name, kind, list(shape)
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = np.atleast_1d(scales).tolist(), zeros
        self._graph.tensors.append(made)
        return made

    def _buffer(self, content: bytes) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        self._model.buffers.append(buffer)
        return len(self._model.buffers) - 1
