"""In which order and steps predicted bands are best coded, and by which transform: some of the scene tells.

Many tiers suit scenes of many bands and little noise, growing steps suit low rates, and what is coded first
should be bands from which others can be predicted. How all of it weighs depends on the scene, and no estimate
from its covariances was as good as coding some of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.transforms.band_order import FARTHEST_STEP, MOST_SPAN, Hierarchy
from bandfold.common.exact import exp2, log2_of
from bandfold.common.workers import trim_heap
from bandfold.onboard.prediction.band_importance import STEP_GRID, CodedBands, WatchedBand, important_steps
from bandfold.onboard.prediction.predicted_coder import PredictedMethod
from bandfold.onboard.prediction.predicted_planner import GAIN, PredictedPlanner
from bandfold.onboard.samples.samples import Samples
from bandfold.onboard.target import step_code

from .cost_curve import CostCurve
from .order_part import SMALLEST_ERROR, OrderPart, Trial
from .step_search import find_step

TRIED, SCREENED = (32, 64), (16, 32)
"""Lines and samples of each place that is coded to decide, and to find orders that are worth a try: which of
these are good is seen on few samples already ..."""

MANY_BANDS = 128
"""... of scenes of more bands than this; fewer take little time anyway."""

OTHER_STEPS = (1.5, 2.0 / 3.0)
"""What the step is multiplied with to find out what a byte is worth."""

PARTS = (4, 8)
"""Places of the first band that are screened in the usual number of tiers and in one more, evenly along its
distance; then those next to the best one, in tiers and places."""

MORE = 3
"""Places that are screened in one tier more where that is better for the best one."""

FINALISTS, NEAR_BEST = 2, 0.03
"""Screened orders that are tried at most, and octaves of bytes within which they are of the best one."""

ACCUSTOMED = 0.05
"""Octaves of bytes that the usual order may take more."""

GENTLE_GAIN, STEEP_GAIN = 1, 3
"""Growths of the step that are tried, in eighths of an octave a tier. The latter tells steps of bands."""

GREAT_GAIN = 0.05
"""Octaves of bytes that larger growths must save for smaller ones not to be tried."""

NEAR = 0.25
"""Octaves of bytes around a size, or of squared error around a quality, in which the step of trials is ..."""

MOST_STEPS = 3
"""... and steps at most that are tried to come there."""

SLOPES = (-1.0, 1.4)
"""Logarithms of bytes and of the squared error over that of the step, about."""

FEWEST_TIERS = 2
"""Tiers of the usual order from which on bands may have their own steps: else little depends on any."""


@dataclass(frozen=True)
class Aim:
    """What the whole scene is coded for: one of both, or the step is given.

    Parameters
    ----------
    size : float, optional
        Bytes of the stream.
    mse : float, optional
        Mean squared error per sample, in counts squared.
    """

    size: float | None = None
    mse: float | None = None


GIVEN_STEP = Aim()
"""The step is given."""


def choose_order(
    samples: Samples,
    method: PredictedMethod,
    planner: PredictedPlanner,
    code: int,
    *,
    aim: Aim = GIVEN_STEP,
    stepped: bool = True,
) -> int:
    """Let a planner take the order of coding, the steps of bands and the engine that cost least at a step.

    Parameters
    ----------
    samples : Samples
        Of the scene.
    method : PredictedMethod
        The model.
    planner : PredictedPlanner
        Whose order is changed.
    code : int
        Of the step, in units of ``1 / STEP_UNIT`` of a count.
    aim : Aim
        What the step is for: then it is a guess, and one that suits better is looked for first.
    stepped : bool
        Whether bands may have steps of their own.

    Returns
    -------
    int
        Code of the step at which the order was chosen.
    """
    usual, tiers, bands = planner.hierarchy, len(planner.hierarchy.gains), samples.info.bands
    stepped = stepped and tiers >= FEWEST_TIERS
    part = OrderPart(samples, method, planner, *TRIED)
    code, points = _points(part, method, planner, code, aim)
    curve = CostCurve.through(*points)
    if curve is None:
        return code
    best = _Best(part, curve, Trial(usual, planner.engine, code / STEP_UNIT), points[0][1])
    few = OrderPart(samples, method, planner, *SCREENED) if bands > MANY_BANDS else part
    orders = _screened(few, curve, best.trial, tiers, bands, stepped=stepped)
    if stepped:
        watched = [(_growing(order, STEEP_GAIN, bands), CodedBands(bands)) for order in orders]
        best.take([best.other(order, watch=coded.watch) for order, coded in watched])
        steps = [important_steps(order, coded) for order, coded in watched]
        del watched
        best.take([best.other(order) for order in steps])
    else:
        best.take([best.other(order) for order in orders])
    if best.trial.order.gains and (not stepped or best.cost > GREAT_GAIN * curve.slope):
        gains = (GENTLE_GAIN,) if stepped else (GENTLE_GAIN, STEEP_GAIN)
        own = bands if stepped else 0
        best.take([best.other(_growing(best.trial.order, gain, own)) for gain in gains])
    # Then which transform.
    best.take([replace(best.trial, engine=other, watch=None) for other in range(1, method.codec.engines)])
    order = best.trial.order
    if order.steps:
        # The same step gives about as many bytes, whatever was chosen.
        octaves = log2_of(OTHER_STEPS[0] / OTHER_STEPS[1]) / log2_of(points[2][1] / points[1][1])
        moved = round(8 / STEP_GRID * octaves * (log2_of(best.size) - curve.size)) * STEP_GRID
        room = FARTHEST_STEP - max(map(abs, order.steps))
        order = order.with_steps(bands, max(min(moved, room), -room))
    planner.hierarchy, planner.engine = order, best.trial.engine
    # What trials took leaves gaps into which nothing of a whole strip fits.
    trim_heap()
    return code


class _Best:
    """The best way to code a part of the scene that was tried so far.

    Parameters
    ----------
    part : OrderPart
        Some of the scene.
    curve : CostCurve
        What others are held against.
    trial : Trial
        The usual way, at the middle of the curve.
    size : float
        Its bytes.
    """

    def __init__(self, part: OrderPart, curve: CostCurve, trial: Trial, size: float) -> None:
        self.trial, self.size, self.cost = trial, size, 0.0
        self._part, self._curve = part, curve

    def other(self, order: Hierarchy, watch: Callable[[int, WatchedBand], None] | None = None) -> Trial:
        """Another order, otherwise the same."""
        return replace(self.trial, order=order, watch=watch)

    def take(self, trials: list[Trial]) -> None:
        """Try some, and take the best one if it is better than what was best before."""
        for trial, (error, size) in zip(trials, self._part.all_tried(trials), strict=True):
            cost = self._curve.cost(error, size)
            if cost < self.cost:
                self.trial, self.size, self.cost = trial, size, cost


def _points(
    part: OrderPart, method: PredictedMethod, planner: PredictedPlanner, code: int, aim: Aim
) -> tuple[int, list[tuple[float, float]]]:
    """The step to try orders at, and squared errors and bytes there, at a coarser one and at a finer one."""
    found: dict[int, tuple[float, float]] = {}

    def trial(code: int) -> Trial:
        return Trial(planner.hierarchy, planner.engine, code / STEP_UNIT)

    if aim != GIVEN_STEP:
        side = method.side_bytes(planner.plan(code / STEP_UNIT).bases[0])

        def measured(code: int) -> float:
            error, size = found[code] = part.tried(trial(code))
            return error / part.some.counts.size if aim.size is None else size / part.share + side

        wanted, slope = (aim.mse or 0.0, SLOPES[1]) if aim.size is None else (aim.size, SLOPES[0])
        wanted = max(wanted, SMALLEST_ERROR)
        accept = (wanted * exp2(-NEAR), wanted * exp2(NEAR))
        code = find_step(measured, accept, code, slope=slope, evaluations=MOST_STEPS)
    codes = [code, *(step_code(code / STEP_UNIT * factor) for factor in OTHER_STEPS)]
    missing = [one for one in codes if one not in found]
    found.update(zip(missing, part.all_tried([trial(one) for one in missing]), strict=True))
    return code, [found[one] for one in codes]


def _screened(
    part: OrderPart, curve: CostCurve, usual: Trial, tiers: int, bands: int, *, stepped: bool
) -> list[Hierarchy]:
    """Orders that are worth a try, the best one first: few samples tell."""
    points: dict[Hierarchy, tuple[float, float]] = {}
    costs: dict[Hierarchy, float] = {}

    def screen(orders: list[Hierarchy]) -> None:
        new = [one for one in dict.fromkeys(orders) if one not in points]
        trials = [
            replace(usual, order=_growing(one, STEEP_GAIN if stepped else GAIN, bands if stepped else 0))
            for one in new
        ]
        points.update(zip(new, part.all_tried(trials), strict=True))
        own = curve.beginning_at(*points[usual.order])
        costs.update((one, own.cost(*points[one])) for one in new)

    placed = [
        _order(count, place * (1 << count) // parts)
        for count, parts in zip((tiers, tiers + 1), PARTS, strict=True)
        for place in range(parts if 0 < count <= MOST_SPAN else 0)
    ]
    screen([usual.order, *placed])
    best = min(costs, key=lambda one: costs[one])
    distance, count = 1 << len(best.gains), len(best.gains)
    near = [_order(count, best.first + move * distance // (2 * PARTS[1])) for move in (-1, 1)]
    others = [_order(other, best.first) for other in (count - 1, count + 1) if 0 < other <= MOST_SPAN]
    screen(near + others)
    if len(min(costs, key=lambda one: costs[one]).gains) > count:
        good = sorted((one for one in costs if len(one.gains) == count), key=lambda one: costs[one])[:MORE]
        screen([_order(count + 1, one.first + move) for one in good for move in (0, distance)])
    costs[usual.order] += ACCUSTOMED * curve.slope
    ranked = sorted(costs, key=lambda one: costs[one])[:FINALISTS]
    return [one for one in ranked if costs[one] <= costs[ranked[0]] - NEAR_BEST * curve.slope]


def _order(tiers: int, first: int) -> Hierarchy:
    """An order that begins somewhere, with the usual steps."""
    return Hierarchy((GAIN,) * tiers, first % (1 << tiers))


def _growing(order: Hierarchy, gain: int, bands: int) -> Hierarchy:
    """The same order, its steps growing by so many eighths of an octave a tier; told for so many bands."""
    tiers = len(order.gains)
    grown = Hierarchy((gain,) * tiers, order.first)
    # The tiers in the middle keep their step: bytes are about the same, and can be compared.
    return grown.with_steps(bands, tiers * (GAIN - gain) // 2) if bands else grown
