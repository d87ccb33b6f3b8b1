"""Plans for one scene: its blocks are sampled once, a plan for any step follows from them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.exact import exp2, log2_of
from bandfold.common.scene import CHANNELS
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.effort import DEFAULT_EFFORT, EFFORTS, Effort
from bandfold.onboard.rate_model import (
    LAGRANGE_MULTIPLIER,
    component_bits,
    latent_cost,
    step_for_bits,
    step_for_error,
)
from bandfold.onboard.transform.analysis import Analysis
from bandfold.onboard.transform.rotation_search import SMALLEST_SIZE, find_rotations

from .block_sample import BlockSample
from .component_latents import BLOCKS_AT_ONCE
from .fold_planner import FoldPlanner
from .plan import Basis, Plan

if TYPE_CHECKING:
    from bandfold.bitstream.transforms.sensor_basis import SensorBasis

RATE_FACTOR = 12.0
"""Fitted on coded scenes, see `GUESS_CORRECTIONS`."""

GUESS_CORRECTIONS = (
    (-5.6, -0.65),
    (-4.3, -0.35),
    (-3.3, 0.0),
    (-2.0, 0.25),
    (-1.0, 0.38),
    (0.0, 0.62),
    (1.0, 1.1),
    (2.0, 2.58),
)
"""By how many octaves the step of a rate is coarser than variances say, at logarithms of bits per sample.

