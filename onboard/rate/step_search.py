"""The search for the step that meets a budget or a quality: the secant method on logarithms."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.common.exact import exp2, log2_of
from bandfold.onboard.target import step_code

LEAST_SHARE = 0.3
"""A slope is not believed to be gentler than this share of what is expected."""

MOST_EVALUATIONS = 12
"""Steps that are measured at most in one search."""


def aim_between(low: float, high: float) -> float:
    """Where to aim in a range: nearer to the upper end, since what a budget leaves over is lost."""
    return low + 0.6 * (high - low)


def moved_step(code: int, distance: float, slope: float) -> int:
    """Move a step so that a measure of it grows by so many octaves, if it goes by a slope.

    Parameters
    ----------
    code : int
        Code of the step.
    distance : float
        Binary logarithm of the factor by which the measure should grow.
    slope : float
        Logarithm of the measure over that of the step.

    Returns
    -------
    int
        Code of a step, an octave away at most.
    """
    return step_code(code / STEP_UNIT * exp2(min(max(distance / slope, -1.0), 1.0)))


def slope_between(measures: Mapping[int, float], expected: float, believed: tuple[float, float]) -> float:
    """Slope of a measure over the step, in logarithms, between the last two that were measured.

    Parameters
    ----------
    measures : mapping of int to float
        Of the codes of steps, in the order in which they were taken.
    expected : float
        Slope that is expected, and taken where fewer than two are measured.
    believed : tuple of float
        Least and largest parts of it that are believed.

    Returns
    -------
    float
    """
    last = list(measures.items())[-2:]
    if len(last) < 2:
        return expected
    (first_code, first), (code, measure) = last
    found = (log2_of(measure) - log2_of(first)) / (log2_of(code) - log2_of(first_code))
    return min(max(found / expected, believed[0]), believed[1]) * expected


def find_step(
    measure: Callable[[int], float],
    accept: tuple[float, float],
    start: int,
    *,
    slope: float,
    evaluations: int = MOST_EVALUATIONS,
) -> int:
    """Find a step whose measure falls into a range.

    Parameters
    ----------
    measure : callable
        From the code of a step to a positive number that is monotone in the step, up to small ripples.
    accept : tuple of float
        Range of values that are good; the search aims above its middle.
    start : int
        Code to begin with.
    slope : float
        Expected slope in logarithms; its sign tells whether the measure rises with the step.
    evaluations : int
        Measures at most.

    Returns
    -------
    int
        The accepted code or, if none was met, the best one below the upper end; the nearest to the range
        if all measured values exceed it.
    """
    low, high = log2_of(accept[0]), log2_of(accept[1])
    aim = aim_between(low, high)
    seen: dict[int, float] = {}
    code = start
    while len(seen) < evaluations and code not in seen:
        seen[code] = log2_of(measure(code))
        if low <= seen[code] <= high:
            return code
        code = _next_code(seen, aim, slope)
    below = [item for item in seen.items() if item[1] <= high]
    if below:
        return max(below, key=lambda item: (item[1], -item[0]))[0]
    return min(seen.items(), key=lambda item: (item[1], item[0]))[0]


def _next_code(seen: dict[int, float], aim: float, slope: float) -> int:
    """Interpolate between the measures next to the aim, or extend from the nearest one."""
    sign = -1.0 if slope < 0 else 1.0
    small = [code for code, value in seen.items() if sign * (value - aim) < 0]
    large = [code for code, value in seen.items() if sign * (value - aim) >= 0]
    if small and large:
        first, last = max(small), min(large)
        if last - first <= 1:
            return first if first not in seen else last
        share = (aim - seen[first]) / (seen[last] - seen[first]) if seen[last] != seen[first] else 0.5
        # Away from the ends, so that a curved measure cannot stall the search.
        share = min(max(share, 0.05), 0.95)
        place = exp2(log2_of(first) + share * (log2_of(last) - log2_of(first)))
        return min(max(round(place), first + 1), last - 1)
    ordered = sorted(seen, reverse=bool(small))
    nearest, least = ordered[0], 0.0
    if len(ordered) > 1:
        gap = log2_of(nearest) - log2_of(ordered[1])
        share = (seen[nearest] - seen[ordered[1]]) / gap / slope
        # Where the measure hardly moves, as sizes of next to nothing do, steps go twice as far each time.
        least = 2 * abs(gap) if share < LEAST_SHARE else 0.0
        slope *= min(max(share, LEAST_SHARE), 3.0)
    move = (aim - seen[nearest]) / slope
    move = max(abs(move), least) * (1.0 if move > 0 else -1.0)
    # The slope is a guess: do not leap further than a factor of eight.
    place = exp2(log2_of(nearest) + min(max(move, -3.0), 3.0))
    code = max(round(place), nearest + 1) if small else min(round(place), nearest - 1)
    return step_code(code / STEP_UNIT)
