"""Trimming: a scene that nearly fits its budget is made to fit by the weight of a bit, strip by strip.

The weight (see `bandfold.onboard.quantisation.rdoq`) moves a strip along nearly the same curve of rate and
distortion as the step does: 8.6 % of the bytes cost 0.435 dB by the weight and 0.42 dB by the step. So the
last percent of a budget takes a few strips coded again, not the whole scene.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bandfold.onboard.quantisation.rdoq import RATE_WEIGHT

from .step_search import exp2, log2

WEIGHT_SLOPE = -0.6
"""Logarithm of the bytes over the logarithm of the weight."""

MOST_CHANGE = 0.05
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
        Bytes of each strip, coded with `RATE_WEIGHT`.
    accept : tuple of float
        Range of sums that are good.
    aim : float
        Sum to aim at.
    recode : callable
        Codes a strip again, given its index and a weight, and returns its bytes.

    Returns
    -------
    bool
        Whether the sum got there.
    """
    now = list(sizes)
    weights = [RATE_WEIGHT] * len(now)
    # Large strips first: they absorb most for one coding.
    order = sorted(range(len(now)), key=lambda index: (-now[index], index))
    for _ in range(MOST_ROUNDS):
        for index in order:
            if accept[0] <= sum(now) <= accept[1]:
                return True
            wanted = 1.0 + (aim - sum(now)) / now[index]
            wanted = min(max(wanted, 1.0 - MOST_CHANGE), 1.0 + MOST_CHANGE)
            weights[index] *= exp2(log2(wanted) / WEIGHT_SLOPE)
            now[index] = recode(index, weights[index])
    return accept[0] <= sum(now) <= accept[1]
