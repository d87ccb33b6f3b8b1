"""A scene coded to a size or a quality: plan, try steps, plan again where the step has moved."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.common.errors import BudgetError
from bandfold.common.exact import exp2, log2_of
from bandfold.common.workers import trim_heap
from bandfold.onboard.coding.scene_coder import CodedScene, SceneCoder, pixels_tried
from bandfold.onboard.planning.plan import Planner
from bandfold.onboard.quality import quality_text
from bandfold.onboard.target import SMALLEST_STEP

from .step_search import find_step, moved_step
from .trial import Goal, Trial

MOST_PLANS = 8
"""Plans made at most for one target, before the last one."""

MOST_MOVES = 3
"""Steps measured at most under the last plan before the whole scene is coded."""

WITH_ROTATIONS = 0.96
"""Bytes of a plan with rotations, in parts of those without, before they are planned."""

FINE_MOVE = 0.12
"""A measured step may be moved along the slope by so many octaves without measuring again, for a size ..."""

FINE_QUALITY_MOVE = 0.06
"""... and for a quality."""

SAME_PLAN = 0.03
"""A plan serves steps that are so few octaves away, where a size is to be met ..."""

NEAR_PLAN = 0.25
"""... and where it is to be met from one trial."""

BUDGET_RANGE = (0.985, 1.0)
"""Share of a budget that is accepted as used."""

TRIM_RANGE = (0.95, 1.05)
"""Share of a budget from which strips are trimmed into `BUDGET_RANGE`, in place of another step."""

MOST_STARTS = 3
"""Times that the first strips of a scene are coded at most until the others follow, whatever comes of it."""

QUALITY_RANGE = 0.02
"""Octaves of squared error (0.06 dB) around a quality that are accepted."""

OUT_OF_REACH = 0.26
"""A squared error that exceeds what was asked for by this share (1 dB) is a failure."""

SIZE_SLOPE = -1.0
"""Logarithm of the bytes of a model over the logarithm of the step, where nothing is measured yet ..."""

BITS_AN_OCTAVE = 1.3
"""... but bits of a sample for each octave of the step at most, about: where rates are high, each latent
takes a bit more if the step is halved."""

MOST_AN_OCTAVE = 1.6
"""The same for folds, for which the slope follows from variances ..."""

GENTLEST_SLOPE = -0.3
"""... and the gentlest slope that is believed of these."""

ERROR_SLOPE = 1.4
"""Logarithm of the squared error over the logarithm of the step, where nothing is measured yet."""


COARSEST_BPS = 0.02
"""Bits per sample at which the search for the finest useful step of a model begins."""

OCTAVE_RUNGS = 2.0
"""Steps of an octave that this search looks at ..."""

WORSE_RUNGS = 5
"""... of which so many must be worse than the best one before finer ones are given up ..."""

FINE_RUNGS = (0.25, 0.125)
"""... and octaves around the best one at which it looks then."""

LEAST_TOLD = 0.9
"""Share of a budget below which it is told that it is not used up."""

TOLD_MISS = 0.07
"""Octaves of squared error (0.2 dB) by which a quality is missed before it is told."""


@dataclass(frozen=True)
class _Settled:
    """What a search on a part of the scene ends with.

    Parameters
    ----------
    trial : Trial
        Under the last plan.
    code : int
        Of the step.
    slope : float
        Logarithm of what was measured over that of the step.
    density : dict of int to float
        What a pixel takes in each turn of strips; see `Trial.density`.
    """

    trial: Trial
    code: int
    slope: float
    density: dict[int, float]


class SceneControl:
    """Finds the step of one scene under the plans of one planner.

    Parameters
    ----------
    coder : SceneCoder
        Of the scene.
    planner : Planner
        Makes plans for it.
    one_trial : bool
        Whether a size is met from one trial; see `bandfold.onboard.effort.Effort`.

    Attributes
    ----------
    notes : list of str
        What was asked for and is not what came out, and why.
    """

    def __init__(self, coder: SceneCoder, planner: Planner, *, one_trial: bool = False) -> None:
        self._one_trial = one_trial
        self._coder = coder
        self._planner = planner
        self.notes: list[str] = []

    def within(self, budget: int, code: int, *, errors: bool, first_size: float | None = None) -> CodedScene:
        """Code the scene into a number of bytes.

        Parameters
        ----------
        budget : int
            Bytes of the stream at most.
        code : int
            Of the step to begin with, in units of ``1 / STEP_UNIT`` of a count.
        errors : bool
            Whether to measure the squared error too.
        first_size : float, optional
            Bytes that the scene takes with this step, about, where that is known.

        Returns
        -------
        CodedScene

        Raises
        ------
        BudgetError
            If the budget is too small for this scene.
        """
        accept = (BUDGET_RANGE[0] * budget, BUDGET_RANGE[1] * budget)
        goal = Goal(Trial.size, accept, self._size_slope(budget))
        found = self._settle(goal, code, errors=errors, first=first_size)
        trial, code, slope = found.trial, found.code, found.slope
        if self._coder.method.saturates:
            useful = self._finest_useful(code)
            if useful > code:
                # Under a plan for that step, which does not depend on the budget.
                coded = self._without_more(
                    self._trial(useful, errors=errors).on_all(), useful, budget, errors
                )
                if len(coded.data) <= budget:
                    return coded
        whole = self._on_all(trial)
        if self._coder.method.trims:
            near = replace(goal, accept=(TRIM_RANGE[0] * budget, TRIM_RANGE[1] * budget))
            if whole is trial:
                code = whole.nearest(near.accept, budget, code)
            elif len(whole.strips) > 1 and exp2(goal.aim) > whole.rest:
                code = self._approach(whole, found, exp2(goal.aim))
            code = near.find(whole, code, slope)
            whole.trim(code, accept, exp2(goal.aim), slope)
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
        finest = code <= SMALLEST_STEP * STEP_UNIT
        reason = "a finer step than that cannot be written" if finest else "no step comes nearer to it"
        return self._told(self._assemble(whole, code, errors=errors), budget, reason)

    def at_quality(self, mse: float, code: int) -> CodedScene:
        """Code the scene with a mean squared error.

        Parameters
        ----------
        mse : float
            Per sample, in counts squared, without what rounding to counts adds.
        code : int
            Of the step to begin with, in units of ``1 / STEP_UNIT`` of a count.

        Returns
        -------
        CodedScene

        Raises
        ------
        BudgetError
            If the quality is out of reach.
        """
        goal = Goal(Trial.error, (mse * (1 - QUALITY_RANGE), mse * (1 + QUALITY_RANGE)), ERROR_SLOPE)
        found = self._settle(goal, code, errors=True)
        whole = self._on_all(found.trial)
        code = goal.find(whole, found.code, found.slope)
        samples = self._coder.samples
        asked, got = (one + samples.rounding for one in (mse, whole.error(code)))
        wanted, reached = (quality_text(one, samples.peak, samples.scale) for one in (asked, got))
        if got > asked * (1 + OUT_OF_REACH):
            raise BudgetError(
                f"quality of {wanted} is out of reach: the search for a step ended at {reached}; ask for less"
            )
        if whole.error(code) > 0 and abs(log2_of(got / asked)) > TOLD_MISS:
            self.notes.append(f"{wanted} were asked for, {reached} are expected: no step comes nearer")
        return self._assemble(whole, code, errors=True)

    def _on_all(self, trial: Trial) -> Trial:
        """The whole scene under the plan of a trial; what served trials makes room for it."""
        whole = trial.on_all()
        if whole is not trial:
            trial.forget()
            self._planner.forget()
            trim_heap()
        return whole

    def _size_slope(self, budget: int) -> float:
        """Logarithm of the bytes over that of the step, about, before anything is measured."""
        # Of few samples a low rate is less than a byte: out of reach, which what codes the scene says.
        budget = max(budget, 1)
        bps = 8.0 * budget / self._coder.samples.info.count
        if not self._coder.method.trims:
            return max(SIZE_SLOPE, -BITS_AN_OCTAVE / bps)
        steps = [self._planner.step_for_bits(8.0 * budget * exp2(octaves)) for octaves in (-0.125, 0.125)]
        octaves = log2_of(steps[0]) - log2_of(steps[1])
        # At rates out of reach both steps are the finest one.
        slope = -0.25 / octaves if octaves > 0 else GENTLEST_SLOPE
        return min(max(slope, -MOST_AN_OCTAVE / bps), GENTLEST_SLOPE)

    @staticmethod
    def _approach(whole: Trial, found: _Settled, aim: float) -> int:
        """Code the whole scene towards a size; the code of the step of its header."""
        code = found.code
        for start in range(MOST_STARTS):
            again = start + 1 < MOST_STARTS
            missed = whole.approach(code, aim, found.slope, found.density, give_up=again)
            if missed == 1:
                break
            code = moved_step(code, -log2_of(missed), found.slope)
        return code

    def _finest_useful(self, code: int) -> int:
        """The best of all steps from one on upwards, for a model that has a finest one.

        Errors are measured on some lines, at steps that do not depend on the budget, from coarse ones on: so
        a larger budget never finds a worse one.
        """
        trials: dict[int, float] = {}

        def error(one: int) -> float:
            if one not in trials:
                trials[one] = self._trial(one, errors=True, rough=True).error(one)
            return trials[one]

        coarsest = self._planner.step_for_bits(COARSEST_BPS * self._coder.samples.info.count)
        rung = round(OCTAVE_RUNGS * log2_of(coarsest * STEP_UNIT))
        found, worse = code, 0
        while worse < WORSE_RUNGS:
            one = round(exp2(rung / OCTAVE_RUNGS))
            if one <= code:
                break
            better = found == code or error(one) < error(found)
            found, worse = (one, 0) if better else (found, worse + 1)
            rung -= 1
        if found == code or (worse < WORSE_RUNGS and error(code) < error(found)):
            return code
        for octaves in FINE_RUNGS:
            for one in (round(found * exp2(octaves)), round(found * exp2(-octaves))):
                if one >= code and error(one) < error(found):
                    found = one
        return found

    def _without_more(self, whole: Trial, code: int, budget: int, errors: bool) -> CodedScene:
        """Code the scene with the finest step that is of use."""
        reason = "more of them would make the scene worse, with this model"
        return self._told(self._assemble(whole, code, errors=errors), budget, reason)

    def _told(self, coded: CodedScene, budget: int, reason: str) -> CodedScene:
        """Say so where much of a budget is not used."""
        if len(coded.data) < LEAST_TOLD * budget:
            self.notes.append(f"of the {budget} bytes asked for {len(coded.data)} are used: {reason}")
        return coded

    def _trial(self, code: int, *, errors: bool, rough: bool = False) -> Trial:
        """A plan for a step, and the part of the scene on which steps are tried."""
        self._coder.progress("plan", 0.0)
        plan = self._planner.plan(code / STEP_UNIT, rotate=not rough)
        pixels = pixels_tried(plan) // (2 if rough else 1)
        return Trial(self._coder, self._coder.some_strips(plan, pixels), code, errors=errors)

    def _settle(self, goal: Goal, code: int, *, errors: bool, first: float | None = None) -> _Settled:
        """Find the step at which the plan for this step meets the goal, on a part of the scene.

        A plan for another step has other components and other side information, so the neighbourhood of
        the step is searched with a plan for each step that is tried, without rotations and less exactly.
        Under the last plan the step is measured and moved along the slope a few times, and planned for once
        more: the search goes on with the whole scene.
        """
        if self._one_trial and goal.slope < 0 and self._coder.method.trims:
            return self._settle_at_once(goal, code, errors=errors, first=first)
        measured: dict[int, float] = {}

        def rough(one: int) -> float:
            measured[one] = goal.measure(self._trial(one, errors=errors, rough=True), one)
            return measured[one]

        sized = goal.slope < 0
        slope = goal.slope
        known = first is not None and goal.near[0] <= first <= goal.near[1]
        if first is not None:
            code = goal.moved(code, first, slope)
        if self._planner.depends_on_step and not known:
            code = find_step(rough, goal.near, code, slope=slope, evaluations=MOST_PLANS)
            if sized:
                slope = goal.measured_slope(measured)
                code = goal.moved(code, measured[code] * WITH_ROTATIONS, slope)
        trial = self._trial(code, errors=errors)
        for _ in range(MOST_MOVES):
            found = goal.move(trial, code, slope)
            slope = trial.slope(goal, slope)
            if abs(log2_of(found) - log2_of(code)) < (FINE_MOVE if sized else FINE_QUALITY_MOVE):
                break
            code = found
        density = trial.density(code) if sized and self._coder.method.trims else {}
        # What a fold leaves out is an estimate: a quality stays with the plan under which it was measured.
        if sized and self._planner.depends_on_step and abs(log2_of(found) - log2_of(trial.code)) > SAME_PLAN:
            trial = self._trial(found, errors=errors)
        return _Settled(trial, found, slope, density)

    def _settle_at_once(self, goal: Goal, code: int, *, errors: bool, first: float | None) -> _Settled:
        """Find the step of a size from one trial, or from two where the first one is far from it."""
        if first is not None:
            code = goal.moved(code, first, goal.slope)
        trial = self._trial(code, errors=errors)
        found = goal.move(trial, code, goal.slope)
        if abs(log2_of(found) - log2_of(code)) > NEAR_PLAN:
            code = found
            trial = self._trial(code, errors=errors)
            found = goal.move(trial, code, goal.slope)
        return _Settled(trial, found, goal.slope, trial.density(code))

    def _assemble(self, whole: Trial, code: int, *, errors: bool) -> CodedScene:
        mse = whole.error(code) if errors else None
        whole.strips.forget()
        return self._coder.assemble(whole.strips.plan, code, whole.side, whole.coded(code), mse)
