"""Means with confidence intervals, and percentiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bandfold.benchmarks.measures.confidence import half_width

PERCENTILES = {"p50": 50, "p95": 95, "p99": 99, "worst": 100}
"""What is told of a latency, in percent of all values that lie below."""


def estimate(values: Sequence[float]) -> dict[str, float | None] | None:
    """Summarise a figure over repetitions.

    Parameters
    ----------
    values : sequence of float
        One for each repetition; may be empty.

    Returns
    -------
    dict or None
        ``mean``, ``ci95``: half of the 95 % confidence interval of the mean by Student's t (None of one
        value), ``median``, ``min`` and ``max``. None of no values.
    """
    if not values:
        return None
    return {
        "mean": float(np.mean(values)),
        "ci95": half_width(values),
        "median": float(np.median(values)),
        "min": min(values),
        "max": max(values),
    }


def percentiles(seconds: Sequence[float]) -> dict[str, float | int | None]:
    """Summarise latencies.

    Parameters
    ----------
    seconds : sequence of float
        Each latency; may be empty.

    Returns
    -------
    dict
        ``p50``, ``p95``, ``p99`` and ``worst`` in milliseconds, None of no values, and ``count``.
        Percentiles lie between two values where none is at their place (linear interpolation).
    """
    told: dict[str, float | int | None] = dict.fromkeys(PERCENTILES)
    if seconds:
        values = np.percentile(np.asarray(seconds) * 1e3, list(PERCENTILES.values()))
        told = {name: float(value) for name, value in zip(PERCENTILES, values, strict=True)}
    return {**told, "count": len(seconds)}
