"""Reading of ONNX files as far as a stack of quantised convolutions goes, without the onnx library.

ONNX files are protocol buffers. The numbers of the fields are those of ``onnx.proto`` (IR version 10).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import ModelError

_TYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    3: np.dtype("i1"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
}
"""Types of tensors that are read: FLOAT, INT8, INT32 and INT64."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class Node:
    """An operator.

    Parameters
    ----------
    operator : str
        Name of the operator, such as QLinearConv.
    inputs, outputs : tuple of str
        Names of tensors; empty where an optional one is left out.
    integers : dict of str to tuple of int
        Attributes that are integers or lists of them.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    integers: dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class OnnxGraph:
    """Operators and constants of a graph.

    Parameters
    ----------
    nodes : tuple of Node
        In the order of their execution.
    constants : dict of str to ndarray
        Weights, scales and zeros by name.
    """

    nodes: tuple[Node, ...]
    constants: dict[str, NDArray[Any]]


def read_graph(data: bytes, source: str) -> OnnxGraph:
    """Read the graph of an ONNX file.

    Parameters
    ----------
    data : bytes
        An ONNX file.
    source : str
        What error messages call it.

    Returns
    -------
    OnnxGraph

    Raises
    ------
    ModelError
        If it is no ONNX file, or holds tensors of other types than those of quantised networks.
    """
    try:
        (graph,) = _all(data, 7)
        nodes = tuple(_node(field) for field in _all(graph, 1))
        return OnnxGraph(nodes, dict(_tensor(field) for field in _all(graph, 5)))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{source} is no quantised ONNX network that can be read here ({error!r}): export it again"
        ) from error


def _node(data: bytes) -> Node:
    integers = {}
    for field in _all(data, 5):
        name = _text(_all(field, 1)[0])
        integers[name] = tuple(_signed(value) for number in (3, 8) for value in _integers(field, number))
    inputs, outputs = (tuple(map(_text, _all(data, number))) for number in (1, 2))
    return Node(_text(_all(data, 4)[0]), inputs, outputs, integers)


def _tensor(data: bytes) -> tuple[str, NDArray[Any]]:
    dtype = _TYPES[_integers(data, 2)[0]]
    raw = _all(data, 9)
    if len(raw) != 1:
        raise ValueError("a tensor without raw data")
    shape = _integers(data, 1)
    return _text(_all(data, 8)[0]), np.frombuffer(raw[0], dtype).reshape(shape)


def _all(data: bytes, wanted: int) -> list[Any]:
    """Values of a field of a message."""
    return [value for number, value in _fields(data) if number == wanted]


def _integers(data: bytes, wanted: int) -> list[int]:
    """Integers of a repeated field, packed or not."""
    found: list[int] = []
    for value in _all(data, wanted):
        if isinstance(value, int):
            found.append(value)
            continue
        at = 0
        while at < len(value):
            one, at = _varint(value, at)
            found.append(one)
    return found


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Numbers and values of the fields of a message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, at = _varint(data, at)
        elif kind in (_FIXED32, _FIXED64):
            length = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"a field of kind {kind}")
        if at + length > len(data):
            raise ValueError("a field is cut short")
        yield key >> 3, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("an integer of more than 64 bits")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _text(value: bytes) -> str:
    return value.decode("utf-8")
