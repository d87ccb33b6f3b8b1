"""The pipeline of one plan: fold, analyse and rotate a scene, then quantise and code it at any step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.chunks import Place
from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.contexts.reconstruct import magnitude_points
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.segments.segment import Segment, mode_name, write_segment
from bandfold.bitstream.transforms.klt import FRACTION, Fold, Vectors
from bandfold.common.geometry import CHANNELS, strips
from bandfold.common.scene import SceneSource
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.networks import AnalysisEngine
from bandfold.onboard.quantisation.rdoq import RATE_WEIGHT, quantise
from bandfold.onboard.samples.scaling import no_data_mask
from bandfold.onboard.transform.analysis import Analysis
from bandfold.onboard.transform.rotation import rotate

ERROR_UNIT = float(1 << 20)
"""Squared errors are summed as integers in units of ``step**2 / ERROR_UNIT``: their sum has no order."""


LATENTS_KEPT = 1 << 23
"""Latents of a scene that are kept between trials of a step (32 MB); those of a larger one are made again."""


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
        Mean squared error per sample of what the fold leaves out, or all folds.
    number : int
        Of the fold and the rotations in the stream.
    others : tuple of Plan
        Plans of other strips, numbered from 1 on; see `bandfold.onboard.planning.region_clusters`.
    zones : tuple of int
        Number of the plan of each strip; empty if there are no others.
    """

    step: float
    fold: Fold
    rotations: tuple[Vectors, ...]
    dropped: float
    number: int = 0
    others: tuple[Plan, ...] = ()
    zones: tuple[int, ...] = ()

    @property
    def all(self) -> tuple[Plan, ...]:
        """Plans of all strips, by number."""
        return (self, *self.others)


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
        Sum of squared errors of its components, in counts squared; NaN if it was not measured.
    """

    payload: bytes
    error: float


class StripCoder:
    """Codes strips under one plan.

    Parameters
    ----------
    plan : Plan
    engine : AnalysisEngine
    tables : Tables
    workers : Workers
        Which share the work on a strip.
    """

    def __init__(self, plan: Plan, engine: AnalysisEngine, tables: Tables, workers: Workers = ALONE) -> None:
        self._workers = workers
        self.plan = plan
        self._analysis = Analysis(plan.fold, engine, workers)
        self._tables = tables
        self._mode = tables.modes[mode_name(spectral=plan.fold.spectral)]

    def analyse(self, source: SceneSource, original: SceneSource, lines: slice) -> Strip:
        """Fold, analyse and rotate a strip, a few block rows at a time.

        Parameters
        ----------
        source : SceneSource
            Integer samples, absent ones already filled.
        original : SceneSource
            The scene as given, for the mask of absent samples.
        lines : slice

        Returns
        -------
        Strip
        """
        height, samples = lines.stop - lines.start, source.info.samples
        latents = self._analysis.strip(source, lines)
        chosen = rotate(latents, self.plan.rotations, self.plan.step) if self.plan.rotations else None
        return Strip(latents, chosen, absent_samples(original, lines), height * samples)

    def code(
        self, strip: Strip, place: Place, step: float, *, errors: bool, weight: float = RATE_WEIGHT
    ) -> Coded:
        """Quantise and code a strip.

        Parameters
        ----------
        strip : Strip
        place : Place
        step : float
        errors : bool
            Whether to measure the error too.
        weight : float
            Of a bit; see `bandfold.onboard.quantisation.rdoq.quantise`.

        Returns
        -------
        Coded
        """
        quantised, classes = quantise(strip.latents, step, self._mode, weight)
        payload = write_segment(
            place,
            Segment(quantised, classes, strip.chosen, strip.absent),
            self._tables,
            spectral=self.plan.fold.spectral,
            rotations=len(self.plan.rotations),
            step_code=round(step * STEP_UNIT),
            each=self._workers.map,
        )
        return Coded(payload, self._error(strip, quantised, classes, step) if errors else math.nan)

    def _error(
        self, strip: Strip, quantised: NDArray[np.int32], classes: NDArray[np.uint8], step: float
    ) -> float:
        total = 0
        for latents, values, kinds in zip(
            strip.latents, quantised.swapaxes(0, 1), classes.swapaxes(0, 1), strict=True
        ):
            error = np.abs(latents) * (1.0 / (FRACTION * step)) - magnitude_points(
                np.abs(values), kinds, self._mode
            )
            error *= error
            error *= ERROR_UNIT
            total += int(np.rint(error).astype(np.int64).sum())
        # Blocks at the edges hold pixels that are not there.
        share = strip.pixels / max(strip.latents[:1, :1].size * CHANNELS, 1)
        return total * (step * step / ERROR_UNIT) * share


class ScenePipeline:
    """The strips of a scene under one plan.

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
    """

    def __init__(
        self,
        source: SceneSource,
        original: SceneSource,
        plan: Plan,
        engine: AnalysisEngine,
        tables: Tables,
        strip_lines: int,
    ) -> None:
        self.plan = plan
        self.pixels = source.info.lines * source.info.samples
        self.bands = source.info.bands
        self._source = source
        self._original = original
        self._coder = StripCoder(plan, engine, tables)
        self._lines = strips(source.info.lines, strip_lines)
        self._strip_lines = strip_lines
        latents = plan.fold.components * self.pixels
        self._kept: dict[int, Strip] | None = {} if latents <= LATENTS_KEPT else None

    def __len__(self) -> int:
        """Number of strips."""
        return len(self._lines)

    def _strip(self, index: int) -> Strip:
        """Latents of a strip: kept for further steps if the scene is small, else made again."""
        if self._kept is not None and index in self._kept:
            return self._kept[index]
        strip = self._coder.analyse(self._source, self._original, self._lines[index])
        if self._kept is not None:
            self._kept[index] = strip
        return strip

    def code(self, index: int, step: float, *, errors: bool, weight: float = RATE_WEIGHT) -> Coded:
        """Quantise and code one strip.

        Parameters
        ----------
        index : int
        step : float
        errors : bool
            Whether to measure the error too.
        weight : float
            Of a bit; see `bandfold.onboard.quantisation.rdoq.quantise`.

        Returns
        -------
        Coded
        """
        rotation = self.plan.number if self.plan.rotations else None
        place = whole_place(index, self._lines[index], self._strip_lines, self.plan.number, rotation)
        return self._coder.code(self._strip(index), place, step, errors=errors, weight=weight)


def whole_place(
    index: int, lines: slice, strip_lines: int, fold: int = 0, rotation: int | None = None
) -> Place:
    """Place of a strip of a scene that has one step.

    Parameters
    ----------
    index : int
    lines : slice
        Lines of the strip.
    strip_lines : int
        Lines of all strips but the last one.
    fold : int
        Number of the fold.
    rotation : int or None
        Number of the set of rotations; None without rotations.

    Returns
    -------
    Place
    """
    height = lines.stop - lines.start
    return Place(index, fold, rotation, lines=height if height < strip_lines else None)


def absent_samples(original: SceneSource, lines: slice) -> NDArray[np.bool_] | None:
    """Which samples of some lines are absent.

    Parameters
    ----------
    original : SceneSource
        The scene as given.
    lines : slice

    Returns
    -------
    ndarray of bool, shape (bands, lines, samples), or None
        None where the scene has no value that marks them.
    """
    if original.info.no_data is None:
        return None
    block = original.read(slice(0, original.info.bands), lines)
    return no_data_mask(block, original.info.no_data)
