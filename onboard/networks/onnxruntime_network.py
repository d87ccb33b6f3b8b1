"""Quantised networks run by ONNX Runtime, on the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import ModelError
from bandfold.common.onnx_session import INPUT, OUTPUT, PROCESSOR, one_line, open_session

from .engine import run_channels_last


class OrtNetwork:
    """A quantised network opened by ONNX Runtime.

    Parameters
    ----------
    graph : bytes
        ONNX with one input and one output of int8, channels first.
    source : str
        What error messages call it.
    threads : int
        Processor threads.
    level : str, optional
        Name of an optimisation level of ONNX Runtime, such as ``ORT_DISABLE_ALL``; all by default.
    provider : str
        Execution provider that is tried before the processor, such as ``ArmNNExecutionProvider``.

    Raises
    ------
    ModelError
        If ONNX Runtime is not installed or cannot open the graph.
    """

    def __init__(
        self,
        graph: bytes,
        source: str,
        threads: int = 1,
        level: str = "ORT_ENABLE_ALL",
        provider: str = "",
    ) -> None:
        self._source = source
        providers = tuple(dict.fromkeys((provider or PROCESSOR, PROCESSOR)))
        self._session: Any = open_session(graph, source, threads, providers=providers, level=level)
        if provider and provider not in self._session.get_providers():
            raise ModelError(f"{source} is not run by {provider}: ONNX Runtime here does not have it")

    def run(self, batch: NDArray[np.int8]) -> NDArray[np.int8]:
        """Put a batch through the network; see `IntegerNetwork.run`."""
        try:
            (result,) = self._session.run([OUTPUT], {INPUT: batch})
        except Exception as error:  # its errors have no common class but this
            raise ModelError(f"{self._source} cannot be run: {one_line(error)}") from error
        found: NDArray[np.int8] = result
        if found.dtype != np.int8 or found.ndim != 4:
            raise ModelError(f"{self._source} gives {found.ndim} dimensions of {found.dtype}, not of int8")
        return found

    def run_last(self, last: NDArray[np.int8]) -> NDArray[np.int8]:
        """The same with channels last; see `IntegerNetwork.run_last`."""
        return run_channels_last(self.run, last)
