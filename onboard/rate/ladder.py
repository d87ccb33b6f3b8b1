"""Operating points that do not depend on the target: of those that meet it the best one is taken.

What a small scene takes jumps with its step: a component more is a vector of hundreds of bytes, and levels
that vanish take those around them along. A search that follows slopes ends before or behind such a jump, or
under a plan for quite another step, and then a larger budget gives less quality. Here steps are the rungs of
a ladder, each has a plan of its own, and all of them around the last one that meets the target are coded: so
a target looks at what its neighbours could take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.common.exact import exp2, log2_of
from bandfold.common.scene import SceneInfo, block_rows
from bandfold.onboard.coding.scene_coder import SceneCoder
from bandfold.onboard.planning.plan import Planner
from bandfold.onboard.quality import rounded_error
from bandfold.onboard.target import LARGEST_STEP, SMALLEST_STEP, step_code

from .step_search import find_step
from .trial import Goal, Trial

SMALL_SCENE = 16
"""Blocks of a scene up to which it is coded from a ladder in any case: 32 x 32 pixels."""

RUNGS = 16
"""Rungs of an octave of the step."""

REACH = (4, 4)
"""Rungs that are coded beyond the last one that meets the target, and behind it ..."""

ROUGH_REACH = (2, 1)
"""... and the same of a scene that is not small ..."""

PARTS = 4
"""... and the parts into which the distance from there to the next rung is divided."""

GIVEN_UP = 8
"""Rungs after which no other one is expected to meet the target, and where none was searched for ..."""

GIVEN_UP_UNSEARCHED = 4 * RUNGS
"""... the same."""

WIDE_STRIDE = 2
"""Rungs from one that is coded to the next, if a scene is not small or its model saturates ..."""

WORSE = 10
"""... and how many of the latter in a row are no better than the best one, before finer ones are given up."""

NEAR = 0.92
"""Part of a target from which on a rung is near enough to begin with ..."""

MOST_RUNGS = 6
"""... and rungs that are coded at most to find one."""

ENDS = round(RUNGS * math.log2(SMALLEST_STEP)), round(RUNGS * math.log2(LARGEST_STEP))
"""The first rung and the last one."""


@dataclass(frozen=True)
class Point:
    """A scene coded with a step, under the plan for this step.

    Parameters
    ----------
    code : int
        Of the step, in units of ``1 / STEP_UNIT`` of a count.
    trial : Trial
        All lines of the scene, coded.
    size : float
        Bytes of the stream.
    error : float
        Mean squared error per sample, in counts squared; infinite where a strip is worthless.
    """

    code: int
    trial: Trial
    size: float
    error: float

    @staticmethod
    def of(trial: Trial, code: int) -> Point:
        """The point of a trial on all lines, at a step."""
        sound = not any(strip.fault for strip in trial.coded(code))
        return Point(code, trial, trial.size(code), trial.error(code) if sound else math.inf)


def is_small(info: SceneInfo) -> bool:
    """Whether a scene is coded from a ladder in any case."""
    return block_rows(info.lines) * block_rows(info.samples) <= SMALL_SCENE


class Ladder:
    """The operating points of a scene, coded when they are looked at.

    Parameters
    ----------
    coder : SceneCoder
        Of the scene.
    planner : Planner
        Makes plans for it.
    rough : bool
        Whether fewer rungs are coded, since a scene is not small.
    """

    def __init__(self, coder: SceneCoder, planner: Planner, *, rough: bool = False) -> None:
        self._coder = coder
        self._planner = planner
        self._saturates = coder.method.saturates
        self._stride = WIDE_STRIDE if rough or self._saturates else 1
        self._beyond, self._behind = ROUGH_REACH if rough else REACH
        self._points: dict[int, Point] = {}

    def within(self, budget: float, start: int) -> Point | None:
        """Find the point of the least error that takes so many bytes at most.

        Parameters
        ----------
        budget : float
            In bytes.
        start : int
            Code of a step near to it.

        Returns
        -------
        Point or None
            None where every point that was looked at takes more.
        """
        fits = self._around(lambda point: point.size <= budget, start, onward=-1)
        return min(fits, key=lambda point: (point.error, point.size), default=None)

    def at_quality(self, mse: float, start: int) -> Point:
        """Find the point of the fewest bytes that makes so large an error at most.

        Parameters
        ----------
        mse : float
            Mean squared error per sample, in counts squared.
        start : int
            Code of a step near to it.

        Returns
        -------
        Point
            That of the least error where every point that was looked at makes a larger one.
        """
        good = self._around(lambda point: point.error <= mse, start, onward=1)
        if good:
            return min(good, key=lambda point: (point.size, point.error))
        return min(self._points.values(), key=lambda point: (point.error, point.size))

    @property
    def smallest(self) -> float:
        """Bytes of the smallest point that was looked at."""
        return min(point.size for point in self._points.values())

    @property
    def finest(self) -> int:
        """Code of the finest step that was looked at."""
        return min(self._points)

    def near(self, goal: Goal, start: int) -> int:
        """Find a rung that nearly meets a goal, for what follows to begin with.

        Parameters
        ----------
        goal : Goal
            A size or an error.
        start : int
            Code of the step to begin with. A model that saturates has none that depends on the goal: that
            larger errors are found at finer steps is only known from coarse ones on.

        Returns
        -------
        int
            Code of its step.
        """
        if self._saturates:
            return start

        def rough(code: int) -> float:
            plan = self._planner.plan(code / STEP_UNIT, rotate=False)
            trial = Trial(self._coder, self._coder.strips(plan), code, errors=goal.slope > 0)
            return goal.measure(trial, code)

        def exact(code: int) -> float:
            point = self._rung(_rung_of(code))
            return goal.measure(point.trial, point.code)

        most = goal.accept[1]
        code = find_step(rough, goal.near, start, slope=goal.slope)
        return find_step(exact, (most * NEAR, most), code, slope=goal.slope, evaluations=MOST_RUNGS)

    def _around(self, meets: Callable[[Point], bool], start: int, *, onward: int) -> list[Point]:
        """All points that meet a target, of those around the last one that does, going onward from a step."""
        first, edge = _rung_of(start), None
        missed = 0
        for rung in self._walk(first, onward * self._stride):
            if meets(self._rung(rung)):
                edge, missed = rung, 0
            else:
                missed += 1
            if missed == self._beyond:
                break
        met = 0
        most = (GIVEN_UP_UNSEARCHED if self._saturates else GIVEN_UP) // self._stride
        back = first if edge is None else edge
        behind = self._walk(back - onward * self._stride, -onward * self._stride)
        for tried, rung in enumerate(behind, start=1):
            if meets(self._rung(rung)):
                edge, met = rung if edge is None else edge, met + 1
            if met == self._behind or (not met and tried == most):
                break
        if edge is not None and not self._saturates:
            for part in range(1, PARTS):
                self._point(_code_of(edge + onward * self._stride * part / PARTS))
        return [point for point in self._points.values() if meets(point)]

    def _walk(self, rung: int, by: int) -> Iterator[int]:
        """Rungs one after the other; to finer ones only as long as they are of use."""
        least, worse = math.inf, 0
        while ENDS[0] <= rung <= ENDS[1] and worse < WORSE:
            yield rung
            error = self._rung(rung).error
            if self._saturates and by < 0:
                worse = 0 if error < least else worse + 1
                least = min(least, error)
            rung += by

    def _rung(self, rung: int) -> Point:
        return self._point(_code_of(rung))

    def _point(self, code: int) -> Point:
        """The scene at a step; coded once."""
        if code not in self._points:
            plan = self._planner.plan(code / STEP_UNIT)
            trial = Trial(self._coder, self._coder.strips(plan), code, errors=True)
            point = Point.of(trial, code)
            if not any(basis.fold.components for basis in plan.bases):
                point = replace(point, error=rounded_error(self._error_of_means(plan.fold)))
            self._points[code] = point
            trial.strips.forget()
        return self._points[code]

    def _error_of_means(self, fold: Fold) -> float:
        """Mean squared error per sample where nothing but means is told, and these coarsely."""
        samples = self._coder.samples
        lines = slice(0, samples.info.lines)
        left = samples.read(slice(0, fold.bands), lines) - (fold.means / FRACTION)[:, None, None]
        mask = samples.uncounted(lines).mask
        squares = (left * left)[... if mask is None else ~mask].ravel()
        return math.fsum(squares.tolist()) / max(squares.size, 1)


def _rung_of(code: int) -> int:
    """The rung that is nearest to a step."""
    return min(max(round(RUNGS * log2_of(code / STEP_UNIT)), ENDS[0]), ENDS[1])


def _code_of(rung: float) -> int:
    """Code of the step at a place on the ladder."""
    return step_code(exp2(rung / RUNGS))
