"""Confidence intervals of means, by Student's t distribution."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

LEVEL = 0.95
"""Probability with which an interval holds the mean."""


def half_width(values: Sequence[float], level: float = LEVEL) -> float | None:
    """Half of the confidence interval of a mean.

    Of n independent values with standard deviation s (n - 1 in its denominator) it is ``t s / sqrt(n)``, with
    the two-sided quantile t of Student's distribution with n - 1 degrees of freedom.

    Parameters
    ----------
    values : sequence of float
        One for each repetition.
    level : float
        Between 0 and 1.

    Returns
    -------
    float or None
        In the unit of the values; None of fewer than two.
    """
    if len(values) < 2:
        return None
    quantile = student_quantile(len(values) - 1, level)
    return quantile * statistics.stdev(values) / math.sqrt(len(values))


def student_quantile(freedom: int, level: float = LEVEL) -> float:
    """Two-sided quantile of Student's t distribution.

    Parameters
    ----------
    freedom : int
        Degrees of freedom, at least 1.
    level : float
        Probability that the magnitude of t is below the quantile; between 0 and 1.

    Returns
    -------
    float
        Found by bisection of `student_probability`.
    """
    low, high = 0.0, 1.0
    while student_probability(high, freedom) < level:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        if student_probability(middle, freedom) < level:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def student_probability(quantile: float, freedom: int) -> float:
    """Probability that the magnitude of t is below a quantile.

    Parameters
    ----------
    quantile : float
        At least 0.
    freedom : int
        Degrees of freedom, at least 1.

    Returns
    -------
    float
        The finite sums of Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = math.atan(quantile / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = 0.0
    for power in range(odd + 1, freedom, 2):
        total += term
        term *= cosine * cosine * power / (power + 1)
    # 26.7.3, where the angle stands beside the sum, or 26.7.4.
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
