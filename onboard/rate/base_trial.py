"""Which base a refinement is best added to: steps are tried on some lines, all bytes counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bandfold.bitstream.container.header import STEP_UNIT, Header
from bandfold.common.scene import SceneInfo
from bandfold.onboard.coding.scene_coder import SceneCoder, segment_bytes
from bandfold.onboard.coding.strip_coder import CodedStrip
from bandfold.onboard.planning.plan import Planner
from bandfold.onboard.refinement.strip_refiner import StripRefiner
from bandfold.onboard.target import LARGEST_STEP, SMALLEST_STEP, step_code

PIXELS_TRIED = 1 << 13
"""Pixels of a scene that are coded and refined at each step, about; more where `LEAST_ROWS` have more."""

LEAST_ROWS = 2
"""Rows of blocks, or of what a method keeps together, that stand for a scene at least."""

FACTOR = 2
"""Between one step that is tried and the next: bytes change slowly around the best one."""

FINE_FACTOR = math.sqrt(2.0)
"""Between the best of these steps and two more that are tried where errors are allowed."""

MOST_STEPS = 8
"""Steps that are tried at most."""


@dataclass(frozen=True)
class Base:
    """A base that was found.

    Parameters
    ----------
    planner : Planner
        Which plans it.
    code : int
        Of its step, in units of ``1 / STEP_UNIT`` of a count.
    size : float
        Bytes that the scene would take, about: base and refinement.
    """

    planner: Planner
    code: int
    size: float


def choose_base(
    coder: SceneCoder, planners: Sequence[Planner], refiner: StripRefiner, first: Callable[[Planner], int]
) -> Base:
    """Find the planner and the step with which base and refinement take the fewest bytes.

    Parameters
    ----------
    coder : SceneCoder
        Of the scene.
    planners : sequence of Planner
        The ways to plan the scene that are worth a try, at least one.
    refiner : StripRefiner
        Which knows the limits.
    first : callable
        Gives for a planner the code of the step to begin with.

    Returns
    -------
    Base
    """
    # Where nothing may be lost all steps around the best one take the same, within 0.1 %.
    fine = any(refiner.limits) or refiner.share > 0
    found = [descend(_size_of(coder, planner, refiner), first(planner), fine=fine) for planner in planners]
    bases = [Base(planner, *one) for planner, one in zip(planners, found, strict=True)]
    return min(bases, key=lambda one: one.size)


def descend(size: Callable[[int], float], first: int, *, fine: bool = False) -> tuple[int, float]:
    """Go from one step to coarser or finer ones for as long as that takes fewer bytes.

    Parameters
    ----------
    size : callable
        Bytes at the code of a step.
    first : int
        Code of the step to begin with.
    fine : bool
        Whether steps half an octave around the best one are tried too.

    Returns
    -------
    code : int
        Of the best step that was tried.
    size : float
        Its bytes.
    """
    tried = {first: size(first)}
    ends = step_code(SMALLEST_STEP), step_code(LARGEST_STEP)
    for coarser in (True, False):
        best = min(tried, key=lambda one: tried[one])
        if not coarser and best != first:
            break
        code = first
        while code == min(tried, key=lambda one: tried[one]) and len(tried) < MOST_STEPS:
            code = code * FACTOR if coarser else code // FACTOR
            if not ends[0] <= code <= ends[1]:
                break
            tried[code] = size(code)
    best = min(tried, key=lambda one: tried[one])
    if fine:
        for one in (round(best * FINE_FACTOR), round(best / FINE_FACTOR)):
            if ends[0] <= one <= ends[1]:
                tried[one] = size(one)
        best = min(tried, key=lambda one: tried[one])
    return best, tried[best]


def _size_of(coder: SceneCoder, planner: Planner, refiner: StripRefiner) -> Callable[[int], float]:
    pixels = max(PIXELS_TRIED, LEAST_ROWS * coder.method.lines_together * coder.samples.info.samples)

    def size(code: int) -> float:
        coder.progress("plan", 0.0)
        plan = planner.plan(code / STEP_UNIT, rotate=False)
        strips = coder.some_strips(plan, pixels, once=True)
        header = coder.header(plan, code)

        def one(index: int) -> int:
            part = strips.part(index)
            about = _of_part(header, part.samples.info, part.height)
            basis = next(basis for basis in plan.bases if basis.number == part.place.fold)

            def refined(coded: CodedStrip) -> CodedStrip:
                payload = bytes(coded.payload)
                made = refiner.section(payload, about, basis, part.samples, part.lines, coded.segment)
                return replace(coded, refinement=made)

            coded = strips.code(index, code / STEP_UNIT, errors=False, then=refined)
            return segment_bytes(coded.payload) + len(coded.refinement)

        total = sum(coder.method.workers.map(one, range(len(strips))))
        return total * coder.samples.pixels / strips.pixels + len(coder.side_sections(plan))

    return size


def _of_part(header: Header, info: SceneInfo, height: int) -> Header:
    """Header of the lines that stand for a scene, as if they were one."""
    return replace(header, info=replace(header.info, lines=info.lines), strip_lines=height)
