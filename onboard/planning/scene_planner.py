"""Plans for one scene: the sample is read once, a plan for any step follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import FRACTION, MERGE_LIMIT, Fold, Vectors
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.common.geometry import CHANNELS
from bandfold.common.scene import SceneSource
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.coding.strip_coder import Plan
from bandfold.onboard.networks import AnalysisEngine
from bandfold.onboard.quantisation.rdoq import RATE_WEIGHT
from bandfold.onboard.transform.analysis import Analysis
from bandfold.onboard.transform.rotation import (
    COST_UNIT,
    LARGEST_SIZE,
    SMALLEST_SIZE,
    find_rotations,
    latent_cost,
)

from .block_sample import Sample, sample_blocks
from .first_step import step_for_bits, step_for_error
from .fold_planner import FoldPlanner
from .sensor_planner import SensorPlanner

RATE_FACTOR = 12.0
"""Fitted on coded scenes: a first guess of the step that is within 1.5 of the right rate."""

UNFOLDED_MARGIN = 1.3
"""Bands on their own are not tried where they seem to cost so many times what the fold costs."""

BLOCKS_COMPARED = 100
"""Blocks of the sample, about, on which the fold is compared with bands on their own."""


@dataclass(frozen=True)
class Ideas:
    """What plans may use: everything, but where the worth of a part is measured.

    Parameters
    ----------
    second_fold : bool
        Merge the strongest components of all intervals.
    rotations : bool
        Let blocks rotate the strongest components.
    """

    second_fold: bool = True
    rotations: bool = True


ALL_IDEAS = Ideas()


class ScenePlanner:
    """Plans for one scene.

    Parameters
    ----------
    source : SceneSource or Sample
        Integer samples without gaps, or a sample of them that was read before.
    ends : tuple of int or None
        Partition; found from the scene if None. Not used with a sensor, which has its own.
    engine : AnalysisEngine
    progress : callable, optional
        Called with the fraction done.
    sensor : SensorBasis, optional
        Where components come from; else they are the scene's own.
    ideas : Ideas
        What plans may use; with a sensor, the second fold is always used.
    workers : Workers
        Which share the work of a plan.

    Raises
    ------
    SettingsError
        If the partition does not fit the scene.
    """

    def __init__(
        self,
        source: SceneSource | Sample,
        ends: tuple[int, ...] | None,
        engine: AnalysisEngine,
        progress: Callable[[float], None] | None = None,
        sensor: SensorBasis | None = None,
        ideas: Ideas = ALL_IDEAS,
        workers: Workers = ALONE,
    ) -> None:
        self._ideas = ideas
        self._workers = workers
        self.sample = source if isinstance(source, Sample) else sample_blocks(source, progress)
        self._engine = engine
        self._sensor = sensor
        self._fold = (
            FoldPlanner(self.sample, ends, engine, MERGE_LIMIT if ideas.second_fold else 0, workers)
            if sensor is None
            else SensorPlanner(self.sample, sensor, engine, workers)
        )

    def plan(self, step: float, *, spectral: bool, rotate: bool = True) -> Plan:
        """Plan for a step.

        Parameters
        ----------
        step : float
        spectral : bool
            Whether to fold at all.
        rotate : bool
            Whether to look for block rotations, which takes most of the time.

        Returns
        -------
        Plan
        """
        if not spectral:
            return Plan(step, self._fold.unfolded(step), (), 0.0)
        fold = self._fold.plan(step)
        rotations: tuple[Vectors, ...] = ()
        if rotate and self._ideas.rotations and fold.components >= SMALLEST_SIZE:
            strongest = islice(Analysis(fold, self._engine).blocks(self.sample.few), LARGEST_SIZE)
            latents = np.stack([one.astype(np.float64) for one in strongest])
            rotations = find_rotations(latents, step, self.sample.pixels, self._workers)
        return Plan(step, fold, rotations, self._fold.dropped(fold))

    def seems_unfoldable(self, step: float) -> bool:
        """Whether bands on their own may be cheaper than the fold at a step.

        Parameters
        ----------
        step : float

        Returns
        -------
        bool
        """
        few = self.sample.blocks[:, :: max(self.sample.blocks.shape[1] // BLOCKS_COMPARED, 1)]
        both = (self._fold.plan(step), self._fold.unfolded(step))
        folded, unfolded = self._workers.map(lambda fold: self._cost(fold, step, few)[0], both)
        return unfolded < UNFOLDED_MARGIN * (folded + self._fold.side_bits(step))

    def folded_cost(self, step: float) -> float:
        """What the folded scene costs at a step, bits and errors together.

        Parameters
        ----------
        step : float

        Returns
        -------
        float
            Approximate squared error of the scene in steps squared, plus what bits are worth (with vectors).
        """
        fold = self._fold.plan(step)
        bits, error = self._cost(fold, step, self.sample.few)
        dropped = self._fold.dropped(fold) * fold.bands * self.sample.pixels / (step * step)
        return RATE_WEIGHT * (bits + self._fold.side_bits(step)) + error + dropped

    def side_bits(self, step: float) -> float:
        """Bits of the vectors of the fold, about; see `FoldPlanner.side_bits`."""
        return self._fold.side_bits(step)

    def on(self, sample: Sample) -> ScenePlanner:
        """Plans of the same kind, in the same intervals, from another sample."""
        return ScenePlanner(
            sample,
            self._fold.ends,
            self._engine,
            sensor=self._sensor,
            ideas=self._ideas,
            workers=self._workers,
        )

    def _cost(self, fold: Fold, step: float, blocks: NDArray[np.int32]) -> tuple[float, float]:
        """Approximate bits of the scene under a fold, without side information; errors in steps squared."""
        bits = error = 0
        for latents in Analysis(fold, self._engine).blocks(blocks):
            bits += int(np.rint(latent_cost(latents, step) * np.float32(COST_UNIT)).astype(np.int64).sum())
            # Small latents become zero, the error of all others is even.
            square = np.minimum((latents / (FRACTION * step)) ** 2, 1.0 / 12)
            error += int(np.rint(square * COST_UNIT).astype(np.int64).sum())
        share = self.sample.pixels / float(blocks.shape[1] * CHANNELS) / COST_UNIT
        return bits * share, error * share

    def step_for_bits(self, bits: float) -> float:
        """Guess the step at which the scene costs so many bits, from the variances of the components.

        Parameters
        ----------
        bits : float
            Of the whole scene.

        Returns
        -------
        float
        """
        return step_for_bits(self._fold.variances, self.sample.pixels, RATE_FACTOR, bits)

    def step_for_error(self, mse: float) -> float:
        """Guess the step at which the scene has a mean squared error per sample."""
        return step_for_error(mse)
