"""A scene coded to a size or a quality: plan, try steps, plan again where the step has moved."""

from __future__ import annotations

from dataclasses import replace

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.common.errors import BudgetError
from bandfold.common.exact import exp2, log2_of
from bandfold.onboard.coding.scene_coder import PIXELS_TRIED, CodedScene, SceneCoder
from bandfold.onboard.planning.plan import Planner
from bandfold.onboard.quality import psnr_of

from .step_search import find_step
from .trial import Goal, Trial

MOST_PLANS = 8
"""Plans made at most for one target, before the last one."""

MOST_MOVES = 3
"""Steps measured at most under the last plan before the whole scene is coded."""

FINE_MOVE = 0.06
"""A measured step may be moved along the slope by so many octaves without measuring again."""

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


class SceneControl:
    """Finds the step of one scene under the plans of one planner.

    Parameters
    ----------
    coder : SceneCoder
        Of the scene.
    planner : Planner
        Makes plans for it.
    """

    def __init__(self, coder: SceneCoder, planner: Planner) -> None:
        self._coder = coder
        self._planner = planner

    def within(self, budget: int, code: int, *, errors: bool) -> CodedScene:
        """Code the scene into a number of bytes.

        Parameters
        ----------
        budget : int
            Bytes of the stream at most.
        code : int
            Of the step to begin with, in units of ``1 / STEP_UNIT`` of a count.
        errors : bool
            Whether to measure the squared error too.

        Returns
        -------
        CodedScene

        Raises
        ------
        BudgetError
            If the budget is too small for this scene.
        """
        accept = (BUDGET_RANGE[0] * budget, BUDGET_RANGE[1] * budget)
        goal = Goal(Trial.size, accept, SIZE_SLOPE)
        trial, code, slope = self._settle(goal, code, errors=errors)
        whole = trial.on_all()
        if self._coder.method.trims:
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
        return self._assemble(whole, code, errors=errors)

    def at_quality(self, mse: float, code: int) -> CodedScene:
        """Code the scene with a mean squared error.

        Parameters
        ----------
        mse : float
            Per sample, in counts squared.
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
        trial, code, slope = self._settle(goal, code, errors=True)
        whole = trial.on_all()
        code = goal.find(whole, code, slope)
        if whole.error(code) > mse * (1 + OUT_OF_REACH):
            raise BudgetError(
                f"quality of {psnr_of(mse):.2f} dB is out of reach: the search for a step ended at "
                f"{psnr_of(whole.error(code)):.2f} dB; ask for less"
            )
        return self._assemble(whole, code, errors=True)

    def _trial(self, code: int, *, errors: bool, rough: bool = False) -> Trial:
        """A plan for a step, and the part of the scene on which steps are tried."""
        self._coder.progress("plan", 0.0)
        plan = self._planner.plan(code / STEP_UNIT, rotate=not rough)
        pixels = PIXELS_TRIED // 4 if rough else PIXELS_TRIED
        return Trial(self._coder, self._coder.some_strips(plan, pixels), code, errors=errors)

    def _settle(self, goal: Goal, code: int, *, errors: bool) -> tuple[Trial, int, float]:
        """Find the step at which the plan for this step meets the goal, on a part of the scene.

        A plan for another step has other components and other side information, so the neighbourhood of
        the step is searched with a plan for each step that is tried, without rotations and less exactly.
        Under the last plan the step is measured and moved along the slope a few times: the search goes on
        with the whole scene.
        """

        def rough(one: int) -> float:
            return goal.measure(self._trial(one, errors=errors, rough=True), one)

        if self._planner.depends_on_step:
            code = find_step(rough, goal.near, code, slope=goal.slope, evaluations=MOST_PLANS)
        trial, slope = self._trial(code, errors=errors), goal.slope
        for _ in range(MOST_MOVES):
            found = goal.move(trial, code, slope)
            slope = trial.slope(goal, slope)
            if abs(log2_of(found) - log2_of(code)) < FINE_MOVE:
                break
            code = found
        return trial, found, slope

    def _assemble(self, whole: Trial, code: int, *, errors: bool) -> CodedScene:
        mse = whole.error(code) if errors else None
        return self._coder.assemble(whole.strips.plan, code, whole.side, whole.coded(code), mse)
