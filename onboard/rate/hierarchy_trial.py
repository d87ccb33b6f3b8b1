"""In which order predicted bands are best coded: a few lines of the scene tell, coded in several.

Many levels suit scenes of many bands and little noise, growing steps suit low rates. How both weigh depends
on the scene, and no estimate from its covariances was as good as coding some of it.
"""

from __future__ import annotations

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.transforms.band_order import MOST_SPAN, Hierarchy
from bandfold.common.exact import exp2, log2_of
from bandfold.onboard.coding.scene_coder import SceneCoder
from bandfold.onboard.prediction.predicted_planner import QUARTERS, PredictedPlanner, hierarchy_of
from bandfold.onboard.settings import step_code

PIXELS = 1 << 13
"""Pixels of the lines that are coded, about."""

COARSER = 1.25
"""What the step is multiplied with to find out what a bit is worth."""

OTHER_QUARTERS = (0, 2)
"""Places of the first band that are tried, in quarters of the distance of those that are coded first."""

OTHER_GAINS = (1, 3)
"""Growths of the step that are tried, in eighths of an octave a level."""


def choose_hierarchy(coder: SceneCoder, planner: PredictedPlanner, code: int) -> None:
    """Let a planner take the order of coding that costs least at a step.

    Parameters
    ----------
    coder : SceneCoder
        Of the scene.
    planner : PredictedPlanner
        Whose order is changed.
    code : int
        Of the step, in units of ``1 / STEP_UNIT`` of a count.
    """
    usual = planner.hierarchy
    levels = len(usual.gains)
    if not levels:
        return
    best = error, size = _tried(coder, planner, usual, code)
    coarser = _tried(coder, planner, usual, step_code(code / STEP_UNIT * COARSER))
    # Octaves of squared error for a byte, along the curve of one order.
    slope = (log2_of(coarser[0]) - log2_of(error)) / max(size - coarser[1], 1.0)
    if slope <= 0.0:
        return
    chosen = usual

    def cost(found: tuple[float, float]) -> float:
        return log2_of(found[0]) + slope * found[1]

    def take(order: Hierarchy) -> None:
        nonlocal best, chosen
        found = _tried(coder, planner, order, code)
        if cost(found) < cost(best):
            best, chosen = found, order

    # One thing after the other: where the order begins, how many levels it has, how its steps grow.
    quarters = QUARTERS
    for other_quarters in OTHER_QUARTERS:
        take(hierarchy_of(levels, quarters=other_quarters))
        if chosen == hierarchy_of(levels, quarters=other_quarters):
            quarters = other_quarters
    for count in (levels - 1, levels + 1):
        if 0 < count <= MOST_SPAN:
            take(hierarchy_of(count, quarters=quarters))
    for gain in OTHER_GAINS:
        take(hierarchy_of(len(chosen.gains), gain, quarters))
    planner.hierarchy = chosen


def _tried(coder: SceneCoder, planner: PredictedPlanner, order: Hierarchy, code: int) -> tuple[float, float]:
    """Squared error and bytes of some lines under an order of coding."""
    planner.hierarchy = order
    strips = coder.some_strips(planner.plan(code / STEP_UNIT), PIXELS)
    coded = coder.code_strips(strips, code, errors=True)
    error = sum(strip.error for strip in coded)
    return max(error, exp2(-20.0)), float(sum(len(strip.payload) for strip in coded))
