"""A scene coded to a target: plan, try steps, plan again where the step has moved, keep what fits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bandfold.bitstream.container.header import STEP_UNIT, Header
from bandfold.bitstream.container.sections import Section, write_section
from bandfold.bitstream.contexts.tables import Tables
from bandfold.common.errors import BudgetError
from bandfold.common.scene import SceneSource
from bandfold.onboard.coding.methods import Method, Pipeline, Planner
from bandfold.onboard.coding.strip_coder import Plan
from bandfold.onboard.planning.plan_sections import metadata_section, plan_sections, stream_head
from bandfold.onboard.quantisation.choice import quantiser_of

from .step_search import exp2, find_step, log2, step_code
from .target import Target, psnr_of
from .trial import Goal, Progress, Trial

MOST_PLANS = 8
"""Plans made at most for one target, before the last one."""

MOST_MOVES = 3
"""Steps measured at most under the last plan before the whole scene is coded."""

FINE_DRIFT = 0.06
"""A measured step may be moved along the slope by so many octaves without measuring again."""

PIXELS_TRIED = 1 << 16
"""Pixels on which steps are tried, about; a larger scene is thinned, to a quarter of them at first."""

BUDGET_RANGE = (0.985, 1.0)
"""Share of a budget that is accepted as used."""

TRIM_RANGE = (0.97, 1.02)
"""Share of a budget from which strips are trimmed into `BUDGET_RANGE`, in place of another step."""

QUALITY_RANGE = 0.02
"""Octaves of squared error (0.06 dB) around a quality that are accepted."""

OUT_OF_REACH = 0.26
"""A squared error that exceeds what was asked for by this share (1 dB) is a failure."""

SIZE_SLOPE = -1.6
"""Logarithm of the bytes over the logarithm of the step, where nothing is measured yet."""

ERROR_SLOPE = 1.4
"""Logarithm of the squared error over the logarithm of the step, where nothing is measured yet."""

HEADER_SLACK = 2
"""The header is measured at the planned step, whose code may be shorter than the final one's."""


@dataclass(frozen=True)
class Candidate:
    """A coded scene.

    Parameters
    ----------
    data : bytes
        The whole stream.
    mse : float or None
        Expected mean squared error per sample, in counts squared; None if it was not measured.
    step : float
    """

    data: bytes
    mse: float | None
    step: float


