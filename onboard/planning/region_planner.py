"""Several folds for a scene whose land changes: zones of strips, each with a fold and rotations of its own.

A fold more is made where it saves more than it costs. That is foreseen from moments, which takes little time
and says no where the land does not change. Where it says yes, several folds are planned and compared with one
on a sample, which must be denser than that for one fold, because it is shared among several.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np

from bandfold.common.geometry import BLOCK, block_rows
from bandfold.common.scene import SceneSource
from bandfold.onboard.coding.strip_coder import Plan
from bandfold.onboard.quantisation.rdoq import RATE_WEIGHT

from .block_sample import Sample, sample_blocks
from .region_clusters import Zone, merge_strips, stride_of
from .scene_planner import ScenePlanner
from .stream_planner import SHARE

MOST_GROUPS = 16
"""Groups of neighbouring strips from which zones are merged, at most."""

DENSE_BLOCKS = 1024
"""Blocks of the sample from which several folds are planned, where the scene has so many."""

LEAST_BLOCKS = 32
"""Sampled blocks of a zone at least, where all blocks are sampled ..."""

LEAST_OF_MANY = 192
"""... and where they stand for others."""

SAVED_SHARE = 0.7
"""Share of what the sample says several folds save that is saved: rotations and contexts adapt to the land
too, and do better with one fold than with several."""

SIDE_FACTOR = 2.0
"""Times the bits of its vectors that another fold costs: mostly it has rotations too."""

FRAME_BITS = 160
"""Bits of its sections without anything in them ..."""

MEAN_BITS = 4
"""... and of each mean."""


class ZonePlanner:
    """Plans of several folds for one scene.

    Parameters
    ----------
    whole : ScenePlanner
        Plans of one fold.
    planners : list of ScenePlanner
        Plans for each zone.
    zones : tuple of int
        Number of the zone of each strip.
    """

    def __init__(self, whole: ScenePlanner, planners: list[ScenePlanner], zones: tuple[int, ...]) -> None:
        self._whole = whole
        self._planners = planners
        self._zones = zones

    def plan(self, step: float, *, spectral: bool, rotate: bool = True) -> Plan:
        """Plan for a step; see `ScenePlanner.plan`."""
        if not spectral:
            return self._whole.plan(step, spectral=False)
        plans = [
            replace(planner.plan(step, spectral=True, rotate=rotate), number=number)
            for number, planner in enumerate(self._planners)
        ]
        pixels = [planner.sample.pixels for planner in self._planners]
        dropped = math.fsum(plan.dropped * count for plan, count in zip(plans, pixels, strict=True))
        return replace(plans[0], dropped=dropped / sum(pixels), others=tuple(plans[1:]), zones=self._zones)

    def step_for_bits(self, bits: float) -> float:
        """Guess the step at which the scene costs so many bits; see `ScenePlanner.step_for_bits`."""
        return self._whole.step_for_bits(bits)

    def step_for_error(self, mse: float) -> float:
        """Guess the step at which the scene has a mean squared error per sample."""
        return self._whole.step_for_error(mse)


def zone_planner(
    planner: ScenePlanner,
    source: SceneSource,
    strip_lines: int,
    step: float,
    progress: Callable[[float], None] | None = None,
) -> ZonePlanner | None:
    """Find zones that are worth folds of their own.

    Parameters
    ----------
    planner : ScenePlanner
        Plans of one fold.
    source : SceneSource
        Integer samples without gaps.
    strip_lines : int
    step : float
        About that at which the scene will be coded: folds pay more at fine steps.
    progress : callable, optional
        Called with the fraction of a second sample that is read.

    Returns
    -------
    ZonePlanner or None
        None where one fold is best.
    """
    sparse = _Divider(planner.sample, source, strip_lines, LEAST_BLOCKS)
    if len(sparse.groups) < 2:
        return None
    # Those of a zone are fewer, told more coarsely, and have rotations.
    bits = planner.side_bits(step) + _least_bits(planner)
    if len(_cut(merge_strips(sparse.groups, step), bits)) < 2:
        return None
    sample = planner.sample
    if sample.blocks.shape[1] < min(sparse.blocks, DENSE_BLOCKS):
        # Of all bands only where they are wanted: they take memory.
        sample = sample_blocks(source, enough=DENSE_BLOCKS, stride=stride_of(source.info.bands))
    everything = sample.blocks.shape[1] == sparse.blocks
    least = LEAST_BLOCKS if everything else LEAST_OF_MANY
    divider = _Divider(sample, source, strip_lines, least)
    if len(divider.groups) < 2:
        return None
    root = merge_strips(divider.groups, step)
    zones = _cut(root, bits)
    if len(zones) < 2:
        return None
    whole = planner
    if sample is not planner.sample:
        sample = sample_blocks(source, progress, enough=DENSE_BLOCKS)
        divider, whole = _Divider(sample, source, strip_lines, least), planner.on(sample)
    while len(zones) > 1:
        planners = [planner.on(divider.part(zone.strips)) for zone in zones]
        if _pays(whole, planners, step):
            return ZonePlanner(planner, planners, divider.numbers(zones))
        # The first cut saves most.
        zones = sorted(root.parts, key=lambda zone: zone.strips) if len(zones) > 2 else []
    return None


class _Divider:
    """Divides a scene into zones by a sample of it."""

    def __init__(self, sample: Sample, source: SceneSource, strip_lines: int, least: int) -> None:
        self._sample = sample
        self._info = source.info
        self._strip_lines = strip_lines
        self.strips = -(-source.info.lines // strip_lines)
        self.blocks = block_rows(source.info.lines) * block_rows(source.info.samples)
        self._strip_of = np.zeros(0, dtype=np.int64)
        if sample.rows is not None:
            self._strip_of = sample.rows * BLOCK // strip_lines
        self._least = least

    @cached_property
    def groups(self) -> list[tuple[tuple[int, ...], Sample]]:
        """Neighbouring strips of which enough is sampled together to compare them."""
        return [(strips, self.part(strips)) for strips in self._neighbours()]

    def part(self, strips: tuple[int, ...]) -> Sample:
        """What was sampled of some strips."""
        taken = np.flatnonzero(np.isin(self._strip_of, strips))
        height, lines = self._strip_lines, self._info.lines
        count = sum(min((strip + 1) * height, lines) - strip * height for strip in strips)
        whole = len(taken) and taken[-1] - taken[0] + 1 == len(taken)
        # Neighbouring strips need no copy.
        blocks = self._sample.blocks[:, slice(taken[0], taken[-1] + 1) if whole else taken]
        return Sample(blocks, count * self._info.samples, stride=self._sample.stride)

    def numbers(self, zones: list[Zone]) -> tuple[int, ...]:
        """Number of the zone of each strip."""
        found = {strip: number for number, zone in enumerate(zones) for strip in zone.strips}
        return tuple(found[strip] for strip in range(self.strips))

    def _neighbours(self) -> list[tuple[int, ...]]:
        """Strips of those groups."""
        counts = np.bincount(self._strip_of, minlength=self.strips)
        enough = max(self._least, int(counts.sum()) // MOST_GROUPS)
        groups: list[tuple[int, ...]] = []
        start = 0
        for end in range(1, self.strips + 1):
            if counts[start:end].sum() >= enough:
                groups.append(tuple(range(start, end)))
                start = end
        if start < self.strips and groups:
            groups[-1] += tuple(range(start, self.strips))
        return groups


def _cut(zone: Zone, bits: float) -> list[Zone]:
    """The zones whose folds may be worth so many bits each, by moments; in order of their first strips."""
    if not zone.parts or SHARE * zone.saved <= bits:
        return [zone]
    cut = [leaf for part in zone.parts for leaf in _cut(part, bits)]
    return sorted(cut, key=lambda leaf: leaf.strips)


def _pays(planner: ScenePlanner, parts: list[ScenePlanner], step: float) -> bool:
    """Whether several folds are worth their bits in place of one, measured on the sample."""

    def costs(one: ScenePlanner) -> tuple[float, float]:
        side = RATE_WEIGHT * one.side_bits(step)
        return one.folded_cost(step) - side, side

    whole, divided = costs(planner), [costs(part) for part in parts]
    saved = whole[0] - math.fsum(cost for cost, _ in divided)
    spent = math.fsum(side for _, side in divided) - whole[1]
    return SAVED_SHARE * saved > SIDE_FACTOR * spent + RATE_WEIGHT * _least_bits(planner)


def _least_bits(planner: ScenePlanner) -> float:
    """Bits of a fold without vectors."""
    return FRAME_BITS + MEAN_BITS * len(planner.sample.blocks)
