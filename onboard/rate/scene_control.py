"""A scene coded to a size or a quality: plan, try steps, plan again where the step has moved."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.common.errors import BudgetError
from bandfold.common.exact import exp2, log2_of
from bandfold.onboard.coding.scene_coder import CodedScene, SceneCoder, make_room, pixels_tried
from bandfold.onboard.planning.plan import Planner
from bandfold.onboard.quality import TOLD_MISS, quality_text
from bandfold.onboard.target import SMALLEST_STEP, step_code

from .ladder import Ladder, Point, is_small
from .step_search import find_step, moved_step
from .trial import Goal, Trial
from .useful_step import COARSEST_BPS, finest_useful

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

FAR_PLAN = 0.5
"""Octaves between the step of a plan and that with which a scene is coded, from which on others are tried."""

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


LEAST_TOLD = 0.9
"""Share of a budget below which it is told that it is not used up."""

MODEL_SATURATES = "more of them would make the scene worse, with this model"
FINEST_STEP = "a finer step than that cannot be written"
NO_STEP = "no step comes nearer to it"
"""Why it is not."""


class _Settled(NamedTuple):
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
    last : bool
        Whether the planner serves nobody else: then it gives back its memory before the whole scene is coded.

    Attributes
    ----------
    notes : list of str
        What was asked for and is not what came out, and why.
    """

    def __init__(
        self, coder: SceneCoder, planner: Planner, *, one_trial: bool = False, last: bool = False
    ) -> None:
        self._one_trial = one_trial
        self._last = last
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
        if is_small(self._coder.samples.info):
            return self._best_within(goal, budget, code)
        found = self._settle(goal, code, errors=errors, first=first_size)
        trial, code, slope = found.trial, found.code, found.slope
        if self._coder.method.saturates:
            useful = finest_useful(self._rough_error, self._coarsest(), code)
            if useful > code:
                # Under a plan for that step, which does not depend on the budget.
                coded = self._without_more(
                    self._trial(useful, errors=errors).on_all(), useful, budget, errors
                )
                if coded.size <= budget:
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
        finest = code <= SMALLEST_STEP * STEP_UNIT
        if whole is trial and not finest:
            whole, code = self._unless_missed(whole, code, accept)
        if whole.size(code) > budget:
            raise _too_small(budget, whole.size(code))
        reason = FINEST_STEP if finest else NO_STEP
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
        if is_small(self._coder.samples.info):
            ladder = Ladder(self._coder, self._planner)
            point = ladder.at_quality(goal.accept[1], ladder.near(goal, self._first_of(code)))
        else:
            point = self._of_quality(goal, code)
        samples = self._coder.samples
        asked, got = (one + samples.rounding for one in (mse, point.error))
        wanted, reached = (quality_text(one, samples.peak, samples.scale) for one in (asked, got))
        if got > asked * (1 + OUT_OF_REACH):
            raise BudgetError(
                f"quality of {wanted} is out of reach: the search for a step ended at {reached}; ask for less"
            )
        if point.error > 0 and abs(log2_of(got / asked)) > TOLD_MISS:
            self.notes.append(f"{wanted} were asked for, {reached} are expected: no step comes nearer")
        return self._assemble(point.trial, point.code, errors=True)

    def _of_quality(self, goal: Goal, code: int) -> Point:
        """The scene as it comes nearest to an error."""
        found = self._settle(goal, code, errors=True)
        whole = self._on_all(found.trial)
        most = goal.accept[1]
        point = Point.of(whole, goal.find(whole, found.code, found.slope))
        if point.error > most and self._coder.method.saturates:
            # Errors are larger at coarser steps and at finer ones: the search may have gone the wrong way.
            useful = finest_useful(self._rough_error, self._coarsest(), step_code(SMALLEST_STEP))
            best = Point.of(self._on_all(self._trial(useful, errors=True)), useful)
            if best.error < most:
                return Point.of(best.trial, goal.find(best.trial, useful, found.slope))
            return min(best, point, key=lambda one: one.error)
        if whole is found.trial and not goal.accept[0] <= point.error <= most:
            other = Ladder(self._coder, self._planner, rough=True).at_quality(most, point.code)
            return other if other.error <= most or other.error < point.error else point
        return point

    def _unless_missed(self, whole: Trial, code: int, accept: tuple[float, float]) -> tuple[Trial, int]:
        """What a search for a size ended with, or a better point of the ladder of a scene.

        It is looked at where the size is not what was wanted, or met under a plan for quite another step.
        """
        size, budget = whole.size(code), accept[1]
        planned = self._planner.depends_on_step and not self._one_trial
        far = planned and abs(log2_of(code / whole.code)) > FAR_PLAN
        if accept[0] <= size <= budget and not far:
            return whole, code
        point = Ladder(self._coder, self._planner, rough=True).within(budget, code)
        # A better plan is worth some of the budget.
        least = min(size, TRIM_RANGE[0] * budget) if far else size
        if point is not None and (size > budget or point.size >= least):
            return point.trial, point.code
        return whole, code

    def _best_within(self, goal: Goal, budget: int, code: int) -> CodedScene:
        """Code a small scene into a number of bytes: the best point of its ladder."""
        ladder = Ladder(self._coder, self._planner)
        point = ladder.within(budget, ladder.near(goal, self._first_of(code)))
        if point is None:
            raise _too_small(budget, ladder.smallest)
        unused = FINEST_STEP if ladder.finest <= SMALLEST_STEP * STEP_UNIT else NO_STEP
        reason = MODEL_SATURATES if self._coder.method.saturates else unused
        return self._told(self._assemble(point.trial, point.code, errors=True), budget, reason)

    def _first_of(self, code: int) -> int:
        """Step with which the search on a ladder begins."""
        return step_code(self._coarsest()) if self._coder.method.saturates else code

    def _coarsest(self) -> float:
        """Step in counts from which on finer ones are looked at, with a model that saturates."""
        return self._planner.step_for_bits(COARSEST_BPS * self._coder.samples.info.count)

    def _on_all(self, trial: Trial) -> Trial:
        """The whole scene under the plan of a trial; what served trials makes room for it."""
        whole = trial.on_all()
        if whole is not trial:
            trial.forget()
            make_room(self._planner, last=self._last)
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

    def _without_more(self, whole: Trial, code: int, budget: int, errors: bool) -> CodedScene:
        """Code the scene with the finest step that is of use."""
        return self._told(self._assemble(whole, code, errors=errors), budget, MODEL_SATURATES)

    def _told(self, coded: CodedScene, budget: int, reason: str) -> CodedScene:
        """Say so where much of a budget is not used."""
        if coded.size < LEAST_TOLD * budget:
            self.notes.append(f"of the {budget} bytes asked for {coded.size} are used: {reason}")
        return coded

    def _rough_error(self, code: int) -> float:
        return self._trial(code, errors=True, rough=True).error(code)

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


def _too_small(budget: int, least: float) -> BudgetError:
    return BudgetError(
        f"budget of {budget} bytes is too small: the coarsest coding found takes {least:.0f} bytes; raise it"
    )
