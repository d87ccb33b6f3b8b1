"""Quantised networks run by LiteRT (TensorFlow Lite): the fastest engine on most processors."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import ModelError
from bandfold.common.onnx_session import one_line

MODULES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")
"""Where the interpreter is looked for. Nobody vouches for the second, whose last release is of 2023: its
integers differ between processors."""


def find_interpreter() -> Any:
    """Import the interpreter.

    Returns
    -------
    module or None
        None if none is installed. Its ``__name__`` tells which it is.
    """
    for name in MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the body from writing to stderr: LiteRT tells there, and only there, which delegate it made."""
    sys.stderr.flush()
    kept = os.dup(2)
    silent = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silent, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silent)


def _loaded(module: Any, delegate: str) -> Any:
    # What is not there leaves a half-made object behind, whose end is an error of its own.
    ctypes.CDLL(delegate)
    return module.load_delegate(delegate)


class LiteRtNetwork:
    """A quantised network opened by LiteRT.

    Parameters
    ----------
    model : bytes
        Flatbuffer with one input and one output of int8, channels last.
    source : str
        What error messages call it.
    threads : int
        Processor threads.
    delegate : str
        Shared library of what is to run it, such as ``libedgetpu.so.1``; empty for the processor.

    Raises
    ------
    ModelError
        If LiteRT is not installed or cannot open the model.
    """

    def __init__(self, model: bytes, source: str, threads: int = 1, delegate: str = "") -> None:
        module = find_interpreter()
        if module is None:
            raise ModelError(f"{source} needs LiteRT, which is not installed: pip install 'bandfold[tflite]'")
        self._source = source
        try:
            with _quiet():
                delegates = [_loaded(module, delegate)] if delegate else None
                self._interpreter: Any = module.Interpreter(
                    model_content=model, num_threads=threads, experimental_delegates=delegates
                )
            (self._input,) = self._interpreter.get_input_details()
            (self._output,) = self._interpreter.get_output_details()
        except Exception as error:  # its errors have no common class but this
            raise ModelError(f"{source} cannot be opened: {one_line(error)}") from error
        if self._input["dtype"] is not np.int8 or self._output["dtype"] is not np.int8:
            raise ModelError(f"{source} does not take and give integers of 8 bits: export it again")
        self._shape: tuple[int, ...] = ()

    def run(self, batch: NDArray[np.int8]) -> NDArray[np.int8]:
        """Put a batch through the network; see `IntegerNetwork.run`."""
        last = self.run_last(np.ascontiguousarray(batch.transpose(0, 2, 3, 1)))
        return np.ascontiguousarray(last.transpose(0, 3, 1, 2))

    def run_last(self, last: NDArray[np.int8]) -> NDArray[np.int8]:
        """The same with channels last; see `IntegerNetwork.run_last`."""
        try:
            if last.shape != self._shape:
                self._interpreter.resize_tensor_input(self._input["index"], last.shape)
                with _quiet():
                    self._interpreter.allocate_tensors()
                self._shape = last.shape
            self._interpreter.set_tensor(self._input["index"], last)
            self._interpreter.invoke()
            found: NDArray[np.int8] = self._interpreter.get_tensor(self._output["index"])
        except Exception as error:  # as above
            raise ModelError(f"{self._source} cannot be run: {one_line(error)}") from error
        return found
