"""Energy from readings of a sensor, integrated over the times at which they were taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

ENOUGH = 10
"""Values of a sensor of power during a load, below which its energy is told to be uncertain."""

Reading = tuple[float, float]
"""A time in seconds, and watts, or joules counted since some moment."""


@dataclass(frozen=True)
class Energy:
    """Energy of a time during which a sensor was read.

    Attributes
    ----------
    joules : float
        The energy.
    readings : int
        Readings that it comes from.
    changes : int
        How often the value changed from one of them to the next.
    """

    joules: float
    readings: int
    changes: int


def energy(
    readings: Sequence[Reading], start: float, end: float, *, counts: bool, update: float | None = None
) -> Energy:
    """Integrate readings over a time.

    A power is integrated by the trapezoidal rule over what was read during that time, and its mean holds for
    what is left at both ends. Readings before and behind, which tell of other loads, do not count, nor does
    what comes before the first `update`: a sensor that averages still holds the load before. Only where fewer
    than two readings are left, all of them count. The energy of a counter is a difference of two readings.

    Parameters
    ----------
    readings : sequence of tuple of float
        Rising in time, at least one.
    start, end : float
        Of the time, in seconds on the same clock.
    counts : bool
        Whether the values are joules.
    update : float, optional
        Seconds after which the sensor has a new value.

    Returns
    -------
    Energy
    """
    seconds = end - start
    if counts:
        first = max((one for one in readings if one[0] <= start), default=readings[0])
        last = min((one for one in readings if one[0] >= end), default=readings[-1])
        joules = (last[1] - first[1]) * seconds / max(last[0] - first[0], 1e-9)
        inside = [one for one in readings if first[0] <= one[0] <= last[0]]
        return Energy(joules, len(inside), _changes(inside))
    inside = [one for one in readings if start <= one[0] <= end]
    settled = [one for one in inside if one[0] >= start + (update or 0.0)]
    used = next((some for some in (settled, inside) if len(some) > 1), list(readings))
    return Energy(_mean(used) * seconds, len(inside), _changes(used))


def _mean(readings: Sequence[Reading]) -> float:
    span = readings[-1][0] - readings[0][0]
    if span <= 0:
        return sum(value for _, value in readings) / len(readings)
    area = sum(
        (later - earlier) * (first + second) / 2 for (earlier, first), (later, second) in pairwise(readings)
    )
    return area / span


def _changes(readings: Sequence[Reading]) -> int:
    return sum(first != second for (_, first), (_, second) in pairwise(readings))
