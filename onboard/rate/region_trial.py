"""Whether several folds really cost less than one: both are tried on the same lines.

What a sample says of folds (`bandfold.onboard.planning.region_planner`) leaves rotations and contexts out,
which adapt to the land too: on some scenes they make up for the one fold, on others they do not.
"""

from __future__ import annotations

from dataclasses import replace

from bandfold.bitstream.contexts.tables import Tables
from bandfold.common.scene import SceneSource
from bandfold.onboard.coding.methods import Method, Pipeline
from bandfold.onboard.coding.strip_coder import Plan
from bandfold.onboard.planning.plan_sections import plan_sections
from bandfold.onboard.quantisation.rdoq import RATE_WEIGHT

PIXELS_TRIED = 1 << 16
"""Pixels on which folds are tried, about."""

MARGIN = 0.987
"""Several folds must cost so little of what one does: a fold of few blocks leaves out more than it knows."""


def several_cost_less(
    source: SceneSource, original: SceneSource, several: Plan, one: Plan, method: Method, tables: Tables
) -> bool:
    """Code some lines of a scene under several folds and under one.

    Parameters
    ----------
    source : SceneSource
        Integer samples, absent ones already filled.
    original : SceneSource
        The scene as given.
    several : Plan
        Of several folds.
    one : Plan
        Of one fold, for the same step.
    method : Method
    tables : Tables

    Returns
    -------
    bool
    """
    # As many folds as the others are, all the same: so the same lines are taken.
    others = tuple(replace(one, number=plan.number) for plan in several.others)
    same = replace(one, others=others, zones=several.zones)
    costs = []
    for plan, told in ((several, several.all), (same, (one,))):
        side = len(plan_sections(told, tables))
        pipeline = method.pipeline(source, original, plan, PIXELS_TRIED)
        count = source.info.lines * source.info.samples
        costs.append(_cost(pipeline, plan, method) * count / pipeline.pixels + RATE_WEIGHT * 8 * side)
    return costs[0] < MARGIN * costs[1]


def _cost(pipeline: Pipeline, plan: Plan, method: Method) -> float:
    """Squared error of the lines of a pipeline in steps squared, and what their bits are worth."""
    coded = list(
        method.workers.map(lambda index: pipeline.code(index, plan.step, errors=True), range(len(pipeline)))
    )
    left_out = plan.dropped * pipeline.pixels * pipeline.bands
    error = sum(strip.error for strip in coded) + left_out
    return error / (plan.step * plan.step) + RATE_WEIGHT * 8 * sum(len(strip.payload) for strip in coded)
