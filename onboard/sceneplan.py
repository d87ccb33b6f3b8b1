"""Plans for one scene: the sample is read once, a plan for any step follows from it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream import exact
from bandfold.bitstream.fold import Fold, Vectors
from bandfold.bitstream.geometry import BLOCK, CHANNELS

from .basis import vector_bits
from .engines import AnalysisEngine
from .folding import fold_blocks
from .pipeline import Plan
from .planning import FoldPlanner
from .rate import exp2, log2
from .rotation import COST_UNIT, LARGEST_SIZE, find_rotations, latent_cost
from .sampling import sample_blocks
from .source import SceneSource

RATE_FACTOR = 12.0
"""Fitted on coded scenes: a first guess of the step that is within 1.5 of the right rate."""

UNFOLDED_MARGIN = 1.3
"""Bands on their own are not tried where they seem to cost so many times what the fold costs."""

BLOCKS_COMPARED = 100
"""Blocks of the sample, about, on which the fold is compared with bands on their own."""


class ScenePlanner:
    """Plans for one scene.

    Parameters
    ----------
    source : SceneSource
        Integer samples without gaps.
    ends : tuple of int or None
        Partition; found from the scene if None.
    engine : AnalysisEngine
    progress : callable, optional
        Called with the fraction done.

    Raises
    ------
    SettingsError
        If the partition does not fit the scene.
    """

    def __init__(
        self,
        source: SceneSource,
        ends: tuple[int, ...] | None,
        engine: AnalysisEngine,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        self._sample = sample_blocks(source, progress)
        self._engine = engine
        self._fold = FoldPlanner(self._sample, ends, engine)

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
        if rotate:
            planes = fold_blocks(fold, self._sample.blocks)
            latents = self._latents(planes[:LARGEST_SIZE]).astype(np.float64)
            rotations = find_rotations(latents, step, self._sample.pixels)
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
        fold = self._fold.plan(step)
        vectors = [*fold.first, *([fold.second] if fold.second is not None else [])]
        side = sum(float(vector_bits(one).sum()) for one in vectors)
        return self._cost(self._fold.unfolded(step), step) < UNFOLDED_MARGIN * (self._cost(fold, step) + side)

    def _cost(self, fold: Fold, step: float) -> float:
        """Approximate bits of the scene under a fold, without side information."""
        total = 0
        blocks = self._sample.blocks[:, :: max(self._sample.blocks.shape[1] // BLOCKS_COMPARED, 1)]
        for plane in fold_blocks(fold, blocks):
            cost = latent_cost(self._latents(plane[None]), step)
            total += int(np.rint(cost * np.float32(COST_UNIT)).astype(np.int64).sum())
        return total / COST_UNIT * self._sample.pixels / float(blocks.shape[1] * CHANNELS)

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
        low, high = -4.0, 20.0
        for _ in range(30):
            middle = (low + high) / 2
            ratio = np.maximum(self._fold.variances, 0.0) / exp2(2 * middle)
            # Strong components are smooth and cost less than their variance says, weak ones are noise.
            rate = exact.log2(1.0 + RATE_FACTOR * np.sqrt(ratio) * ratio / (1.0 + ratio)) / 2
            total = math.fsum(rate.tolist()) * self._sample.pixels
            low, high = (middle, high) if total > bits else (low, middle)
        return exp2((low + high) / 2)

    def step_for_error(self, mse: float) -> float:
        """Guess the step at which the scene has a mean squared error per sample."""
        return exp2(log2(12.0 * mse) / 2 + 0.5)

    def _latents(self, planes: NDArray[np.float64]) -> NDArray[np.int32]:
        """Latents of folded sample blocks, shape (components, 64, blocks)."""
        count, blocks = planes.shape[:2]
        return self._engine.analyse(planes.reshape(count, blocks * BLOCK, BLOCK)).reshape(
            count, CHANNELS, blocks
        )
