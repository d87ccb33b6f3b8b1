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
    usual = planner.hierarchy
    tiers = len(usual.gains)
    some = _some_of(samples)

    def tried(order: Hierarchy, step: float) -> tuple[float, int]:
        """Squared error and bytes under an order of coding."""
        planner.hierarchy = order
        coder = method.coder(planner.plan(step).bases[0], step)
        coded = coder.code(some, SegmentHeader(0), step, errors=True)
        return max(coded.error, SMALLEST_ERROR), len(coded.payload)

    step = code / STEP_UNIT
    best, chosen = tried(usual, step), usual
    coarser = tried(usual, step_code(step * COARSER) / STEP_UNIT)
    # Octaves of squared error for a byte, along the curve of one order.
    slope = (log2_of(coarser[0]) - log2_of(best[0])) / max(best[1] - coarser[1], 1)

    def cost(found: tuple[float, int]) -> float:
        return log2_of(found[0]) + slope * found[1]

    def take(order: Hierarchy) -> bool:
        nonlocal best, chosen
        found = tried(order, step)
        better = cost(found) < cost(best)
        if better:
            best, chosen = found, order
        return better

    # One thing after the other: where the order begins, how many tiers it has, how its steps grow.
    quarters = QUARTERS
    if slope > 0.0:
        for other in OTHER_QUARTERS if tiers else ():
            if take(hierarchy_of(tiers, quarters=other)):
                quarters = other
        for count in (tiers - 1, tiers + 1):
            if 0 < count <= MOST_SPAN:
                take(hierarchy_of(count, quarters=quarters))
        for gain in OTHER_GAINS if tiers else ():
            take(hierarchy_of(len(chosen.gains), gain, quarters))
        # Then which transform.
        for engine in range(1, method.codec.engines):
            before, planner.engine = planner.engine, engine
            if not take(chosen):
                planner.engine = before
    planner.hierarchy = chosen


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
