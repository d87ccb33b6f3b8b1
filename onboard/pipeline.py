"""The pipeline of one plan: fold, analyse and rotate the scene once, then quantise and code it at any step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.fold import FRACTION, Fold, Vectors
from bandfold.bitstream.geometry import CHANNELS, pad_to_blocks, strips
from bandfold.bitstream.reconstruct import magnitude_points
from bandfold.bitstream.segment import Segment, mode_name, write_segment
from bandfold.bitstream.tables import Tables

from .engines import AnalysisEngine
from .folding import fold_strip
from .quantise import quantise
from .rotation import rotate
from .scaling import no_data_mask
from .source import SceneSource

ERROR_UNIT = float(1 << 20)
"""Squared errors are summed as integers in units of ``step**2 / ERROR_UNIT``, so that their sum has no order."""


@dataclass(frozen=True)
class Plan:
    """What is decided before anything is coded.

    Parameters
    ----------
    step : float
        Step that it was made for; it stays good for steps nearby.
    fold : Fold
    rotations : tuple of Vectors
    dropped : float
        Mean squared error per sample of what the fold leaves out.
    """

    step: float
    fold: Fold
    rotations: tuple[Vectors, ...]
    dropped: float


@dataclass(frozen=True)
class Strip:
    """Latents of a strip.

    Parameters
    ----------
    latents : ndarray of int32, shape (components, 64, rows, columns)
    chosen : ndarray of uint8, shape (rows, columns), or None
    absent : ndarray of bool, shape (bands, lines, samples), or None
    pixels : int
        Pixels of the strip, without what fills the last blocks.
    """

    latents: NDArray[np.int32]
    chosen: NDArray[np.uint8] | None
    absent: NDArray[np.bool_] | None
    pixels: int


@dataclass(frozen=True)
class Coded:
    """A coded strip.

    Parameters
    ----------
    payload : bytes
        Of its segment section.
    error : float
        Sum of squared errors of its components, in counts squared.
    """

    payload: bytes
    error: float


class ScenePipeline:
    """Latents of a whole scene under one plan.

    Parameters
    ----------
    source : SceneSource
        Integer samples, absent ones already filled.
    original : SceneSource
        The scene as given, for the mask of absent samples.
    plan : Plan
    engine : AnalysisEngine
    tables : Tables
    strip_lines : int
    progress : callable, optional
        Called with the fraction done.
    """

    def __init__(
        self,
        source: SceneSource,
        original: SceneSource,
        plan: Plan,
        engine: AnalysisEngine,
        tables: Tables,
        strip_lines: int,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        self.plan = plan
        self._tables = tables
        self._mode = tables.modes[mode_name(spectral=plan.fold.spectral)]
        self.bands = source.info.bands
        self.strips: list[Strip] = []
        parts = strips(source.info.lines, strip_lines)
        for number, lines in enumerate(parts):
            planes = fold_strip(plan.fold, source, lines)
            pixels = planes.shape[1] * planes.shape[2]
            latents = engine.analyse(pad_to_blocks(planes))
            chosen = None
            if plan.rotations:
                chosen = rotate(latents, plan.rotations, plan.step)
            self.strips.append(Strip(latents, chosen, _absent(original, lines), pixels))
            if progress is not None:
                progress((number + 1) / len(parts))

    @property
    def pixels(self) -> int:
        """Pixels of the scene."""
        return sum(strip.pixels for strip in self.strips)

    def code(self, index: int, step: float) -> Coded:
        """Quantise and code one strip.

        Parameters
        ----------
        index : int
        step : float

        Returns
        -------
        Coded
        """
        strip = self.strips[index]
        quantised, classes = quantise(strip.latents, step, self._mode)
        segment = Segment(quantised, classes, strip.chosen, strip.absent)
        payload = write_segment(
            index, segment, self._tables, spectral=self.plan.fold.spectral, rotations=len(self.plan.rotations)
        )
        return Coded(payload, self._error(strip, quantised, classes, step))

    def sample(self, latents: int) -> Sequence[int]:
        """Strips, evenly spread, that hold about so many latents; at least one."""
        each = max(strip.latents.size for strip in self.strips)
        number = int(np.clip(latents // max(each, 1), 1, len(self.strips)))
        stride = len(self.strips) / number
        return [int(stride * place + stride / 2) for place in range(number)]

    def _error(
        self, strip: Strip, quantised: NDArray[np.int32], classes: NDArray[np.uint8], step: float
    ) -> float:
        points = magnitude_points(np.abs(quantised), classes, self._mode)
        error = np.abs(strip.latents.transpose(1, 0, 2, 3)) * (1.0 / (FRACTION * step)) - points
        error *= error
        error *= ERROR_UNIT
        total = int(np.rint(error).astype(np.int64).sum())
        # Blocks at the edges hold pixels that are not there.
        share = strip.pixels / (strip.latents[0, 0].size * CHANNELS) if strip.latents.size else 0.0
        return total * (step * step / ERROR_UNIT) * share


def _absent(original: SceneSource, lines: slice) -> NDArray[np.bool_] | None:
    if original.info.no_data is None:
        return None
    block = original.read(slice(0, original.info.bands), lines)
    return no_data_mask(block, original.info.no_data)
