"""Several folds for a scene whose land changes: regions of strips, each with a fold and rotations of its own.

A fold more is made where it saves more than it costs. That is foreseen from moments, which takes little time
and says no where the land does not change. Where it says yes, several folds are planned and compared with one
on a sample, which must be denser than that for one fold, because it is shared among several.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from bandfold.common.scene import BLOCK, SceneSource, block_rows
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER, least_fold_bits

from .block_sample import BlockSample, sample_blocks
from .mismatch import SHARE
from .plan import Plan
from .rare_blocks import add_rare_blocks
from .region_clusters import Region, merge_strips, settle_strips, stride_of
from .scene_planner import ScenePlanner

MOST_GROUPS = 16
"""Groups of neighbouring strips from which regions are merged, at most."""

DENSE_BLOCKS = 1024
"""Blocks of the sample from which several folds are planned, where the scene has so many."""

LEAST_BLOCKS = 32
"""Sampled blocks of a region at least, where all blocks are sampled ..."""

LEAST_OF_MANY = 192
"""... and where they stand for others."""

SETTLED_BLOCKS = 16
"""Sampled blocks at least of strips that go to the region whose fold codes them best: fewer than a region
has, so that regions end where the land does ..."""

MOST_SETTLED = 64
"""... and how many such groups of strips there are at most."""

LEAST_SAVED = 0.025
"""Share of the bits of one fold that several must save by the moments to be looked at more closely.

