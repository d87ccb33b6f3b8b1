"""The strips of a scene of several folds: each goes through the pipeline of its zone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bandfold.common.geometry import BLOCK
from bandfold.common.scene import SceneSource
from bandfold.onboard.quantisation.rdoq import RATE_WEIGHT
from bandfold.onboard.samples.subsampled import ThinnedSource, stride_for

from .strip_coder import Coded, Plan, ScenePipeline

MakePipeline = Callable[[SceneSource, SceneSource, Plan], ScenePipeline]
"""Makes the pipeline of one fold, of the counts of a scene, the scene as given and a plan."""


class ZonePipeline:
    """The strips of a scene under a plan of several folds.

    Parameters
    ----------
    plan : Plan
    parts : sequence of (ScenePipeline, int)
        For each strip the pipeline that codes it, and its index there.
    pixels : int
        Of all strips.
    bands : int
    """

    def __init__(
        self, plan: Plan, parts: Sequence[tuple[ScenePipeline, int]], pixels: int, bands: int
    ) -> None:
        self.plan = plan
        self.pixels = pixels
        self.bands = bands
        self._parts = parts

    def __len__(self) -> int:
        """Number of strips."""
        return len(self._parts)

    def code(self, index: int, step: float, *, errors: bool, weight: float = RATE_WEIGHT) -> Coded:
        """Quantise and code one strip; see `ScenePipeline.code`."""
        pipeline, place = self._parts[index]
        return pipeline.code(place, step, errors=errors, weight=weight)


def zone_pipeline(source: SceneSource, original: SceneSource, plan: Plan, make: MakePipeline) -> ZonePipeline:
    """The whole scene under a plan of several folds.

    Parameters
    ----------
    source : SceneSource
        Integer samples, absent ones already filled.
    original : SceneSource
        The scene as given.
    plan : Plan
        With a zone for each strip.
    make : callable

    Returns
    -------
    ZonePipeline
    """
    pipelines = [make(source, original, replace(one, others=(), zones=())) for one in plan.all]
    parts = [(pipelines[zone], strip) for strip, zone in enumerate(plan.zones)]
    info = source.info
    return ZonePipeline(plan, parts, info.lines * info.samples, info.bands)


def thinned_zone_pipeline(
    source: SceneSource, original: SceneSource, plan: Plan, make: MakePipeline, strip_lines: int, pixels: int
) -> ZonePipeline:
    """What stands for the scene in trials: some rows of each zone, under its fold.

    Parameters
    ----------
    source, original, plan, make
        As for `zone_pipeline`.
    strip_lines : int
    pixels : int
        Pixels to take, about; the whole scene if it has not many more.

    Returns
    -------
    ZonePipeline
    """
    info = source.info
    stride = stride_for(info, pixels)
    if stride < 2:
        return zone_pipeline(source, original, plan, make)
    # Every n-th row of the rows in order of their zones: each zone has its share.
    rows = sorted(range(info.lines // BLOCK), key=lambda row: (plan.zones[row * BLOCK // strip_lines], row))
    taken = rows[stride // 2 :: stride]
    parts: list[tuple[ScenePipeline, int]] = []
    for one in plan.all:
        mine = [row for row in taken if plan.zones[row * BLOCK // strip_lines] == one.number]
        if mine:
            few = (ThinnedSource(source, mine), ThinnedSource(original, mine))
            pipeline = make(*few, replace(one, others=(), zones=()))
            parts += [(pipeline, strip) for strip in range(len(pipeline))]
    return ZonePipeline(plan, parts, len(taken) * BLOCK * info.samples, info.bands)
