"""Trials: what a scene, or a part of it, costs at a step under one plan; and the goals of a search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.common.exact import exp2, log2_of
from bandfold.onboard.coding.scene_coder import SceneCoder, segment_bytes
from bandfold.onboard.coding.scene_strips import SceneStrips
from bandfold.onboard.coding.strip_coder import CodedStrip, expected_mse
from bandfold.onboard.settings import step_code

from .lambda_trim import trim
from .step_search import aim_between, find_step, slope_between

ROUGH_RANGE = (1.0, 1.14)
"""Where a first plan may be, in parts of the target: above it, since it lacks rotations."""

HEADER_SLACK = 2
"""The header is measured at the planned step, whose code may be shorter than the final one's."""


@dataclass(frozen=True)
class Goal:
    """What a step is searched for.

    Parameters
    ----------
    measure : callable
        Measure of a trial at the code of a step: its size in bytes, or its mean squared error.
    accept : tuple of float
        Range of measures that are good.
    slope : float
        Logarithm of the measure over that of the step, where nothing is measured yet.
    """

    measure: Callable[[Trial, int], float]
    accept: tuple[float, float]
    slope: float

    @property
    def near(self) -> tuple[float, float]:
        """A wider range, for a first search."""
        return self.accept[0] * ROUGH_RANGE[0], self.accept[1] * ROUGH_RANGE[1]

    @property
    def aim(self) -> float:
        """Logarithm of the measure to aim at."""
        return aim_between(log2_of(self.accept[0]), log2_of(self.accept[1]))

    @property
    def estimated_aim(self) -> float:
        """The same for an estimate: lower, because what exceeds a budget must be coded again."""
        low, high = log2_of(self.accept[0]), log2_of(self.accept[1])
        return low + 0.25 * (high - low)

    def measured_slope(self, measures: Mapping[int, float]) -> float:
        """Slope between the last two codes of steps that were measured; `slope` where there are none."""
        # Two measures that are close together may lie.
        return slope_between(measures, self.slope, (0.5, 2.5))

    def find(self, trial: Trial, code: int, slope: float) -> int:
        """Find the code of a step under the plan of a trial, from a first one along a slope."""
        return find_step(partial(self.measure, trial), self.accept, code, slope=slope)

    def move(self, trial: Trial, code: int, slope: float) -> int:
        """Measure one step and move along the slope towards the aim, by an octave at most."""
        distance = (self.estimated_aim - log2_of(self.measure(trial, code))) / slope
        return step_code(code / STEP_UNIT * exp2(min(max(distance, -1.0), 1.0)))


class Trial:
    """Sizes and errors of a scene under one plan, on all or some of its lines; each step is coded once.

    Parameters
    ----------
    coder : SceneCoder
        Of the whole scene, to which sizes are extended.
    strips : SceneStrips
        The lines to code, and the plan.
    code : int
        Code of the step that the plan was made for.
    errors : bool
        Whether errors are measured too.
    side : bytes, optional
        Sections that all strips need, but the header, where they are at hand.

    Attributes
    ----------
    code : int
        Code of the step that the plan was made for.
    """

    def __init__(
        self, coder: SceneCoder, strips: SceneStrips, code: int, *, errors: bool, side: bytes | None = None
    ) -> None:
        self.strips = strips
        self.side = coder.side_sections(strips.plan) if side is None else side
        self._coder = coder
        self._errors = errors
        self._head_bytes = len(coder.head(strips.plan, code)) + HEADER_SLACK
        self.code = code
        self._done: dict[int, list[CodedStrip]] = {}

    def on_all(self) -> Trial:
        """The same plan on all lines of the scene; itself where it had them all."""
        if self.strips.pixels == self._coder.samples.pixels:
            return self
        whole = self._coder.strips(self.strips.plan)
        return Trial(self._coder, whole, self.code, errors=self._errors, side=self.side)

    def coded(self, code: int) -> list[CodedStrip]:
        """All strips, coded with the step of a code."""
        if code not in self._done:
            self._done[code] = self._coder.code_strips(self.strips, code, errors=self._errors)
        return self._done[code]

    def trim(self, code: int, accept: tuple[float, float], aim: float) -> None:
        """Bring the size at a step into a range by the Lagrange multiplier; see `.lambda_trim`.

        Parameters
        ----------
        code : int
            Of the step.
        accept : tuple of float
            Range of sizes that are good, in bytes.
        aim : float
            Size to aim at, in bytes.
        """
        coded = self.coded(code)

        def recode(index: int, multiplier: float) -> int:
            coded[index] = self.strips.code(
                index, code / STEP_UNIT, errors=self._errors, multiplier=multiplier
            )
            return segment_bytes(coded[index].payload)

        sizes = [segment_bytes(strip.payload) for strip in coded]
        rest = self.size(code) - sum(sizes)
        trim(sizes, (accept[0] - rest, accept[1] - rest), aim - rest, recode)

    def size(self, code: int) -> float:
        """Bytes of the stream at a step; exact where all lines are at hand."""
        segments = sum(segment_bytes(strip.payload) for strip in self.coded(code))
        share = self.strips.samples / self._coder.samples.info.count
        return self._head_bytes + len(self.side) + segments / share

    def slope(self, goal: Goal, default: float) -> float:
        """Logarithm of a goal's measure over that of the step, between the last two steps that were tried."""
        measures = {code: goal.measure(self, code) for code in list(self._done)[-2:]}
        # Under a plan for a coarser step the measure moves little: that slope would lead too far.
        return slope_between(measures, default, (0.7, 2.0))

    def error(self, code: int) -> float:
        """Mean squared error per sample at a step, in counts squared."""
        return expected_mse(self.coded(code), self.strips.plan.left_out)
