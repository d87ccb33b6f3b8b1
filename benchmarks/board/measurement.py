"""Encoding and decoding the same scene again and again, with a watch beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from bandfold.benchmarks.measures.peak_memory import forget_peak, peak_resident
from bandfold.benchmarks.power.conditions import Conditions
from bandfold.benchmarks.power.sensor import Sensor

from .estimates import estimate, percentiles
from .load import Load, apply_load, rest
from .measurement_warnings import warnings_of


@dataclass(frozen=True)
class Plan:
    """How often and how long is measured.

    Parameters
    ----------
    repeat : int
        Loads that count, at least 1; confidence intervals need two.
    seconds : float
        That a load lasts at least: the scene is coded again and again until then.
    warm_up : int
        Encodes before them, not counted.
    rest : float
        Seconds of rest before the first load and after the last one.
    """

    repeat: int = 5
    seconds: float = 5.0
    warm_up: int = 1
    rest: float = 10.0


@dataclass(frozen=True)
class Work:
    """What is measured.

    Parameters
    ----------
    samples : int
        Of the scene.
    encode : callable
        Encodes it once and returns the stream.
    latencies : callable
        Gives the seconds of each strip.
    decode : callable or None
        Decodes a stream; None if that is not measured.
    streamed : bool
        Whether strips are those of a stream, from the last line to the segment, or those of a whole scene.
    engines : callable
        Names of the engines that have run so far.
    """

    samples: int
    encode: Callable[[], bytes]
    latencies: Callable[[], list[float]]
    decode: Callable[[bytes], object] | None = None
    streamed: bool = True
    engines: Callable[[], list[str]] = list


def measure(
    work: Work, plan: Plan, sensor: Sensor | None, conditions: Conditions | None = None
) -> dict[str, Any]:
    """Measure work, with rest before and after.

    Parameters
    ----------
    work : Work
        What to do.
    plan : Plan
        How often and how long.
    sensor : Sensor or None
        Where energy is read; None if it is not.
    conditions : Conditions, optional
        Takes clocks, temperatures and throttling through the loads.

    Returns
    -------
    dict
        Ready for JSON: what `docs/boards.md` lists under "JSON".

    Raises
    ------
    SensorError
        If the sensor cannot be read.
    """
    for _ in range(plan.warm_up):
        stream = work.encode()
        work.latencies()
        if work.decode is not None:
            work.decode(stream)
    rests = [rest(sensor, plan.rest)]
    made: list[bytes] = []
    encoded, strips, peak = [], [], 0

    def encode() -> None:
        made[:] = [work.encode()]

    for _ in range(plan.repeat):
        forget_peak()
        encoded.append(apply_load(encode, plan.seconds, sensor, conditions))
        peak = max(peak, peak_resident())
        strips.append(work.latencies())
    decoded, decode_peak = [], 0
    if work.decode is not None:
        forget_peak()
        decode, stream = work.decode, made[0]
        for _ in range(plan.repeat):
            decoded.append(apply_load(lambda: decode(stream), plan.seconds, sensor, conditions))
        decode_peak = peak_resident()
    rests.append(rest(sensor, plan.rest))
    idle = _mean([one.watts for one in rests])
    found = {
        "engines": work.engines(),
        "stream_bytes": len(made[0]),
        "bits_per_sample": 8 * len(made[0]) / work.samples,
        "streamed": work.streamed,
        "strip_milliseconds": percentiles(list(chain.from_iterable(strips))),
        "idle_watts": idle,
        "idle": [vars(one) for one in rests],
        "encode": summarise(encoded, work.samples, idle, peak),
        "decode": summarise(decoded, work.samples, idle, decode_peak) if decoded else None,
        "sampling": _sampling(encoded + decoded, sensor),
        "conditions": None if conditions is None else conditions.summary(),
    }
    return {**found, "warnings": warnings_of(found)}


def summarise(loads: Sequence[Load], samples: int, idle: float | None, peak: int) -> dict[str, Any]:
    """Summarise loads of the same kind.

    Parameters
    ----------
    loads : sequence of Load
        At least one.
    samples : int
        Of the scene, which each execution coded.
    idle : float or None
        Watts of the board at rest, None without a sensor. It is taken off for ``net`` figures.
    peak : int
        Most bytes of memory, imports included.

    Returns
    -------
    dict
        Estimates over loads, see `bandfold.benchmarks.board.estimates.estimate`, percentiles over executions,
        and every load.
    """
    records = []
    for load in loads:
        done = len(load.executions)
        record: dict[str, Any] = {
            "executions": done,
            "seconds": load.seconds,
            "seconds_each": load.seconds / done,
            "cpu_seconds_each": load.cpu_seconds / done,
            "msamples_per_second": samples * done / load.seconds / 1e6,
        }
        if load.energy is not None and idle is not None:
            watts = load.energy.joules / load.seconds
            net = load.energy.joules - idle * load.seconds
            record |= {
                "joules": load.energy.joules,
                "watts": watts,
                "net_watts": watts - idle,
                "joules_per_sample": load.energy.joules / done / samples,
                "net_joules_per_sample": net / done / samples,
                "readings": load.energy.readings,
            }
        records.append(record)
    over_loads = (
        "msamples_per_second",
        "seconds_each",
        "cpu_seconds_each",
        "watts",
        "net_watts",
        "joules_per_sample",
        "net_joules_per_sample",
    )
    return {
        **{name: estimate([one[name] for one in records if name in one]) for name in over_loads},
        "milliseconds": percentiles(list(chain.from_iterable(load.executions for load in loads))),
        "peak_rss": peak,
        "loads": records,
    }


def _sampling(loads: Sequence[Load], sensor: Sensor | None) -> dict[str, Any] | None:
    """How often the sensor was read, and has new values."""
    energies = [load.energy for load in loads if load.energy is not None]
    if sensor is None or not energies:
        return None
    seconds = sum(load.seconds for load in loads)
    changes = sum(one.changes for one in energies)
    return {
        "counts": sensor.counts,
        "interval_seconds": sensor.interval,
        "update_seconds": sensor.update,
        # A steady value does not change although it is measured anew: an update takes no longer than this.
        "observed_update_seconds": seconds / changes if changes else None,
        "least_readings": min(one.readings for one in energies),
        "shortest_load_seconds": min(load.seconds for load in loads),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
