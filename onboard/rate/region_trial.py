"""Whether several folds really cost less than one: both are tried on the same lines.

What a sample says of folds (`bandfold.onboard.planning.region_planner`) leaves rotations and contexts out,
which adapt to the land too: on some scenes they make up for the one fold, on others they do not.
"""

from __future__ import annotations

from dataclasses import replace

from bandfold.onboard.coding.scene_coder import SceneCoder, pixels_tried
from bandfold.onboard.coding.scene_strips import SceneStrips
from bandfold.onboard.planning.plan import Plan
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER

MARGIN = 0.987
"""Several folds must cost so little of what one does: a fold of few blocks leaves out more than it knows."""


def several_cost_less(coder: SceneCoder, several: Plan, one: Plan) -> bool:
    """Code some lines of a scene under several folds and under one.

    Parameters
    ----------
    coder : SceneCoder
        Of the scene.
    several : Plan
        Of several folds.
    one : Plan
        Of one fold, for the same step.

    Returns
    -------
    bool
    """
    # As many bases as the others are, all the same: so the same lines are taken.
    alike = tuple(replace(one.bases[0], number=basis.number) for basis in several.bases)
    same = replace(one, bases=alike, regions=several.regions)
    costs = []
    for plan, told in ((several, several.bases), (same, one.bases)):
        side = len(coder.basis_sections(told))
        strips = coder.some_strips(plan, pixels_tried(one))
        whole = _cost(coder, strips) * coder.samples.pixels / strips.pixels
        costs.append(whole + LAGRANGE_MULTIPLIER * 8 * side)
    return costs[0] < MARGIN * costs[1]


def _cost(coder: SceneCoder, strips: SceneStrips) -> float:
    """Squared error of the lines in steps squared, and what their bits are worth."""
    plan = strips.plan
    coded = list(
        coder.method.workers.map(lambda index: strips.code(index, plan.step, errors=True), range(len(strips)))
    )
    error = sum(strip.error for strip in coded) + plan.left_out * strips.pixels * strips.bands
    return error / (plan.step * plan.step) + LAGRANGE_MULTIPLIER * 8 * sum(
        len(strip.payload) for strip in coded
    )
