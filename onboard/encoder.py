"""The encoder: a scene in, a stream out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.errors import ModelError, SettingsError
from bandfold.bitstream.geometry import BLOCK
from bandfold.bitstream.header import STEP_UNIT
from bandfold.bitstream.output import atomic_output
from bandfold.bitstream.tables import load_tables

from .engines import AnalysisEngine, CosineEngine
from .filling import FilledSource
from .partition import AVIRIS_2022
from .quantise import RATE_WEIGHT
from .scaling import ScaledSource
from .scenecoder import Candidate, SceneCoder
from .sceneplan import ScenePlanner
from .source import ArraySource, SceneSource
from .target import Target

STRIP_LINES = 64
"""Lines of a segment where nothing else is asked for."""


class Encoder:
    """Encodes scenes.

    Parameters
    ----------
    bps : float, optional
        Bits per sample, every byte of the stream counted; never exceeded.
    nbytes : int, optional
        Bytes of the stream; never exceeded.
    psnr : float, optional
        PSNR in dB, peak 65535 counts, squared error pooled over the scene.
    step : float, optional
        Quantiser step in counts. Exactly one of the four is given.
    spectral : {"auto", "none"}
        ``auto`` folds the bands unless coding them one by one is better; ``none`` codes them one by one.
    partition : "auto", "aviris-2022" or sequence of int
        Spectral partition: found, published, or the end of each interval.
    model : str, optional
        Name of a model package.
    strip_lines : int
        Lines of a segment, a multiple of 8.
    tables : path_like, optional
        Tables to use in place of the shipped ones.
    progress : callable, optional
        Called with a stage and the fraction of it that is done.

    Raises
    ------
    SettingsError
        If settings contradict each other or are out of range.
    ModelError
        If the model or the tables are unknown.

    Examples
    --------
    >>> import numpy as np
    >>> stream = Encoder(bps=1.0).encode(np.arange(8 * 16 * 16, dtype=np.uint16).reshape(8, 16, 16))
    >>> len(stream) <= 8 * 16 * 16 / 8
    True
    """

    def __init__(
        self,
        *,
        bps: float | None = None,
        nbytes: int | None = None,
        psnr: float | None = None,
        step: float | None = None,
        spectral: str = "auto",
        partition: str | Sequence[int] = "auto",
        model: str | None = None,
        strip_lines: int = STRIP_LINES,
        tables: str | os.PathLike[str] | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> None:
        self._target = Target(bps, nbytes, psnr, step)
        if spectral not in ("auto", "none"):
            raise SettingsError(f"spectral {spectral!r} is unknown: use auto or none")
        if model is not None:
            raise ModelError(f"model {model!r} is unknown: no model packages are installed")
        if strip_lines < BLOCK or strip_lines % BLOCK:
            raise SettingsError(f"strips of {strip_lines} lines are not possible: give a multiple of {BLOCK}")
        self._spectral = spectral
        self._ends = _ends(partition)
        self._strip_lines = strip_lines
        self._tables = load_tables(None if tables is None else Path(tables))
        self._progress = progress or _silent
        self._engine: AnalysisEngine = CosineEngine()

    def encode(self, scene: NDArray[Any] | SceneSource) -> bytes:
        """Encode a scene.

        Parameters
        ----------
        scene : ndarray, shape (bands, lines, samples), or SceneSource
            Samples of 8 or 16 bit integers, or a source that declares a scaling.

        Returns
        -------
        bytes
            The stream.

        Raises
        ------
        SceneError
            If the scene cannot be coded.
        BudgetError
            If the budget is too small for it.
        SettingsError
            If the partition does not fit it.
        """
        original: SceneSource = ArraySource(scene) if isinstance(scene, np.ndarray) else scene
        counts = original if original.info.scaling is None else ScaledSource(original)
        source = counts if original.info.no_data is None else FilledSource(counts, original)
        planner = ScenePlanner(source, self._ends, self._engine, lambda done: self._progress("sample", done))
        coder = SceneCoder(
            source, original, planner, self._engine, self._tables, self._strip_lines, self._progress
        )
        if self._spectral == "none":
            return coder.code(self._target, spectral=False, errors=False).data
        if not planner.seems_unfoldable(coder.guess(self._target) / STEP_UNIT):
            return coder.code(self._target, spectral=True, errors=False).data
        candidates = [coder.code(self._target, spectral=spectral, errors=True) for spectral in (True, False)]
        return min(candidates, key=lambda one: self._merit(one, source.info.count)).data

    def encode_to(self, scene: NDArray[Any] | SceneSource, path: str | os.PathLike[str]) -> int:
        """Encode a scene to a file, which appears whole or not at all.

        Parameters
        ----------
        scene
            As in `encode`.
        path : path_like

        Returns
        -------
        int
            Bytes written.

        Raises
        ------
        OutputError
            If the file cannot be written; and what `encode` raises.
        """
        with atomic_output(path) as file:
            data = self.encode(scene)
            file.write(data)
        return len(data)

    def _merit(self, candidate: Candidate, count: int) -> float:
        """What to minimise among codings that meet the target: the error, the bytes, or both at one step."""
        size = len(candidate.data)
        if self._target.psnr is not None or candidate.mse is None:
            return float(size)
        if self._target.step is not None:
            return candidate.mse + RATE_WEIGHT * candidate.step**2 * size * 8 / count
        return candidate.mse


def _ends(partition: str | Sequence[int]) -> tuple[int, ...] | None:
    if isinstance(partition, str):
        if partition == "auto":
            return None
        if partition == "aviris-2022":
            return AVIRIS_2022
        raise SettingsError(
            f"partition {partition!r} is unknown: use auto, aviris-2022 or the ends of intervals"
        )
    return tuple(int(end) for end in partition)


def _silent(stage: str, done: float) -> None:
    """Report to nobody."""
