"""Plans for one scene: the sample is read once, a plan for any step follows from it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bandfold.bitstream import exact
from bandfold.bitstream.fold import FRACTION, Fold
from bandfold.bitstream.geometry import BLOCK, CHANNELS

from .basis import vector_bits
from .engines import AnalysisEngine
from .folding import fold_blocks
from .partition import check_partition, partition_bands
from .pipeline import Plan
from .planning import FoldPlanner
from .rate import exp2, log2
from .rotation import find_rotations, latent_cost
from .sampling import sample_blocks
from .source import SceneSource

SPATIAL_GAIN = 8.0
"""How much smaller than its variance a component's error may be before it costs bits: what the transform gains."""

UNFOLDED_MARGIN = 1.3
"""Bands on their own are not tried where they seem to cost so many times what the fold costs."""


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

    def plan(self, step: float, *, spectral: bool) -> Plan:
        """Plan for a step.

        Parameters
        ----------
        step : float
        spectral : bool
            Whether to fold at all.

        Returns
        -------
        Plan
        """
        if not spectral:
            return Plan(step, self._fold.unfolded(step), (), 0.0)
        fold = self._fold.plan(step)
        planes = fold_blocks(fold, self._sample.blocks)
        latents = self._latents(planes)
        rotations = find_rotations(latents.astype(np.float64), step, self._sample.pixels)
        return Plan(step, fold, rotations, self._dropped(fold, planes))

    def seems_unfoldable(self, step: float) -> bool:
        """Whether bands on their own may be cheaper than the fold at a step.

        Parameters
        ----------
        step : float

        Returns
        -------
        bool
        """
        fold, unfolded = self._fold.plan(step), self._fold.unfolded(step)
        scale = self._sample.pixels / (self._sample.blocks.shape[1] * CHANNELS)
        cost = [
            float(int(np.rint(latent_cost(self._latents(fold_blocks(one, self._sample.blocks)).astype(np.float64), step)).sum()))
            * scale
            for one in (fold, unfolded)
        ]
        vectors = [*fold.first, *([fold.second] if fold.second is not None else [])]
        side = sum(float(vector_bits(one).sum()) for one in vectors)
        return cost[1] < UNFOLDED_MARGIN * (cost[0] + side)

    def step_for_bits(self, bits: float) -> float:
        """Guess the step at which the scene costs so many bits, by reverse water-filling over the intervals.

        Parameters
        ----------
        bits : float
            Of the whole scene.

        Returns
        -------
        float
        """
        low, high = -4.0, 20.0
        variances = np.maximum(self._fold.variances, 1e-9) / SPATIAL_GAIN
        for _ in range(40):
            middle = (low + high) / 2
            level = exp2(2 * middle) / 12
            rate = float(np.maximum(exact.log2(variances / level), 0.0).sum()) / 2 * self._sample.pixels
            low, high = (middle, high) if rate > bits else (low, middle)
        return exp2((low + high) / 2)

    def step_for_error(self, mse: float) -> float:
        """Guess the step at which the scene has a mean squared error per sample."""
        return exp2(log2(12.0 * mse) / 2 + 0.5)

    def _latents(self, planes: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        """Latents of folded sample blocks, shape (components, 64, blocks)."""
        return self._engine.analyse(planes.reshape(len(planes), -1, BLOCK)).reshape(len(planes), CHANNELS, -1)

    def _dropped(self, fold: Fold, planes: np.ndarray) -> float:  # type: ignore[type-arg]
        """Mean squared error per sample of what a fold leaves out, on the sample; summed in integers."""
        blocks = self._sample.blocks
        means = np.rint(fold.means / FRACTION).astype(np.int64)
        whole = 0
        for band, mean in zip(blocks, means, strict=True):
            difference = band.astype(np.int64) - mean
            whole += int((difference * difference).sum())
        kept = sum(int((np.rint(plane / 8.0).astype(np.int64) ** 2).sum()) for plane in planes)
        return max(whole - kept / (FRACTION / 8.0) ** 2, 0.0) / blocks.size
