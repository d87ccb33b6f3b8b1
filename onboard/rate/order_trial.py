"""In which order predicted bands are best coded, and by which transform: some of the scene tells.

Many tiers suit scenes of many bands and little noise, growing steps suit low rates. How both weigh depends
on the scene, and no estimate from its covariances was as good as coding some of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.transforms.band_order import MOST_SPAN, Hierarchy
from bandfold.common.exact import log2_of
from bandfold.onboard.prediction.predicted_coder import PredictedMethod, StripSamples
from bandfold.onboard.prediction.predicted_planner import QUARTERS, PredictedPlanner, hierarchy_of
from bandfold.onboard.samples.samples import Samples, Uncounted
from bandfold.onboard.settings import step_code

PLACES, LINES, SAMPLES = 4, 32, 64
"""Places of a large scene that are coded, side by side, and their extent; of a small one all of it is."""

COARSER = 1.25
"""What the step is multiplied with to find out what a bit is worth."""

OTHER_QUARTERS = (0, 2)
"""Places of the first band that are tried, in quarters of the distance of those that are coded first."""

OTHER_GAINS = (1, 3)
"""Growths of the step that are tried, in eighths of an octave a tier."""


SMALLEST_ERROR = 1e-6
"""Where nothing is lost, the logarithm of the error is taken of this, in counts squared."""


def choose_order(samples: Samples, method: PredictedMethod, planner: PredictedPlanner, code: int) -> None:
    """Let a planner take the order of coding and the engine that cost least at a step.

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
    """
    usual, engines = planner.hierarchy, method.codec.engines
    tiers = len(usual.gains)
    some = _some_of(samples)
    step = code / STEP_UNIT

    def tried(candidate: tuple[Hierarchy, int, float]) -> tuple[float, int]:
        """Squared error and bytes with an order of coding, an engine and a step."""
        order, engine, own_step = candidate
        coder = method.coder(planner.plan_of(order, engine, own_step).bases[0], own_step)
        coded = coder.code(some, SegmentHeader(0), own_step, errors=True)
        return max(coded.error, SMALLEST_ERROR), len(coded.payload)

    chosen, coarser = (usual, planner.engine), step_code(step * COARSER) / STEP_UNIT
    best, worse = method.workers.map(tried, [(*chosen, step), (*chosen, coarser)])
    # Octaves of squared error for a byte, along the curve of one order.
    slope = (log2_of(worse[0]) - log2_of(best[0])) / max(best[1] - worse[1], 1)
    if slope <= 0.0:
        return
    least = log2_of(best[0]) + slope * best[1]

    def take(candidates: list[tuple[Hierarchy, int]]) -> int | None:
        """Take the best of some, which is worth its number, if it is better than what was best before."""
        nonlocal chosen, least
        taken = None
        found = method.workers.map(tried, [(*one, step) for one in candidates])
        for number, (error, size) in enumerate(found):
            cost = log2_of(error) + slope * size
            if cost < least:
                chosen, least, taken = candidates[number], cost, number
        return taken

    # One thing after the other: where the order begins, how many tiers it has, how its steps grow. Threads
    # share what is tried of each.
    engine, quarters = planner.engine, QUARTERS
    if tiers:
        first = take([(hierarchy_of(tiers, quarters=other), engine) for other in OTHER_QUARTERS])
        quarters = QUARTERS if first is None else OTHER_QUARTERS[first]
    counts = [count for count in (tiers - 1, tiers + 1) if 0 < count <= MOST_SPAN]
    take([(hierarchy_of(count, quarters=quarters), engine) for count in counts])
    if tiers:
        count = len(chosen[0].gains)
        take([(hierarchy_of(count, gain, quarters), engine) for gain in OTHER_GAINS])
    # Then which transform.
    take([(chosen[0], other) for other in range(1, engines)])
    planner.hierarchy, planner.engine = chosen


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
        parts.append(block[:, :, column : column + SAMPLES])
    return _counted(np.concatenate(parts, axis=2))


def _counted(counts: NDArray[Any]) -> StripSamples:
    """Counts as a strip in which all samples are present."""
    return StripSamples(counts, Uncounted(None, None, (counts.shape[0], counts.shape[1], counts.shape[2])))
