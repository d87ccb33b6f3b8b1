"""A scene that nearly fits its budget is made to fit by the Lagrange multiplier, strip by strip.

The multiplier (see `bandfold.onboard.quantisation.rdoq`) moves a strip along nearly the same curve of rate
and distortion as the step does: 8.6 % of the bytes cost 0.435 dB by the multiplier and 0.42 dB by the step.
So the last percent of a budget takes a few strips coded again, not the whole scene.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bandfold.common.exact import exp2, log2_of
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER

MULTIPLIER_SLOPE = -0.6
"""Logarithm of the bytes over the logarithm of the multiplier."""

LARGEST_TRIM = 0.05
"""Share of a strip's bytes that one trimming takes off or adds: beyond it the step is the better means."""

MOST_ROUNDS = 3
"""Times that a strip is coded again at most."""


def trim(
    sizes: Sequence[int], accept: tuple[float, float], aim: float, recode: Callable[[int, float], int]
) -> bool:
    """Bring the sum of sizes into a range.

    Parameters
    ----------
    sizes : sequence of int
        Bytes of each strip, coded with `LAGRANGE_MULTIPLIER`.
    accept : tuple of float
        Range of sums that are good.
    aim : float
        Sum to aim at.
    recode : callable
        Codes a strip again, given its index and a multiplier in squared steps per bit, and returns its bytes.

    Returns
    -------
    bool
        Whether the sum got there.
    """
    now = list(sizes)
    multipliers = [LAGRANGE_MULTIPLIER] * len(now)
    # Large strips first: they absorb most for one coding.
    order = sorted(range(len(now)), key=lambda index: (-now[index], index))
    for _ in range(MOST_ROUNDS):
        for index in order:
            if accept[0] <= sum(now) <= accept[1]:
                return True
            wanted = 1.0 + (aim - sum(now)) / now[index]
            wanted = min(max(wanted, 1.0 - LARGEST_TRIM), 1.0 + LARGEST_TRIM)
            multipliers[index] *= exp2(log2_of(wanted) / MULTIPLIER_SLOPE)
            now[index] = recode(index, multipliers[index])
    return accept[0] <= sum(now) <= accept[1]
