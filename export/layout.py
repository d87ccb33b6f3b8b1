"""The folder that a run is exported to: names of its files, and reading it without PyTorch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import ModelError

FOLDER = "export"
DESCRIPTION, TABLES = "model.json", "tables.npz"
ANALYSIS, SYNTHESIS = "analysis-{}.onnx", "synthesis-{}.onnx"
HALF = "analysis-{}.fp16.onnx"
INTEGER_ONNX, INTEGER_TFLITE = "analysis-{}.int8.onnx", "analysis-{}.int8.tflite"
PRECISIONS = ("fp32", "fp16", "int8")
"""What an analysis can be packed in."""

FORMAT = 1
"""Version of the description."""


@dataclass(frozen=True)
class Export:
    """What an exported folder holds.

    Parameters
    ----------
    about : dict
        The description, ``model.json``.
    frequencies : ndarray of int32, shape (engines, channels, TOKENS)
        Tables of the prior; each row sums to 2**24.
    analyses, syntheses : list of bytes
        Graph of each engine.
    folder : Path
        Where it lies, with the analyses in other precisions.
    """

    about: dict[str, Any]
    frequencies: NDArray[np.int32]
    analyses: list[bytes]
    syntheses: list[bytes]
    folder: Path

    def variant(self, name: str, what: str) -> list[bytes]:
        """Read the analyses in another precision than float32.

        Parameters
        ----------
        name : str
            Of the file of an engine.
        what : str
            What error messages call it.

        Returns
        -------
        list of bytes
            One graph for each engine.

        Raises
        ------
        ModelError
            If they were not exported.
        """
        try:
            return [(self.folder / name.format(number)).read_bytes() for number in range(len(self.analyses))]
        except OSError as error:
            raise ModelError(f"{self.folder} holds no {what}: {error!r}; export the run again") from error


def find_engine(parts: Sequence[set[int]], interval: int) -> int:
    """Find the engine of an interval: its own, or that of the nearest interval below it.

    Parameters
    ----------
    parts : sequence of set of int
        Numbers of the intervals, from 1, that each engine was trained on.
    interval : int
        Number of the spectral interval, from 1.

    Returns
    -------
    int
        Number of the engine, from 0.
    """
    for wanted in range(interval, 0, -1):
        for number, trained in enumerate(parts):
            if wanted in trained:
                return number
    return 0


def read_export(folder: Path) -> Export:
    """Read an exported folder.

    Parameters
    ----------
    folder : Path
        As `bandfold.export.run.export_run` writes it.

    Returns
    -------
    Export
        With the graphs in memory.

    Raises
    ------
    ModelError
        If it is not such a folder, or of another version.
    """
    try:
        about = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        if about["format"] != FORMAT or about["kind"] != "factorised":
            raise ModelError(
                f"{folder} holds an export of another kind or version: export the run again with this release"
            )
        with np.load(folder / TABLES, allow_pickle=False) as archive:
            frequencies = archive["frequencies"]
        analyses = [(folder / engine["analysis"]).read_bytes() for engine in about["engines"]]
        syntheses = [(folder / engine["synthesis"]).read_bytes() for engine in about["engines"]]
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise ModelError(f"{folder} is not an exported run: {error!r}") from error
    return Export(about, frequencies, analyses, syntheses, folder)
