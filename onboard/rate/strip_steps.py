"""A scene that nearly fits its budget is made to fit by the steps of single strips.

The size of a strip follows its step closely. What strips take beside what was expected of them is known once
some are coded: so the others meet a budget by steps that are a few percent finer or coarser, and no strip is
coded twice. Where that is not enough, single strips are coded again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bandfold.common.exact import log2_of

from .step_search import moved_step

LARGEST_MOVE = 0.1
"""Share of a strip's bytes that its own step takes off or adds, beside that of the header."""

MOST_ROUNDS = 3
"""Times that a strip is coded again at most."""


def trim(
    sizes: Sequence[int],
    codes: Sequence[int],
    accept: tuple[float, float],
    aim: float,
    slope: float,
    recode: Callable[[int, int], int],
) -> bool:
    """Bring the sum of sizes into a range.

    Parameters
    ----------
    sizes : sequence of int
        Bytes of each strip ...
    codes : sequence of int
        ... and the code of its step.
    accept : tuple of float
        Range of sums that are good.
    aim : float
        Sum to aim at.
    slope : float
        Logarithm of the bytes over the logarithm of the step.
    recode : callable
        Codes a strip again, given its index and the code of a step, and returns its bytes.

    Returns
    -------
    bool
        Whether the sum got there.
    """
    now, steps = list(sizes), list(codes)
    # Large strips first: they absorb most for one coding.
    order = sorted(range(len(now)), key=lambda index: (-now[index], index))
    for _ in range(MOST_ROUNDS):
        for index in order:
            if accept[0] <= sum(now) <= accept[1]:
                return True
            wanted = 1.0 + (aim - sum(now)) / now[index]
            wanted = min(max(wanted, 1.0 - LARGEST_MOVE), 1.0 + LARGEST_MOVE)
            steps[index] = moved_step(steps[index], log2_of(wanted), slope)
            now[index] = recode(index, steps[index])
    return accept[0] <= sum(now) <= accept[1]
