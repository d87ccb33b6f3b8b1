"""A scene coded to a target: plan, try steps, plan again where the step has moved, keep what fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bandfold.bitstream.container import Section, write_preamble, write_section
from bandfold.bitstream.errors import BudgetError
from bandfold.bitstream.foldcode import write_fold
from bandfold.bitstream.header import STEP_UNIT, Header
from bandfold.bitstream.metadata import write_metadata
from bandfold.bitstream.payload import PayloadWriter
from bandfold.bitstream.rotationcode import write_matrices
from bandfold.bitstream.tables import Tables

from .engines import AnalysisEngine
from .pipeline import Coded, Plan, ScenePipeline
from .rate import find_step, log2, step_code
from .sceneplan import ScenePlanner
from .source import SceneSource
from .target import Target, rounded_error

MOST_PLANS = 3
"""Plans made at most for one target."""

STEP_DRIFT = 0.2
"""A plan is good for steps within so many octaves of its own."""

LATENTS_TRIED = 1 << 21
"""Latents that a trial of a step codes at most, unless one strip has more."""

BUDGET_RANGE = (0.985, 1.0)
"""Share of a budget that is accepted as used."""

QUALITY_RANGE = 0.02
"""Octaves of squared error (0.06 dB) around a quality that are accepted."""

ERROR_SLOPE = 1.4
"""Logarithm of the squared error over the logarithm of the step, where nothing is measured yet."""

HEADER_SLACK = 2
"""The header is measured at the planned step, whose code may be shorter than the final one's."""

