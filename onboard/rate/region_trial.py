"""Whether several folds really cost less than one: both are tried on the same lines.

What a sample says of folds (`bandfold.onboard.planning.region_planner`) leaves rotations and contexts out,
which adapt to the land too: on some scenes they make up for the one fold, on others they do not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bandfold.onboard.coding.scene_coder import SceneCoder, pixels_tried
from bandfold.onboard.coding.scene_strips import SceneStrips
from bandfold.onboard.planning.plan import Plan
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER


@dataclass(frozen=True)
class RegionTrial:
    """Several folds and one, tried on some lines of a scene.

    Parameters
    ----------
    several_cost_less : bool
        Whether several are better.
    size : float
        Bytes of the scene with what is better, about, but its header.
    """

    several_cost_less: bool
    size: float


def try_regions(coder: SceneCoder, several: Plan, one: Plan) -> RegionTrial:
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
    RegionTrial
    """
    # As many bases as the others are, all the same: so the same lines are taken.
    alike = tuple(replace(one.bases[0], number=basis.number) for basis in several.bases)
    same = replace(one, bases=alike, regions=several.regions)
    costs, sizes = [], []
    for plan, told in ((several, several.bases), (same, one.bases)):
        strips = coder.some_strips(plan, pixels_tried(one))
        error, size = _measure(coder, strips)
        share = strips.pixels / coder.samples.pixels
        sizes.append(size / share + len(coder.basis_sections(told)))
        costs.append(error / share + LAGRANGE_MULTIPLIER * 8 * sizes[-1])
    return RegionTrial(costs[0] < costs[1], sizes[0] if costs[0] < costs[1] else sizes[1])


def _measure(coder: SceneCoder, strips: SceneStrips) -> tuple[float, int]:
    """Squared error of the lines in steps squared, and their bytes."""
    plan = strips.plan
    coded = list(
        coder.method.workers.map(lambda index: strips.code(index, plan.step, errors=True), range(len(strips)))
    )
    error = sum(strip.error for strip in coded) + plan.left_out * strips.pixels * strips.bands
    return error / (plan.step * plan.step), sum(len(strip.payload) for strip in coded)
