"""Trials: what a scene, or a part of it, costs at a step under one plan; and the goals of a search."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.common.exact import exp2, log2_of
from bandfold.onboard.coding.scene_coder import SceneCoder, segment_bytes
from bandfold.onboard.coding.scene_strips import SceneStrips, turns
from bandfold.onboard.coding.strip_coder import CodedStrip, expected_mse

from .step_search import aim_between, find_step, moved_step, slope_between
from .strip_steps import LARGEST_MOVE, trim

ROUGH_SIZES = (0.8, 1.35)
"""Where a first plan may be, in parts of a size: rather above it, since it lacks rotations ..."""

ROUGH_ERRORS = (1.0, 1.14)
"""... and of a squared error."""

MEASURED_TRUST = 2.0
"""How much of a deviation of coded strips from what was expected is expected of the others, for each share
of the scene that they are: all of it once half of the scene is coded."""

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
        least, most = ROUGH_SIZES if self.slope < 0 else ROUGH_ERRORS
        return self.accept[0] * least, self.accept[1] * most

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
        return self.moved(code, self.measure(trial, code), slope)

    def moved(self, code: int, measure: float, slope: float) -> int:
        """Move from a step with a measure along the slope towards the aim, by an octave at most."""
        return moved_step(code, self.estimated_aim - log2_of(measure), slope)


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
        # Strips can be coded before it is known what they need besides.
        self._side: Callable[[], bytes] = coder.method.workers.later(
            lambda: coder.side_sections(strips.plan) if side is None else side
        )
        self._coder = coder
        self._errors = errors
        self._head_bytes = len(coder.head(strips.plan, code)) + HEADER_SLACK
        self.code = code
        self._done: dict[int, list[CodedStrip]] = {}
        self._own_codes: dict[int, list[int]] = {}

    @property
    def side(self) -> bytes:
        """Sections that all strips need, but the header."""
        return self._side()

    @property
    def rest(self) -> int:
        """Bytes beside the segments."""
        return self._head_bytes + len(self.side)

    def on_all(self) -> Trial:
        """The same plan on all lines of the scene; itself where it had them all."""
        if self.strips.pixels == self._coder.samples.pixels:
            return self
        whole = self._coder.strips(self.strips.plan)
        return Trial(self._coder, whole, self.code, errors=self._errors, side=self.side)

    def forget(self) -> None:
        """Keep nothing that was coded, and no memory of strips."""
        self._done.clear()
        self._own_codes.clear()
        self.strips.forget()

    def nearest(self, accept: tuple[float, float], size: float, code: int) -> int:
        """The code, of those that were coded, whose size is in a range and nearest to one; or another one."""
        sizes = {one: self.size(one) for one in self._done}
        good = [one for one, found in sizes.items() if accept[0] <= found <= accept[1]]
        return min(good, key=lambda one: abs(sizes[one] - size), default=code)

    def coded(self, code: int) -> list[CodedStrip]:
        """All strips, coded with the step of a code."""
        if code not in self._done:
            self._done[code] = self._coder.code_strips(self.strips, code, errors=self._errors)
        return self._done[code]

    def approach(
        self, code: int, aim: float, slope: float, density: Mapping[int, float], *, give_up: bool
    ) -> float:
        """Code all strips so that the whole comes to a size: those that come later at steps of their own.

        Parameters
        ----------
        code : int
            Of the step of the first strips, with which the scene should take about that size.
        aim : float
            Size to aim at, in bytes: more than `rest`.
        slope : float
            Logarithm of the bytes over that of the step.
        density : mapping of int to float
            What is expected of a pixel of each turn, beside the others; see `density`.
        give_up : bool
            Whether no strip is kept where later strips need a step too far from that of the first ones.

        Returns
        -------
        float
            1, or if no strip is kept the factor by which the size of the whole would miss the aim.
        """
        parts = [self.strips.part(index) for index in range(len(self.strips))]
        aim -= self.rest
        usual = math.fsum(density.values()) / len(density)
        weights = [part.pixels * density.get(part.turn, usual) for part in parts]
        share = aim / math.fsum(weights)
        expected = [weight * share for weight in weights]
        coded: list[CodedStrip] = []
        codes: list[int] = []
        own = code
        for some in turns(len(parts)):
            if coded:
                size = sum(segment_bytes(strip.payload) for strip in coded)
                done = math.fsum(expected[: some.start])
                # Trials look at the whole scene, though roughly: they are believed until half of it is coded.
                trust = min(MEASURED_TRUST * done / aim, 1.0)
                left = (aim - done) * exp2(trust * log2_of(size / done))
                wanted = (aim - size) / left
                if give_up and own == code and abs(wanted - 1) > LARGEST_MOVE:
                    return (size + left) / aim
                wanted = min(max(wanted, 1 - LARGEST_MOVE), 1 + LARGEST_MOVE)
                own = moved_step(code, log2_of(wanted), slope)
            coded += self._coder.code_strips(self.strips, own, some, errors=self._errors, header_code=code)
            codes += [own] * len(some)
        self._done[code], self._own_codes[code] = coded, codes
        return 1.0

    def density(self, code: int) -> dict[int, float]:
        """Bytes of a pixel of each turn of strips (see `turns`) at a step; of turns without lines nothing."""
        sizes: dict[int, int] = {}
        pixels: dict[int, int] = {}
        for index, strip in enumerate(self.coded(code)):
            part = self.strips.part(index)
            sizes[part.turn] = sizes.get(part.turn, 0) + segment_bytes(strip.payload)
            pixels[part.turn] = pixels.get(part.turn, 0) + part.pixels
        return {turn: size / pixels[turn] for turn, size in sizes.items()}

    def trim(self, code: int, accept: tuple[float, float], aim: float, slope: float) -> None:
        """Bring the size at a step into a range by the steps of single strips; see `.strip_steps`.

        Parameters
        ----------
        code : int
            Of the step.
        accept : tuple of float
            Range of sizes that are good, in bytes.
        aim : float
            Size to aim at, in bytes.
        slope : float
            Logarithm of the bytes over that of the step.
        """
        coded = self.coded(code)
        codes = self._own_codes.setdefault(code, [code] * len(coded))

        def recode(index: int, own: int) -> int:
            told = None if own == code else own
            strip = self.strips.code(index, own / STEP_UNIT, errors=self._errors, told=told)
            coded[index] = self._coder.kept(strip)
            return segment_bytes(coded[index].payload)

        sizes = [segment_bytes(strip.payload) for strip in coded]
        rest = self.size(code) - sum(sizes)
        trim(sizes, codes, (accept[0] - rest, accept[1] - rest), aim - rest, slope, recode)

    def size(self, code: int) -> float:
        """Bytes of the stream at a step; exact where all lines are at hand."""
        segments = sum(segment_bytes(strip.payload) for strip in self.coded(code))
        share = self.strips.samples / self._coder.samples.info.count
        return self.rest + segments / share

    def slope(self, goal: Goal, default: float) -> float:
        """Logarithm of a goal's measure over that of the step, between the last two steps that were tried."""
        measures = {code: goal.measure(self, code) for code in list(self._done)[-2:]}
        # Under a plan for a coarser step the measure moves little: that slope would lead too far.
        return slope_between(measures, default, (0.7, 2.0))

    def error(self, code: int) -> float:
        """Mean squared error per sample at a step, in counts squared."""
        return expected_mse(self.coded(code), self.strips.plan.left_out)
