"""Rate control: the step that meets a budget or a quality, by secants on logarithms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.common import exact

SMALLEST_STEP, LARGEST_STEP = 1.0 / 16, 1 << 20
"""Steps that are used, in counts."""

MOST_EVALUATIONS = 12


def step_code(step: float) -> int:
    """Code of the nearest step that can be written.

    Parameters
    ----------
    step : float
        In counts.

    Returns
    -------
    int
        In units of ``1 / STEP_UNIT``.
    """
    return int(np.clip(round(step * STEP_UNIT), SMALLEST_STEP * STEP_UNIT, LARGEST_STEP * STEP_UNIT))


def log2(value: float) -> float:
    """Base-2 logarithm of one number, the same bits on every machine."""
    return float(exact.log2(np.array([max(value, 1e-300)]))[0])


def exp2(value: float) -> float:
    """Power of two, from multiplications only: good to 1e-9, and the same bits on every machine."""
    whole = round(value)
    t = (value - whole) * 0.6931471805599453
    term, total = 1.0, 1.0
    for order in range(1, 12):
        term = term * t / order
        total += term
    return float(np.ldexp(total, whole))


def aim_between(low: float, high: float) -> float:
    """Where to aim in a range: nearer to the upper end, since what a budget leaves over is lost."""
    return low + 0.6 * (high - low)


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
    low, high = log2(accept[0]), log2(accept[1])
    aim = aim_between(low, high)
    seen: dict[int, float] = {}
    code = start
    while len(seen) < evaluations and code not in seen:
        seen[code] = log2(measure(code))
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
        place = exp2(log2(first) + share * (log2(last) - log2(first)))
        return min(max(round(place), first + 1), last - 1)
    ordered = sorted(seen, reverse=bool(small))
    nearest = ordered[0]
    if len(ordered) > 1 and seen[nearest] != seen[ordered[1]]:
        measured = (seen[nearest] - seen[ordered[1]]) / (log2(nearest) - log2(ordered[1]))
        slope *= min(max(measured / slope, 0.3), 3.0)
    move = (aim - seen[nearest]) / slope
    # The slope is a guess: do not leap further than a factor of eight.
    place = exp2(log2(nearest) + min(max(move, -3.0), 3.0))
    code = max(round(place), nearest + 1) if small else min(round(place), nearest - 1)
    return step_code(code / STEP_UNIT)
