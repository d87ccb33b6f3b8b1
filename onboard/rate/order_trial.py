"""In which order and steps predicted bands are best coded, and by which transform: some of the scene tells.

Many tiers suit scenes of many bands and little noise, growing steps suit low rates. How both weigh depends
on the scene, and no estimate from its covariances was as good as coding some of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.transforms.band_order import FARTHEST_STEP, MOST_SPAN, Hierarchy
from bandfold.common.exact import log2_of
from bandfold.common.workers import trim_heap
from bandfold.onboard.prediction.band_importance import STEP_GRID, CodedBands, WatchedBand, important_steps
from bandfold.onboard.prediction.predicted_coder import PredictedMethod, StripSamples
from bandfold.onboard.prediction.predicted_planner import GAIN, QUARTERS, PredictedPlanner, hierarchy_of
from bandfold.onboard.samples.samples import Samples, Uncounted
from bandfold.onboard.target import step_code

from .cost_curve import CostCurve

PLACES, LINES, SAMPLES = 4, 32, 64
"""Places of a large scene that are coded, side by side, and their extent; of a small one all of it is."""

OTHER_STEPS = (1.5, 2.0 / 3.0)
"""What the step is multiplied with to find out what a byte is worth."""

OTHER_QUARTERS = (0, 2)
"""Places of the first band that are tried, in quarters of the distance of those that are coded first."""

OTHER_GAINS = (1, 3)
"""Growths of the step that are tried, in eighths of an octave a tier. Steps of bands follow from the last."""

FEWEST_TIERS = 2
"""Tiers of the usual order from which on bands may have their own steps: else little depends on any."""

SMALLEST_ERROR = 1e-6
"""Where nothing is lost, the logarithm of the error is taken of this, in counts squared."""


@dataclass(frozen=True)
class Trial:
    """A way to code some of the scene.

    Parameters
    ----------
    order : Hierarchy
        Order of coding, and steps of bands.
    engine : int
        Of the model.
    step : float
        Of the strip, in counts.
    watch : callable or None
        Called with each band, see `PredictedStripCoder`.
    """

    order: Hierarchy
    engine: int
    step: float
    watch: Callable[[int, WatchedBand], None] | None = None


def choose_order(
    samples: Samples, method: PredictedMethod, planner: PredictedPlanner, code: int, *, stepped: bool = True
) -> None:
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
    stepped : bool
        Whether bands may have steps of their own.
    """
    usual, engines = planner.hierarchy, method.codec.engines
    tiers, bands = len(usual.gains), samples.info.bands
    some = _some_of(samples)
    share = some.counts.size / samples.info.count
    step = code / STEP_UNIT

    def tried(trial: Trial) -> tuple[float, float]:
        """Squared error and bytes."""
        basis = planner.plan_of(trial.order, trial.engine, trial.step).bases[0]
        coder = method.coder(basis, trial.step)
        coder.watch = trial.watch
        coded = coder.code(some, SegmentHeader(0), trial.step, errors=True)
        size = float(len(coded.payload))
        if trial.order.steps:
            # The part of the scene bears its share of what tells them.
            plain = replace(basis, fold=replace(basis.fold, prediction=replace(trial.order, steps=())))
            size += share * (method.side_bytes(basis) - method.side_bytes(plain))
        return max(coded.error, SMALLEST_ERROR), size

    chosen = Trial(usual, planner.engine, step)
    others = [replace(chosen, step=step_code(step * factor) / STEP_UNIT) for factor in OTHER_STEPS]
    points = list(method.workers.map(tried, [chosen, *others]))
    curve = CostCurve.through(*points)
    if curve is None:
        return
    least, bytes_taken = 0.0, points[0][1]

    def take(trials: list[Trial]) -> int | None:
        """Take the best of some, which is worth its number, if it is better than what was best before."""
        nonlocal chosen, least, bytes_taken
        taken = None
        for number, (error, size) in enumerate(method.workers.map(tried, trials)):
            cost = curve.cost(error, size)
            if cost < least:
                chosen, least, bytes_taken, taken = trials[number], cost, size, number
        return taken

    # One thing after the other: where the order begins, how many tiers it has, how its steps grow, what steps
    # bands have. Threads share what is tried of each.
    engine, quarters = planner.engine, QUARTERS
    if tiers:
        orders = [hierarchy_of(tiers, quarters=other) for other in OTHER_QUARTERS]
        first = take([Trial(order, engine, step) for order in orders])
        quarters = QUARTERS if first is None else OTHER_QUARTERS[first]
    counts = [count for count in (tiers - 1, tiers + 1) if 0 < count <= MOST_SPAN]
    take([Trial(hierarchy_of(count, quarters=quarters), engine, step) for count in counts])
    if tiers:
        count = len(chosen.order.gains)
        orders = [hierarchy_of(count, gain, quarters) for gain in OTHER_GAINS]
        coded = CodedBands(bands)
        if stepped and tiers >= FEWEST_TIERS:
            # The tiers in the middle keep their step: bytes are about the same, and can be compared.
            orders = [order.with_steps(bands, count * (GAIN - order.gains[0]) // 2) for order in orders]
        trials = [Trial(order, engine, step) for order in orders]
        if orders[-1].steps:
            trials[-1] = replace(trials[-1], watch=coded.watch)
        take(trials)
        if coded.predictions:
            take([Trial(important_steps(orders[-1], coded), engine, step)])
    # Then which transform.
    take([replace(chosen, engine=other, watch=None) for other in range(1, engines)])
    order = chosen.order
    if order.steps:
        # The same step gives about as many bytes, whatever was chosen.
        octaves = log2_of(others[0].step / others[1].step) / log2_of(points[2][1] / points[1][1])
        moved = round(8 / STEP_GRID * octaves * (log2_of(bytes_taken) - curve.size)) * STEP_GRID
        room = FARTHEST_STEP - max(map(abs, order.steps))
        order = order.with_steps(bands, max(min(moved, room), -room))
    planner.hierarchy, planner.engine = order, chosen.engine
    # What trials took leaves gaps into which nothing of a whole strip fits.
    trim_heap()


def _some_of(samples: Samples) -> StripSamples:
    """Some places of a scene as one strip."""
    info = samples.info
    bands = slice(0, info.bands)
    if samples.pixels <= 2 * PLACES * LINES * SAMPLES or info.lines < LINES or info.samples < SAMPLES:
        lines = slice(0, min(info.lines, 2 * PLACES * LINES * SAMPLES // info.samples + 1))
        return _counted(np.ascontiguousarray(samples.read(bands, lines)))
    parts = []
    for place in range(PLACES):
        # Evenly along the lines, and by the golden section across them.
        line = (info.lines - LINES) * (2 * place + 1) // (2 * PLACES)
        column = (info.samples - SAMPLES) * (place * 618 % 1000) // 1000
        block = samples.read(bands, slice(line, line + LINES))
        # Of whole lines no more is kept.
        parts.append(block[:, :, column : column + SAMPLES].copy())
    return _counted(np.concatenate(parts, axis=2))


def _counted(counts: NDArray[Any]) -> StripSamples:
    """Counts as a strip in which all samples are present."""
    return StripSamples(counts, Uncounted(None, None, (counts.shape[0], counts.shape[1], counts.shape[2])))
