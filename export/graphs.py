"""PyTorch modules as ONNX graphs that take planes of any size."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bandfold.common.errors import ModelError
from bandfold.common.onnx_session import INPUT, OUTPUT

from .onnx_versions import OPSET


def to_onnx(module: nn.Module, example: Tensor) -> onnx.ModelProto:
    """Trace a module.

    Parameters
    ----------
    module : nn.Module
        From one tensor to one tensor.
    example : Tensor, shape (n, channels, height, width)
        What it takes; n, height and width stay free. None of them may be 0 or 1.

    Returns
    -------
    onnx.ModelProto
        Input and output are called ``input`` and ``output``.
    """
    free = torch.export.Dim.DYNAMIC
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with warnings.catch_warnings():
        # About packages that are not installed, and about what PyTorch itself will do differently some day.
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            program = torch.onnx.export(
                module.eval(),
                (example,),
                dynamo=True,
                dynamic_shapes=({0: free, 2: free, 3: free},),
                input_names=[INPUT],
                output_names=[OUTPUT],
                opset_version=OPSET,
                verbose=False,
            )
        finally:
            logger.setLevel(level)
    if program is None:  # pragma: no cover - what the older exporter returns
        raise ModelError("PyTorch exported nothing")
    proto: onnx.ModelProto = program.model_proto
    return _anonymous(proto)


def _anonymous(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Remove what tells of the machine and the source the graph was made on: paths, stack traces, names."""
    for holder in (proto, proto.graph, *proto.graph.node, *proto.graph.input, *proto.graph.output):
        holder.ClearField("metadata_props")
        holder.ClearField("doc_string")
    for value in (*proto.graph.value_info, *proto.graph.initializer):
        value.ClearField("metadata_props")
        value.ClearField("doc_string")
    del proto.graph.value_info[:]
    return proto


def session(proto: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Open a graph with ONNX Runtime on one core.

    Parameters
    ----------
    proto : onnx.ModelProto
        The graph.

    Returns
    -------
    onnxruntime.InferenceSession
        With one thread, on the processor.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(proto.SerializeToString(), options, ["CPUExecutionProvider"])


def run(graph: onnxruntime.InferenceSession, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put a batch through an open graph.

    Parameters
    ----------
    graph : onnxruntime.InferenceSession
        With an input ``input`` and an output ``output``.
    batch : ndarray of float32, shape (n, channels, height, width)
        What the graph takes.

    Returns
    -------
    ndarray of float32
        What it gives.
    """
    result: NDArray[np.float32] = graph.run([OUTPUT], {INPUT: batch})[0]
    return result