Medians over scenes coded with two quantisers; the logarithms are binary. At low rates energy is found in few
places and frequencies, which variances of pixels do not tell; at high rates most components are noise, whose
levels take fewer bits than a Gaussian's.
From 0.25 bits per sample on half of the scenes are within a fifth of it.
"""

UNFOLDED_MARGIN = 1.3
"""Bands on their own are not tried where they seem to cost so many times what the fold costs ..."""

WORTH_FOLDING = 2.0
"""... and not looked at where the variances of bands cost so many times what those of components do."""

BLOCKS_COMPARED = 100
"""Blocks of the sample, about, on which the fold is compared with bands on their own ..."""

BLOCKS_TURNED = 400
"""... and from which rotations are found."""


class ScenePlanner:
    """Plans of one fold for one scene.

    Parameters
    ----------
    sample : BlockSample
        Blocks of the scene.
    ends : tuple of int or None
        Partition: the end of each interval, exclusive; found from the sample if None. Not used with a sensor,
        which has its own.
    sensor : SensorBasis, optional
        Where components come from; else they are the scene's own.
    effort : Effort
        Tells which components and rotations are looked for; with a sensor rotations only.
    workers : Workers
        Threads that share the work of a plan.

    Raises
    ------
    SettingsError
        If the partition does not fit the scene.
    """

    depends_on_step = True

    def __init__(
        self,
        sample: BlockSample,
        ends: tuple[int, ...] | None,
        sensor: SensorBasis | None = None,
        effort: Effort = EFFORTS[DEFAULT_EFFORT],
        workers: Workers = ALONE,
    ) -> None:
        self._effort = effort
        self.sample = sample
        self._sensor = sensor
        self._workers = workers
        self._folds = (
            FoldPlanner(sample, ends, effort.merged, workers, weak=effort.careful)
            if sensor is None
            else _of_sensor(sample, sensor, workers)
        )

    def plan(self, step: float, *, rotate: bool = True) -> Plan:
        """Plan a fold and, for its strongest components, rotations; see `Planner.plan`."""
        fold = self._folds.plan(step)
        rotations: tuple[Vectors, ...] = ()
        effort = self._effort
        most = fold.components if effort.rotations is None else effort.rotations
        if rotate and SMALLEST_SIZE <= fold.components <= most:
            analysis, blocks = Analysis(fold.leading(effort.rotated)), self.sample.thinned(BLOCKS_TURNED)
            count = min(fold.components, effort.rotated)
            # Filled part by part: parts that are put together at the end would take twice the memory.
            latents = np.empty((count, CHANNELS, blocks.shape[1]), dtype=np.int32)

            def analyse(start: int) -> None:
                some = slice(start, start + BLOCKS_AT_ONCE)
                latents[..., some] = analysis.blocks(blocks[:, some])[:count]

            for _ in self._workers.map(analyse, range(0, blocks.shape[1], BLOCKS_AT_ONCE)):
                pass
            judged_at = self._folds.judged_at(step)
            rotations = find_rotations(
                latents,
                judged_at,
                self.sample.pixels,
                self._workers,
                again=effort.careful,
                doubled=effort.doubled,
            )
        return Plan.of(step, Basis(fold, rotations, self._folds.left_out(fold)))

    def unfolded(self) -> UnfoldedPlanner:
        """Plans that leave the bands of the scene alone."""
        return UnfoldedPlanner(self, self._folds)

    def seems_unfoldable(self, step: float) -> bool:
        """Whether bands on their own may be cheaper than the fold at a step.

        Parameters
        ----------
        step : float
            Quantiser step in counts.

        Returns
        -------
        bool
        """
        bands = np.diagonal(self.sample.moments[1])
        if component_bits(bands, step) > WORTH_FOLDING * component_bits(self._folds.variances, step):
            return False
        few = self.sample.thinned(BLOCKS_COMPARED)
        both = (self._folds.plan(step), self._folds.unfolded(step))
        folded, unfolded = self._workers.map(lambda fold: self._cost(fold, step, few)[0], both)
        return unfolded < UNFOLDED_MARGIN * (folded + self._folds.side_bits(step))

    def folded_cost(self, step: float, sample: BlockSample | None = None) -> float:
        """What the folded scene costs at a step, bits and errors together.

        Parameters
        ----------
        step : float
            Quantiser step in counts.
        sample : BlockSample, optional
            Blocks of the scene on which that is estimated; by default those that it was planned from.

        Returns
        -------
        float
            Approximate squared error of the scene in steps squared, plus what bits are worth (with vectors).
        """
        fold = self._folds.plan(step)
        bits, error = self._cost(fold, step, (self.sample if sample is None else sample).few)
        left_out = self._folds.left_out(fold) * fold.bands * self.sample.pixels / (step * step)
        return LAGRANGE_MULTIPLIER * (bits + self._folds.side_bits(step)) + error + left_out

    def side_bits(self, step: float) -> float:
        """Bits of the vectors of the fold, about; see `FoldPlanner.side_bits`."""
        return self._folds.side_bits(step)

    def on(self, sample: BlockSample) -> ScenePlanner:
        """Plans of the same kind, in the same intervals, from another sample."""
        return ScenePlanner(sample, self._folds.ends, self._sensor, self._effort, self._workers)

    def _cost(self, fold: Fold, step: float, blocks: NDArray[Any]) -> tuple[float, float]:
        """Approximate bits of the scene under a fold, without side information; errors in steps squared."""
        analysis = Analysis(fold)

        def cost(start: int) -> tuple[float, float]:
            return latent_cost(analysis.blocks(blocks[:, start : start + BLOCKS_AT_ONCE]), step)

        # Both are sums of whole numbers of small parts, and exact: in pieces they take less memory.
        costs = list(self._workers.map(cost, range(0, blocks.shape[1], BLOCKS_AT_ONCE)))
        bits, error = (math.fsum(part) for part in zip(*costs, strict=True))
        share = self.sample.pixels / float(blocks.shape[1] * CHANNELS)
        return bits * share, error * share

    def step_for_bits(self, bits: float) -> float:
        """Estimate a step from the variances of the components; see `Planner.step_for_bits`."""
        guess = step_for_bits(self._folds.variances, self.sample.pixels, RATE_FACTOR, bits)
        bps = bits / (self.sample.pixels * len(self.sample.blocks))
        return guess * exp2(_guess_correction(log2_of(bps)))

    def step_for_error(self, mse: float) -> float:
        """See `Planner.step_for_error`."""
        return step_for_error(mse)

    def forget(self) -> None:
        """See `Planner.forget`."""
        self._folds.forget()

    def finish(self) -> None:
        """See `Planner.finish`."""
        self._folds.finish()
        del self.sample


class UnfoldedPlanner:
    """Plans that leave each band a component of its own.

    Parameters
    ----------
    folded : ScenePlanner
        Of the scene: its first step is taken here too.
    folds : FoldPlanner
        Of the scene, for its intervals and means.
    """

    depends_on_step = False

    def __init__(self, folded: ScenePlanner, folds: FoldPlanner) -> None:
        self._folded = folded
        self._folds = folds

    def plan(self, step: float, *, rotate: bool = True) -> Plan:
        """Plan for a step: only how coarsely the means are told depends on it; see `Planner.plan`."""
        return Plan.of(step, Basis(self._folds.unfolded(step)))

    def step_for_bits(self, bits: float) -> float:
        """See `Planner.step_for_bits`."""
        return self._folded.step_for_bits(bits)

    def step_for_error(self, mse: float) -> float:
        """See `Planner.step_for_error`."""
        return self._folded.step_for_error(mse)

    def forget(self) -> None:
        """See `Planner.forget`."""
        self._folded.forget()

    def finish(self) -> None:
        """See `Planner.finish`."""
        self._folded.finish()


def _of_sensor(sample: BlockSample, sensor: SensorBasis, workers: Workers) -> FoldPlanner:
    from .sensor_planner import SensorPlanner

    return SensorPlanner(sample, sensor, workers)


def _guess_correction(bps: float) -> float:
    """Octaves at the logarithm of a rate, from `GUESS_CORRECTIONS`: linear between them, flat beyond."""
    before = GUESS_CORRECTIONS[0]
    for rate, octaves in GUESS_CORRECTIONS:
        if bps < rate:
            if rate == before[0]:
                return octaves
            return before[1] + (octaves - before[1]) * (bps - before[0]) / (rate - before[0])
        before = (rate, octaves)
    return before[1]
