"""Graphs of context networks: what tables and packages hold of them, as files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bandfold.bitstream.contexts.context_network import ContextNetwork
from bandfold.common.scene import block_rows

from .context_description import description
from .context_layers import ContextLayer, context_layers
from .context_onnx import to_context_onnx
from .context_qdq import to_context_qdq
from .context_tflite import to_context_tflite


def context_graphs(networks: Mapping[str, ContextNetwork], source: str) -> dict[str, bytes]:
    """Write context networks as graphs of any extent.

    Parameters
    ----------
    networks : mapping of str to ContextNetwork
        By the names of their files, without an ending.
    source : str
        Where they come from: name and identity of tables or of a package.

    Returns
    -------
    dict of str to bytes
        ONNX and TFLite of each, by the names of their files.

    Raises
    ------
    ModelError
        If a network cannot be written in 8-bit integers.
    """
    found = {}
    for name, network in networks.items():
        layers, about = context_layers(network), description(network, source)
        found[f"{name}.onnx"] = to_context_onnx(layers, about)
        found[f"{name}.tflite"] = to_context_tflite(layers, about)
    return found


def context_target_graphs(
    networks: Mapping[str, ContextNetwork], source: str, wanted: Sequence[str], extent: tuple[int, int]
) -> dict[str, bytes]:
    """Write context networks as compilers of accelerators take them.

    Parameters
    ----------
    networks : mapping of str to ContextNetwork
        By the names of their files, without an ending.
    source : str
        Where they come from.
    wanted : sequence of str
        Kinds of graphs, as for `bandfold.export.accelerators.target_graphs`; those that are not in
        `CONTEXT_TARGETS` are left out, since they would give other classes.
    extent : tuple of int
        Lines and samples of the strips that they are to run on.

    Returns
    -------
    dict of str to bytes
        By the names of their files.

    Raises
    ------
    ModelError
        If a network cannot be written in 8-bit integers.
    """
    rows, columns = (block_rows(size) for size in extent)
    found = {}
    for name, network in networks.items():
        layers, about = context_layers(network), description(network, source)
        for ending, write in (CONTEXT_TARGETS[one] for one in wanted if one in CONTEXT_TARGETS):
            found[f"{name}.{ending}"] = write(layers, about, (rows, columns))
    return found


CONTEXT_TARGETS: Mapping[
    str, tuple[str, Callable[[Sequence[ContextLayer], Mapping[str, str], tuple[int, int]], bytes]]
] = {"tflite": ("static.tflite", to_context_tflite), "tensorrt": ("qdq.onnx", to_context_qdq)}
"""Kinds of graphs by name: the end of their file names, and what makes them."""
