"""A scene coded to a target: plan, try steps, plan again where the step has moved, keep what fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

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
from .thinning import thinned

MOST_PLANS = 3
"""Plans made at most for one target."""

STEP_DRIFT = 0.2
"""A plan is good for steps within so many octaves of its own."""

ROUGH_FACTOR = 1.15
"""How far from the target a first plan may be."""

MOST_PASSES = 2
"""Passes of optimised quantisation ..."""

LATENTS_FOR_MOST_PASSES = 1 << 23
"""... for scenes of so many latents at most; one for larger ones, which costs 0.3 % of the rate."""

PIXELS_TRIED = 1 << 16
"""Pixels on which steps are tried; a larger scene is thinned to about so many, to half of them at first."""

BUDGET_RANGE = (0.985, 1.0)
"""Share of a budget that is accepted as used."""

QUALITY_RANGE = 0.02
"""Octaves of squared error (0.06 dB) around a quality that are accepted."""

SIZE_SLOPE = -1.3
"""Logarithm of the bytes over the logarithm of the step, where nothing is measured yet."""

ERROR_SLOPE = 1.4
"""Logarithm of the squared error over the logarithm of the step, where nothing is measured yet."""

HEADER_SLACK = 2
"""The header is measured at the planned step, whose code may be shorter than the final one's."""

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
            return self._assemble(self._whole(self._trial(code, spectral=spectral)), code)
        if budget is not None:
            return self._within(budget, spectral=spectral)
        mse = target.mse
        if mse is None:
            raise ValueError("a target has one field")
        return self._at_quality(mse, spectral=spectral)

    def _trial(self, code: int, *, spectral: bool, rough: bool = False) -> _Trial:
        self._progress("plan", 0.0)
        plan = self._planner.plan(code / STEP_UNIT, spectral=spectral, rotate=not rough)
        header_bytes = len(self._header(plan, code)) + HEADER_SLACK
        return _Trial(
            self._pipeline(plan, PIXELS_TRIED // 2 if rough else PIXELS_TRIED),
            self._prefix(plan),
            header_bytes,
            self._source.info.count,
            self._progress,
        )

    def _pipeline(self, plan: Plan, pixels: int | None = None) -> ScenePipeline:
        """The scene under a plan, or what stands for it in trials."""
        source, original = self._source, self._original
        if pixels is not None:
            source, original = thinned(source, pixels), thinned(original, pixels)
        latents = plan.fold.components * self._source.info.lines * self._source.info.samples
        passes = MOST_PASSES if latents <= LATENTS_FOR_MOST_PASSES else 1
        return ScenePipeline(source, original, plan, self._engine, self._tables, self._strip_lines, passes)

    def _within(self, budget: int, *, spectral: bool) -> Candidate:
        accept = (BUDGET_RANGE[0] * budget, BUDGET_RANGE[1] * budget)
        guess = self._planner.step_for_bits(8.0 * budget)
        trial, code = self._settle(_Trial.size, accept, guess, SIZE_SLOPE, spectral=spectral)
        whole = self._whole(trial)
        code = find_step(whole.size, accept, code, slope=trial.slope(_Trial.size, SIZE_SLOPE))
        if whole.size(code) > budget:
            raise BudgetError(
                f"budget of {budget} bytes is too small: the coarsest coding found takes "
                f"{whole.size(code):.0f} bytes; raise it"
            )
        return self._assemble(whole, code)

    def _at_quality(self, mse: float, *, spectral: bool) -> Candidate:
        accept = (mse * (1 - QUALITY_RANGE), mse * (1 + QUALITY_RANGE))
        guess = self._planner.step_for_error(mse)
        trial, code = self._settle(_Trial.error, accept, guess, ERROR_SLOPE, spectral=spectral)
        whole = self._whole(trial)
        return self._assemble(
            whole, find_step(whole.error, accept, code, slope=trial.slope(_Trial.error, ERROR_SLOPE))
        )

    def _whole(self, trial: _Trial) -> _Trial:
        """The trial of a plan on all strips; itself where it had them all."""
        if trial.pipeline.pixels == self._source.info.lines * self._source.info.samples:
            return trial
        return trial.on(self._pipeline(trial.pipeline.plan))

    def _settle(
        self,
        measure: Callable[[_Trial, int], float],
        accept: tuple[float, float],
        guess: float,
        slope: float,
        *,
        spectral: bool,
    ) -> tuple[_Trial, int]:
        """Alternate between planning for a step and finding the step under the plan, on a part of the scene.

        The first plans only serve to find the neighbourhood of the step, so they do without rotations and
        accept a wider range.
        """
        code = step_code(guess)
        near = (accept[0] / ROUGH_FACTOR, accept[1] * ROUGH_FACTOR)
        for _ in range(MOST_PLANS if spectral else 0):
            trial = self._trial(code, spectral=True, rough=True)
            found = find_step(partial(measure, trial), near, code, slope=slope)
            moved = abs(log2(found) - log2(code))
            code, slope = found, trial.slope(measure, slope)
            if moved < STEP_DRIFT:
                break
        trial = self._trial(code, spectral=spectral)
        return trial, find_step(partial(measure, trial), accept, code, slope=slope)

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
    """Sizes and errors of a scene under one plan, on all or some of its lines; each step is coded once."""

    def __init__(
        self, pipeline: ScenePipeline, prefix: bytes, header_bytes: int, samples: int, progress: Progress
    ) -> None:
        self.pipeline = pipeline
        self.prefix = prefix
        self._header_bytes = header_bytes
        self._samples = samples
        self._progress = progress
        self._done: dict[int, list[Coded]] = {}

    def on(self, pipeline: ScenePipeline) -> _Trial:
        """The same plan on other lines."""
        return _Trial(pipeline, self.prefix, self._header_bytes, self._samples, self._progress)

    def strips(self, code: int) -> list[Coded]:
        """All strips, coded."""
        if code not in self._done:
            coded = []
            for index in range(len(self.pipeline)):
                coded.append(self.pipeline.code(index, code / STEP_UNIT))
                self._progress("code", (index + 1) / len(self.pipeline))
            self._done[code] = coded
        return self._done[code]

    def size(self, code: int) -> float:
        """Bytes of the stream; exact where all lines are at hand."""
        segments = sum(len(write_section(Section.SEGMENT, strip.payload)) for strip in self.strips(code))
        share = self.pipeline.pixels * self.pipeline.bands / self._samples
        return self._header_bytes + len(self.prefix) + segments / share

    def slope(self, measure: Callable[[_Trial, int], float], default: float) -> float:
        """Logarithm of a measure over that of the step, between the last two steps that were tried."""
        codes = list(self._done)[-2:]
        if len(codes) < 2:
            return default
        rise = log2(measure(self, codes[1])) - log2(measure(self, codes[0]))
        found = rise / (log2(codes[1]) - log2(codes[0]))
        return min(max(found / default, 0.3), 3.0) * default

    def error(self, code: int) -> float:
        """Mean squared error per sample."""
        coded = sum(strip.error for strip in self.strips(code))
        return rounded_error(
            self.pipeline.plan.dropped + coded / (self.pipeline.pixels * self.pipeline.bands)
        )
