"""Trials: what a scene, or a part of it, costs at a step under one plan; and the goals of a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.container.sections import Section, write_section
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.coding.methods import Pipeline
from bandfold.onboard.coding.strip_coder import Coded

from .lambda_trim import trim
from .step_search import aim_between, exp2, find_step, log2, step_code
from .target import rounded_error

ROUGH_RANGE = (1.0, 1.14)
"""Where a first plan may be, in parts of the target: above it, since it lacks rotations."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Goal:
    """What a step is searched for.

    Parameters
    ----------
    measure : callable
        Measure of a trial at the code of a step.
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
        return aim_between(log2(self.accept[0]), log2(self.accept[1]))

    @property
    def estimated_aim(self) -> float:
        """The same for an estimate: lower, because what exceeds a budget must be coded again."""
        low, high = log2(self.accept[0]), log2(self.accept[1])
        return low + 0.25 * (high - low)

    def find(self, trial: Trial, code: int, slope: float) -> int:
        """Find a step under the plan of a trial."""
        return find_step(partial(self.measure, trial), self.accept, code, slope=slope)

    def move(self, trial: Trial, code: int, slope: float) -> int:
        """Measure one step and move along the slope towards the aim, by an octave at most."""
        distance = (self.estimated_aim - log2(self.measure(trial, code))) / slope
        return step_code(code / STEP_UNIT * exp2(min(max(distance, -1.0), 1.0)))


class Trial:
    """Sizes and errors of a scene under one plan, on all or some of its lines; each step is coded once.

    Parameters
    ----------
    pipeline : Pipeline
        The lines to code.
    prefix : bytes
        Sections that all strips need, without the preamble and the header.
    header_bytes : int
        Bytes of the preamble and the header.
    samples : int
        Samples of the whole scene, to which sizes are extended.
    progress : callable
        Called with a stage and the fraction done.
    errors : bool
        Whether errors are measured too.
    workers : Workers
        Which code the strips.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        prefix: bytes,
        header_bytes: int,
        samples: int,
        progress: Progress,
        *,
        errors: bool,
        workers: Workers = ALONE,
    ) -> None:
        self._workers = workers
        self.pipeline = pipeline
        self.prefix = prefix
        self.errors = errors
        self._header_bytes = header_bytes
        self._samples = samples
        self._progress = progress
        self._done: dict[int, list[Coded]] = {}

    def on(self, pipeline: Pipeline) -> Trial:
        """The same plan on other lines."""
        return Trial(
            pipeline,
            self.prefix,
            self._header_bytes,
            self._samples,
            self._progress,
            errors=self.errors,
            workers=self._workers,
        )

    def strips(self, code: int) -> list[Coded]:
        """All strips, coded."""
        if code not in self._done:
            coded = []
            count = len(self.pipeline)
            for strip in self._workers.map(
                lambda index: self.pipeline.code(index, code / STEP_UNIT, errors=self.errors), range(count)
            ):
                coded.append(strip)
                self._progress("code", len(coded) / count)
            self._done[code] = coded
        return self._done[code]

    def trim(self, code: int, accept: tuple[float, float], aim: float) -> None:
        """Bring the size at a step into a range by the weight of a bit; see `.lambda_trim`.

        Parameters
        ----------
        code : int
        accept : tuple of float
            Range of sizes that are good, in bytes.
        aim : float
            Size to aim at.
        """
        coded = self.strips(code)

        def recode(index: int, weight: float) -> int:
            coded[index] = self.pipeline.code(index, code / STEP_UNIT, errors=self.errors, weight=weight)
            return _bytes(coded[index])

        rest = self.size(code) - sum(_bytes(strip) for strip in coded)
        trim([_bytes(strip) for strip in coded], (accept[0] - rest, accept[1] - rest), aim - rest, recode)

    def size(self, code: int) -> float:
        """Bytes of the stream; exact where all lines are at hand."""
        segments = sum(_bytes(strip) for strip in self.strips(code))
        share = self.pipeline.pixels * self.pipeline.bands / self._samples
        return self._header_bytes + len(self.prefix) + segments / share

    def slope(self, goal: Goal, default: float) -> float:
        """Logarithm of a goal's measure over that of the step, between the last two steps that were tried."""
        codes = list(self._done)[-2:]
        if len(codes) < 2:
            return default
        rise = log2(goal.measure(self, codes[1])) - log2(goal.measure(self, codes[0]))
        found = rise / (log2(codes[1]) - log2(codes[0]))
        # Under a plan for a coarser step the measure moves little: that slope would lead too far.
        return min(max(found / default, 0.7), 2.0) * default

    def error(self, code: int) -> float:
        """Mean squared error per sample."""
        coded = sum(strip.error for strip in self.strips(code))
        return rounded_error(
            self.pipeline.plan.dropped + coded / (self.pipeline.pixels * self.pipeline.bands)
        )


def _bytes(strip: Coded) -> int:
    return len(write_section(Section.SEGMENT, strip.payload))
