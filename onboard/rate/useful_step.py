"""The finest useful step of a model: finer ones take more bytes and make larger errors."""

from __future__ import annotations

from collections.abc import Callable

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.common.exact import exp2, log2_of

COARSEST_BPS = 0.02
"""Bits per sample at which the search for the finest useful step of a model begins."""

OCTAVE_RUNGS = 2.0
"""Steps of an octave that this search looks at ..."""

WORSE_RUNGS = 5
"""... of which so many must be worse than the best one before finer ones are given up ..."""

FINE_RUNGS = (0.25, 0.125)
"""... and octaves around the best one at which it looks then."""


def finest_useful(measured: Callable[[int], float], coarsest: float, code: int) -> int:
    """Find the best of all steps from one on upwards, for a model that has a finest one.

    Steps do not depend on the budget, from coarse ones on: so a larger budget never finds a worse one.

    Parameters
    ----------
    measured : callable
        Squared error at the code of a step, on some lines.
    coarsest : float
        Step to begin with, in counts.
    code : int
        Of the step from which on upwards it is looked for.

    Returns
    -------
    int
        Its code; `code` itself where finer steps are better up to there.
    """
    trials: dict[int, float] = {}

    def error(one: int) -> float:
        if one not in trials:
            trials[one] = measured(one)
        return trials[one]

    rung = round(OCTAVE_RUNGS * log2_of(coarsest * STEP_UNIT))
    found, worse = code, 0
    while worse < WORSE_RUNGS:
        one = round(exp2(rung / OCTAVE_RUNGS))
        if one <= code:
            break
        better = found == code or error(one) < error(found)
        found, worse = (one, 0) if better else (found, worse + 1)
        rung -= 1
    if found == code or (worse < WORSE_RUNGS and error(code) < error(found)):
        return code
    for octaves in FINE_RUNGS:
        for one in (round(found * exp2(octaves)), round(found * exp2(-octaves))):
            if one >= code and error(one) < error(found):
                found = one
    return found
