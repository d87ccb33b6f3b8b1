"""Networks of packages, run by ONNX Runtime, which is imported when the first one is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError

INPUT, OUTPUT = "input", "output"
"""What the input and the output of a network are called."""

PROCESSOR = "CPUExecutionProvider"
"""Of ONNX Runtime: the one that is always there."""


GPU_PROVIDERS = ("TensorrtExecutionProvider", "CUDAExecutionProvider")
"""Those for Jetson-class boards, the faster one first."""


class Network:
    """One network: a batch of planes in, a batch of planes out.

    Parameters
    ----------
    graph : bytes
        ONNX, with one input and one output, both of float32 and four dimensions.
    source : str
        What error messages call it.
    threads : int
        Processor threads.
    providers : sequence of str
        Execution providers of ONNX Runtime, those that are tried first in front.

    Raises
    ------
    ModelError
        If ONNX Runtime is not installed or cannot open the graph.
    """

    def __init__(
        self, graph: bytes, source: str, threads: int = 1, providers: Sequence[str] = (PROCESSOR,)
    ) -> None:
        self._source = source
        self._session: Any = open_session(graph, source, threads, providers=providers)

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Put a batch through the network.

        Parameters
        ----------
        batch : ndarray of float32, shape (n, channels, lines, samples)
            Planes of samples or of latents.

        Returns
        -------
        ndarray of float32, shape (n, channels, lines, samples)

        Raises
        ------
        ModelError
            If the network does not take it, or gives something else.
        """
        try:
            (result,) = self._session.run([OUTPUT], {INPUT: batch})
        except Exception as error:  # as above
            raise ModelError(f"{self._source} cannot be run: {one_line(error)}") from error
        found: NDArray[np.float32] = result
        if found.dtype != np.float32 or found.ndim != 4:
            raise ModelError(f"{self._source} gives {found.ndim} dimensions of {found.dtype}, not planes")
        return found


def open_session(
    graph: bytes,
    source: str,
    threads: int = 1,
    *,
    providers: Sequence[str] = (PROCESSOR,),
    level: str = "ORT_ENABLE_ALL",
) -> Any:
    """Open a graph with ONNX Runtime.

    Parameters
    ----------
    graph : bytes
        ONNX, with one input and one output.
    source : str
        What error messages call it.
    threads : int
        Processor threads.
    providers : sequence of str
        Execution providers, those that are tried first in front.
    level : str
        Name of an optimisation level.

    Returns
    -------
    onnxruntime.InferenceSession

    Raises
    ------
    ModelError
        If ONNX Runtime is not installed or cannot open the graph.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            f"{source} needs ONNX Runtime, which is not installed: pip install 'bandfold[onnx]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    # Warnings of a library are no business of who runs a command.
    options.log_severity_level = 4
    # Weights that are stored in int8 are widened once, and not whenever the network runs.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        return onnxruntime.InferenceSession(graph, options, list(providers))
    except Exception as error:  # its errors have no common class but this
        raise ModelError(f"{source} cannot be opened: {one_line(error)}") from error


def fastest_providers() -> tuple[str, ...]:
    """Execution providers of ONNX Runtime that are there, the fastest for floating point first.

    Returns
    -------
    tuple of str
        Ends with the processor, which is always there.
    """
    try:
        import onnxruntime
    except ImportError:
        return (PROCESSOR,)
    available = onnxruntime.get_available_providers()
    return (*(name for name in GPU_PROVIDERS if name in available), PROCESSOR)


def one_line(error: Exception) -> str:
    """Message of an error of a library, on one line and not too long."""
    return " ".join(str(error).split())[:200]