class SceneCoder:
    """Codes one scene.

    Parameters
    ----------
    source : SceneSource
        Integer samples without gaps.
    original : SceneSource
        The scene as given.
    planner : Planner
    method : Method
    tables : Tables
        Those of the format.
    strip_lines : int
    progress : callable
        Called with a stage and the fraction done.
    """

    def __init__(
        self,
        source: SceneSource,
        original: SceneSource,
        planner: Planner,
        method: Method,
        tables: Tables,
        strip_lines: int,
        progress: Progress,
    ) -> None:
        self._source = source
        self._original = original
        self._planner = planner
        self._method = method
        self._tables = tables
        self._strip_lines = strip_lines
        self._progress = progress

    def guess(self, target: Target) -> int:
        """Code of the step with which the search for a target begins.

        Parameters
        ----------
        target : Target

        Returns
        -------
        int
            The target's own step if it has one.
        """
        if target.step is not None:
            return step_code(target.step)
        if target.mse is not None:
            return step_code(self._planner.step_for_error(target.mse))
        return step_code(self._planner.step_for_bits(8.0 * target.budget(self._source.info.count)))

    def code(self, target: Target, *, spectral: bool, errors: bool) -> Candidate:
        """Code the scene to a target.

        Parameters
        ----------
        target : Target
        spectral : bool
            Whether to fold bands.
        errors : bool
            Whether to measure the error where the target does not need it.

        Returns
        -------
        Candidate

        Raises
        ------
        BudgetError
            If the budget is too small for this scene.
        """
        code = self.guess(target)
        if target.step is not None:
            return self._assemble(self._whole(self._trial(code, spectral=spectral, errors=errors)), code)
        if target.mse is not None:
            return self._at_quality(target.mse, code, spectral=spectral)
        return self._within(target.budget(self._source.info.count), code, spectral=spectral, errors=errors)

    def _trial(self, code: int, *, spectral: bool, errors: bool, rough: bool = False) -> Trial:
        self._progress("plan", 0.0)
        plan = self._planner.plan(code / STEP_UNIT, spectral=spectral, rotate=not rough)
        return Trial(
            self._pipeline(plan, PIXELS_TRIED // 4 if rough else PIXELS_TRIED),
            self._prefix(plan),
            len(self._header(plan, code)) + HEADER_SLACK,
            self._source.info.count,
            self._progress,
            errors=errors,
            workers=self._method.workers,
        )

    def _pipeline(self, plan: Plan, pixels: int | None = None) -> Pipeline:
        """The scene under a plan, or what stands for it in trials."""
        return self._method.pipeline(self._source, self._original, plan, pixels)

    def _within(self, budget: int, code: int, *, spectral: bool, errors: bool) -> Candidate:
        accept = (BUDGET_RANGE[0] * budget, BUDGET_RANGE[1] * budget)
        goal = Goal(Trial.size, accept, SIZE_SLOPE)
        trial, code, slope = self._settle(goal, code, spectral=spectral, errors=errors)
        whole = self._whole(trial)
        if self._method.trims:
            near = replace(goal, accept=(TRIM_RANGE[0] * budget, TRIM_RANGE[1] * budget))
            code = near.find(whole, code, slope)
            whole.trim(code, accept, exp2(goal.aim))
        else:
            code = goal.find(whole, code, slope)
        if whole.size(code) > budget:
            # Hardly ever: steps are coarse, or nothing is left to weigh.
            code = goal.find(whole, code, slope)
        if whole.size(code) > budget:
            raise BudgetError(
                f"budget of {budget} bytes is too small: the coarsest coding found takes "
                f"{whole.size(code):.0f} bytes; raise it"
            )
        return self._assemble(whole, code)

    def _at_quality(self, mse: float, code: int, *, spectral: bool) -> Candidate:
        goal = Goal(Trial.error, (mse * (1 - QUALITY_RANGE), mse * (1 + QUALITY_RANGE)), ERROR_SLOPE)
        trial, code, slope = self._settle(goal, code, spectral=spectral, errors=True)
        whole = self._whole(trial)
        code = goal.find(whole, code, slope)
        if whole.error(code) > mse * (1 + OUT_OF_REACH):
            raise BudgetError(
                f"quality of {psnr_of(mse):.2f} dB is out of reach: the search for a step ended at "
                f"{psnr_of(whole.error(code)):.2f} dB; ask for less"
            )
        return self._assemble(whole, code)

    def _whole(self, trial: Trial) -> Trial:
        """The trial of a plan on all strips; itself where it had them all."""
        if trial.pipeline.pixels == self._source.info.lines * self._source.info.samples:
            return trial
        return trial.on(self._pipeline(trial.pipeline.plan))

    def _settle(self, goal: Goal, code: int, *, spectral: bool, errors: bool) -> tuple[Trial, int, float]:
        """Find the step at which the plan for this step meets the goal, on a part of the scene.

        A plan for another step has other components and other side information, so the neighbourhood of
        the step is searched with a plan for each step that is tried, without rotations and less exactly.
        Under the last plan the step is measured and moved along the slope a few times: the search goes on
        with the whole scene.
        """

        def rough(one: int) -> float:
            return goal.measure(self._trial(one, spectral=True, errors=errors, rough=True), one)

        if spectral:
            code = find_step(rough, goal.near, code, slope=goal.slope, evaluations=MOST_PLANS)
        trial, slope = self._trial(code, spectral=spectral, errors=errors), goal.slope
        for _ in range(MOST_MOVES):
            found = goal.move(trial, code, slope)
            slope = trial.slope(goal, slope)
            if abs(log2(found) - log2(code)) < FINE_DRIFT:
                break
            code = found
        return trial, found, slope

    def _prefix(self, plan: Plan) -> bytes:
        """Sections that all strips need, without the preamble and the header."""
        metadata = metadata_section(self._original.info.metadata, self._tables)
        return plan_sections(plan.all, self._tables) + metadata

    def _header(self, plan: Plan, code: int) -> bytes:
        sensor = None if plan.fold.selection is None else plan.fold.selection.sensor
        header = Header(
            self._original.info,
            self._strip_lines,
            code,
            plan.fold.spectral,
            self._method.transform,
            self._tables.identity,
            self._method.model,
            self._method.model_hash,
            sensor=sensor.name if sensor else "",
            sensor_hash=sensor.identity if sensor else b"",
            quantiser=quantiser_of(self._tables, spectral=plan.fold.spectral),
        )
        return stream_head(header)

    def _assemble(self, trial: Trial, code: int) -> Candidate:
        head = self._header(trial.pipeline.plan, code)
        strips = trial.strips(code)
        segments = b"".join(write_section(Section.SEGMENT, strip.payload) for strip in strips)
        return Candidate(
            head + trial.prefix + segments, trial.error(code) if trial.errors else None, code / STEP_UNIT
        )