KEPT_STEPS = 16
"""Steps whose strips are kept."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Candidate:
    """A coded scene.

    Parameters
    ----------
    data : bytes
        The whole stream.
    mse : float
        Expected mean squared error per sample, in counts squared.
    step : float
    """

    data: bytes
    mse: float
    step: float


class SceneCoder:
    """Codes one scene.

    Parameters
    ----------
    source : SceneSource
        Integer samples without gaps.
    original : SceneSource
        The scene as given.
    planner : ScenePlanner
    engine : AnalysisEngine
    tables : Tables
    strip_lines : int
    progress : callable
        Called with a stage and the fraction done.
    """

    def __init__(
        self,
        source: SceneSource,
        original: SceneSource,
        planner: ScenePlanner,
        engine: AnalysisEngine,
        tables: Tables,
        strip_lines: int,
        progress: Progress,
    ) -> None:
        self._source = source
        self._original = original
        self._planner = planner
        self._engine = engine
        self._tables = tables
        self._strip_lines = strip_lines
        self._progress = progress

    def code(self, target: Target, *, spectral: bool) -> Candidate:
        """Code the scene to a target.

        Parameters
        ----------
        target : Target
        spectral : bool
            Whether to fold bands.

        Returns
        -------
        Candidate

        Raises
        ------
        BudgetError
            If the budget is too small for this scene.
        """
        budget = target.budget(self._source.info.count)
        if target.step is not None:
            code = step_code(target.step)
            return self._assemble(self._trial(code, spectral=spectral), code)
        if budget is not None:
            return self._within(budget, spectral=spectral)
        mse = target.mse
        if mse is None:
            raise ValueError("a target has one field")
        return self._at_quality(mse, spectral=spectral)

    def _trial(self, code: int, *, spectral: bool) -> _Trial:
        plan = self._planner.plan(code / STEP_UNIT, spectral=spectral)
        pipeline = ScenePipeline(
            self._source,
            self._original,
            plan,
            self._engine,
            self._tables,
            self._strip_lines,
            lambda done: self._progress("fold", done),
        )
        return _Trial(pipeline, self._prefix(plan), len(self._header(plan, code)) + HEADER_SLACK, self._progress)

    def _within(self, budget: int, *, spectral: bool) -> Candidate:
        accept = (BUDGET_RANGE[0] * budget, BUDGET_RANGE[1] * budget)
        guess = self._planner.step_for_bits(8.0 * budget)
        trial, code = self._settle(lambda one: one.expected_size, accept, guess, -1.2, spectral=spectral)
        code = find_step(lambda one: float(trial.size(one)), accept, code, slope=-1.2)
        if trial.size(code) > budget:
            raise BudgetError(
                f"budget of {budget} bytes is too small: the coarsest coding found takes {trial.size(code)} bytes"
            )
        return self._assemble(trial, code)

    def _at_quality(self, mse: float, *, spectral: bool) -> Candidate:
        accept = (mse * (1 - QUALITY_RANGE), mse * (1 + QUALITY_RANGE))
        guess = self._planner.step_for_error(mse)
        trial, code = self._settle(lambda one: one.expected_error, accept, guess, ERROR_SLOPE, spectral=spectral)
        code = find_step(trial.error, accept, code, slope=ERROR_SLOPE)
        return self._assemble(trial, code)

    def _settle(
        self,
        measure: Callable[[_Trial], Callable[[int], float]],
        accept: tuple[float, float],
        guess: float,
        slope: float,
        *,
        spectral: bool,
    ) -> tuple[_Trial, int]:
        """Alternate between planning for a step and finding the step under the plan, on a few strips."""
        code = step_code(guess)
        for _ in range(MOST_PLANS):
            trial = self._trial(code, spectral=spectral)
            found = find_step(measure(trial), accept, code, slope=slope)
            moved = abs(log2(found) - log2(code))
            code = found
            if moved < STEP_DRIFT:
                break
        return trial, code

    def _prefix(self, plan: Plan) -> bytes:
        """Sections that all strips need, without the preamble and the header."""
        fold = PayloadWriter(self._tables)
        write_fold(fold, plan.fold)
        sections = write_section(Section.FOLD, fold.data())
        if plan.rotations:
            rotations = PayloadWriter(self._tables)
            write_matrices(rotations, plan.rotations)
            sections += write_section(Section.ROTATION, rotations.data())
        info = self._original.info
        if info.metadata:
            metadata = PayloadWriter(self._tables)
            write_metadata(metadata, info.metadata)
            sections += write_section(Section.METADATA, metadata.data())
        return sections

    def _header(self, plan: Plan, code: int) -> bytes:
        header = Header(
            self._original.info,
            self._strip_lines,
            code,
            plan.fold.spectral,
            bool(plan.rotations),
            self._engine.name,
            self._tables.identity,
        )
        return write_preamble() + write_section(Section.HEADER, header.pack())

    def _assemble(self, trial: _Trial, code: int) -> Candidate:
        head = self._header(trial.pipeline.plan, code)
        strips = trial.strips(code)
        segments = b"".join(write_section(Section.SEGMENT, strip.payload) for strip in strips)
        return Candidate(head + trial.prefix + segments, trial.error(code), code / STEP_UNIT)


class _Trial:
    """Sizes and errors of a scene under one plan; what was coded once is kept."""

    def __init__(self, pipeline: ScenePipeline, prefix: bytes, header_bytes: int, progress: Progress) -> None:
        self.pipeline = pipeline
        self._header_bytes = header_bytes
        self.prefix = prefix
        self._progress = progress
        self._few = pipeline.sample(LATENTS_TRIED)
        self._kept: dict[int, dict[int, Coded]] = {}

    def strips(self, code: int) -> list[Coded]:
        """All strips, coded."""
        return self._code(range(len(self.pipeline.strips)), code)

    def size(self, code: int) -> int:
        """Bytes of the stream."""
        return self._header_bytes + len(self.prefix) + sum(_framed(strip) for strip in self.strips(code))

    def error(self, code: int) -> float:
        """Mean squared error per sample."""
        return self._error(range(len(self.pipeline.strips)), code)

    def expected_size(self, code: int) -> float:
        """Bytes of the stream, from a few strips."""
        coded = sum(_framed(strip) for strip in self._code(self._few, code))
        return self._header_bytes + len(self.prefix) + coded * self.pipeline.pixels / self._pixels(self._few)

    def expected_error(self, code: int) -> float:
        """Mean squared error per sample, from a few strips."""
        return self._error(self._few, code)

    def _error(self, which: Sequence[int], code: int) -> float:
        coded = sum(strip.error for strip in self._code(which, code))
        samples = self._pixels(which) * self.pipeline.bands
        return rounded_error(self.pipeline.plan.dropped + coded / samples)

    def _pixels(self, which: Sequence[int]) -> int:
        return sum(self.pipeline.strips[index].pixels for index in which)

    def _code(self, which: Sequence[int], code: int) -> list[Coded]:
        while len(self._kept) > KEPT_STEPS:
            self._kept.pop(next(iter(self._kept)))
        done = self._kept.setdefault(code, {})
        for place, index in enumerate(which):
            if index not in done:
                done[index] = self.pipeline.code(index, code / STEP_UNIT)
                self._progress("code", (place + 1) / len(which))
        return [done[index] for index in which]


def _framed(strip: Coded) -> int:
    return len(write_section(Section.SEGMENT, strip.payload))