Of 16 scenes at three rates, those for which several folds were better in the end were foreseen to save 2.8 %
and more by both samples; where it was less, all were looked at in vain."""

SAVED_SHARE = 0.7
"""Share of what the sample says several folds save that is saved: rotations and contexts adapt to the land
too, and do better with one fold than with several."""

SIDE_FACTOR = 1.5
"""Times the bits of its vectors that another fold costs: mostly it has rotations too."""


class RegionPlanner:
    """Plans of several folds for one scene.

    Parameters
    ----------
    whole : ScenePlanner
        Plans of one fold.
    planners : list of ScenePlanner
        Plans for each region.
    regions : tuple of int
        Number of the region of each strip.

    Attributes
    ----------
    planners : list of ScenePlanner
        As given.
    """

    depends_on_step = True

    def __init__(self, whole: ScenePlanner, planners: list[ScenePlanner], regions: tuple[int, ...]) -> None:
        self._whole = whole
        self.planners = planners
        self._regions = regions

    def plan(self, step: float, *, rotate: bool = True) -> Plan:
        """Plan a basis for each region; see `Planner.plan`."""
        bases = tuple(
            replace(planner.plan(step, rotate=rotate).bases[0], number=number)
            for number, planner in enumerate(self.planners)
        )
        pixels = [planner.sample.pixels for planner in self.planners]
        left_out = math.fsum(basis.left_out * count for basis, count in zip(bases, pixels, strict=True))
        return Plan(step, bases, self._regions, left_out / sum(pixels))

    def step_for_bits(self, bits: float) -> float:
        """See `Planner.step_for_bits`."""
        return self._whole.step_for_bits(bits)

    def step_for_error(self, mse: float) -> float:
        """See `Planner.step_for_error`."""
        return self._whole.step_for_error(mse)

    def forget(self) -> None:
        """See `Planner.forget`."""
        for planner in (self._whole, *self.planners):
            planner.forget()

    def finish(self) -> None:
        """See `Planner.finish`."""
        for planner in (self._whole, *self.planners):
            planner.finish()


def find_regions(
    planner: ScenePlanner,
    source: SceneSource,
    strip_lines: int,
    step: float,
    progress: Callable[[float], None] | None = None,
    least_saved: float = LEAST_SAVED,
) -> RegionPlanner | None:
    """Find regions that are worth folds of their own.

    Parameters
    ----------
    planner : ScenePlanner
        Plans of one fold.
    source : SceneSource
        Integer samples without gaps.
    strip_lines : int
        Lines of a strip.
    step : float
        Quantiser step, in counts, about that at which the scene will be coded: folds pay more at fine steps.
    progress : callable, optional
        Called with the fraction of a second sample that is read.
    least_saved : float
        Share of the bits of one fold that several must save by the moments to be looked at more closely:
        more where folds are for a small part of what is coded.

    Returns
    -------
    RegionPlanner or None
        None where one fold is best.
    """
    sparse = _Divider(planner.sample, source, strip_lines, LEAST_BLOCKS)
    groups = sparse.groups()
    if len(groups) < 2:
        return None
    merged = planner.sample.workers.later(partial(merge_strips, groups, step))
    # Those of a region are fewer, told more coarsely, and have rotations.
    bits = planner.side_bits(step) + least_fold_bits(len(planner.sample.blocks))
    root = merged()
    if root.saved < least_saved * root.bits or len(_cut(root, bits)) < 2:
        return None
    sample, workers = planner.sample, planner.sample.workers
    if sample.blocks.shape[1] < min(sparse.blocks, DENSE_BLOCKS):
        # Of all bands only where they are wanted: they take memory.
        stride = stride_of(source.info.bands)
        sample = sample_blocks(source, enough=DENSE_BLOCKS, stride=stride, workers=workers)
    everything = sample.blocks.shape[1] == sparse.blocks
    least = LEAST_BLOCKS if everything else LEAST_OF_MANY
    divider = _Divider(sample, source, strip_lines, least)
    groups = divider.groups()
    if len(groups) < 2:
        return None
    root = merge_strips(groups, step)
    regions = _cut(root, bits)
    if root.saved < least_saved * root.bits or len(regions) < 2:
        return None
    groups = divider.groups(SETTLED_BLOCKS, MOST_SETTLED)

    def in_all_bands() -> _Divider:
        # It is read anew for each try, since it takes memory.
        if sample is planner.sample:
            return divider
        counted = planner.sample.counted is not None
        dense = sample_blocks(source, progress, enough=DENSE_BLOCKS, counted=counted, workers=workers)
        return _Divider(dense, source, strip_lines, least)

    while len(regions) > 1:
        parts = [region.strips for region in regions]
        several, few = in_all_bands().planned(planner, source, parts, settle_strips(parts, groups, step))
        if len(several.planners) > 1 and _pays(planner, few, several.planners, step):
            return several
        # The first cut saves most.
        regions = sorted(root.parts, key=lambda region: region.strips) if len(regions) > 2 else []
    return None


class _Divider:
    """Divides a scene into regions by a sample of it."""

    def __init__(self, sample: BlockSample, source: SceneSource, strip_lines: int, least: int) -> None:
        self._sample = sample
        self._info = source.info
        self._strip_lines = strip_lines
        self.strips = -(-source.info.lines // strip_lines)
        self.blocks = block_rows(source.info.lines) * block_rows(source.info.samples)
        self._strip_of = np.zeros(0, dtype=np.int64)
        if sample.rows is not None:
            self._strip_of = sample.rows * BLOCK // strip_lines
        self._least = least

    def groups(
        self, least: int | None = None, most: int = MOST_GROUPS
    ) -> list[tuple[tuple[int, ...], BlockSample]]:
        """Neighbouring strips of which enough is sampled together to compare them, so many groups at most."""
        return [
            (strips, self.part(strips))
            for strips in self._neighbours(self._least if least is None else least, most)
        ]

    def lines(self, strips: tuple[int, ...]) -> list[slice]:
        """Lines of some strips."""
        height = self._strip_lines
        return [slice(strip * height, min((strip + 1) * height, self._info.lines)) for strip in strips]

    def count(self, strips: tuple[int, ...]) -> int:
        """How many blocks of some strips were sampled."""
        return int(np.isin(self._strip_of, strips).sum())

    def part(self, strips: tuple[int, ...]) -> BlockSample:
        """What was sampled of some strips."""
        taken = np.flatnonzero(np.isin(self._strip_of, strips))
        height, lines = self._strip_lines, self._info.lines
        count = sum(min((strip + 1) * height, lines) - strip * height for strip in strips)
        whole = len(taken) and taken[-1] - taken[0] + 1 == len(taken)
        # Neighbouring strips need no copy.
        part = slice(taken[0], taken[-1] + 1) if whole else taken
        counted = None if self._sample.counted is None else self._sample.counted[part]
        return BlockSample(
            self._sample.blocks[:, part],
            count * self._info.samples,
            stride=self._sample.stride,
            counted=counted,
            workers=self._sample.workers,
        )

    def planned(
        self,
        whole: ScenePlanner,
        source: SceneSource,
        parts: list[tuple[int, ...]],
        settled: list[tuple[int, ...]],
    ) -> tuple[RegionPlanner, BlockSample]:
        """Plans for parts of the scene, settled ones if enough of each is sampled, and some of the sample."""
        if all(self.count(strips) >= self._least for strips in settled):
            parts = settled
        planners = [
            whole.on(add_rare_blocks(self.part(strips), source, self.lines(strips))) for strips in parts
        ]
        few = replace(self._sample, blocks=self._sample.few.copy(), counted=None)
        return RegionPlanner(whole, planners, self.numbers(parts)), few

    def numbers(self, regions: list[tuple[int, ...]]) -> tuple[int, ...]:
        """Number of the region of each strip."""
        found = {strip: number for number, strips in enumerate(regions) for strip in strips}
        return tuple(found[strip] for strip in range(self.strips))

    def _neighbours(self, least: int, most: int) -> list[tuple[int, ...]]:
        """Strips of those groups."""
        counts = np.bincount(self._strip_of, minlength=self.strips)
        enough = max(least, int(counts.sum()) // most)
        groups: list[tuple[int, ...]] = []
        start = 0
        for end in range(1, self.strips + 1):
            if counts[start:end].sum() >= enough:
                groups.append(tuple(range(start, end)))
                start = end
        if start < self.strips and groups:
            groups[-1] += tuple(range(start, self.strips))
        return groups


def _cut(region: Region, bits: float) -> list[Region]:
    """The regions whose folds may be worth so many bits each, by moments; in order of their first strips."""
    if not region.parts or SHARE * region.saved <= bits:
        return [region]
    cut = [leaf for part in region.parts for leaf in _cut(part, bits)]
    return sorted(cut, key=lambda leaf: leaf.strips)


def _pays(whole: ScenePlanner, sample: BlockSample, parts: list[ScenePlanner], step: float) -> bool:
    """Whether several folds are worth their bits in place of one, measured on the sample that they share."""

    def cost(planner: ScenePlanner, blocks: BlockSample) -> float:
        return planner.folded_cost(step, blocks) - LAGRANGE_MULTIPLIER * planner.side_bits(step)

    saved = cost(whole, sample) - math.fsum(cost(part, part.sample) for part in parts)
    spent = math.fsum(part.side_bits(step) for part in parts) - whole.side_bits(step)
    fold_bits = SIDE_FACTOR * spent + least_fold_bits(len(sample.blocks))
    return SAVED_SHARE * saved > LAGRANGE_MULTIPLIER * fold_bits
