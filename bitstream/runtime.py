"""Networks of packages, run by ONNX Runtime, which is imported when the first one is opened."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError

INPUT, OUTPUT = "input", "output"
"""What the input and the output of a network are called."""


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

    Raises
    ------
    ModelError
        If ONNX Runtime is not installed or cannot open the graph.
    """

    def __init__(self, graph: bytes, source: str, threads: int = 1) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelError(
                f"{source} needs ONNX Runtime, which is not installed: pip install 'bandfold[onnx]'"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Warnings of a library are no business of who runs a command.
        options.log_severity_level = 4
        # Weights that are stored in int8 are widened once, and not whenever the network runs.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self._source = source
        try:
            self._session: Any = onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])
        except Exception as error:  # its errors have no common class but this
            raise ModelError(f"{source} cannot be opened: {_one_line(error)}") from error

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Put a batch through the network.

        Parameters
        ----------
        batch : ndarray of float32, shape (n, channels, lines, samples)

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
            raise ModelError(f"{self._source} cannot be run: {_one_line(error)}") from error
        found: NDArray[np.float32] = result
        if found.dtype != np.float32 or found.ndim != 4:
            raise ModelError(f"{self._source} gives {found.ndim} dimensions of {found.dtype}, not planes")
        return found


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
