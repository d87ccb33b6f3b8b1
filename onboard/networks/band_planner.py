"""Plans for a scene that a model codes band by band: intervals, their engines and the band means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.transforms.klt import Fold
from bandfold.common.scene import SceneSource
from bandfold.onboard.planning.block_sample import sample_blocks, told_means
from bandfold.onboard.planning.plan import Basis, Plan
from bandfold.onboard.rate_model import step_for_bits, step_for_error

from .intervals import interval_ends

RATE_FACTOR = 1.6
"""Fitted on coded scenes: a first guess of the step that is within a factor of 1.5 of the right rate."""


class BandPlanner:
    """Plans for one scene.

    Parameters
    ----------
    source : SceneSource
        Integer samples without gaps.
    codec : BandCodec
        The model: its intervals, and which of its networks codes each.
    progress : callable, optional
        Called with the fraction done.
    """

    def __init__(
        self, source: SceneSource, codec: BandCodec, progress: Callable[[float], None] | None = None
    ) -> None:
        info = source.info
        ends = interval_ends(info.bands, info.metadata, codec.ends, codec.limits)
        # Streams tell no empty intervals.
        used = [
            (end, engine)
            for start, end, engine in zip((0, *ends), ends, codec.engine_of, strict=False)
            if end > start
        ]
        self._ends = tuple(end for end, _ in used)
        self._engines = tuple(engine for _, engine in used)
        sample = sample_blocks(source, progress)
        self._pixels = sample.pixels
        flat = sample.blocks.reshape(info.bands, -1)
        self._mean = flat.sum(axis=1, dtype=np.int64) / flat.shape[1]
        self._variances = flat.var(axis=1, dtype=np.float64)

    depends_on_step = False

    def plan(self, step: float, *, rotate: bool = True) -> Plan:
        """Plan for a step: only how coarsely the means are told depends on it; see `Planner.plan`."""
        means, shift = told_means(self._mean, step, self._pixels)
        return Plan.of(step, Basis(Fold(self._ends, means, shift, engines=self._engines)))

    def step_for_bits(self, bits: float) -> float:
        """Guess the step at which the scene costs so many bits; see `ScenePlanner.step_for_bits`."""
        return step_for_bits(self._variances, self._pixels, RATE_FACTOR, bits)

    def step_for_error(self, mse: float) -> float:
        """Guess the step at which the scene has a mean squared error per sample."""
        return step_for_error(mse)

    def forget(self) -> None:
        """Nothing is kept beside what plans are made of."""

    def finish(self) -> None:
        """That is little."""
