"""Work that is repeated until a sensor has seen enough of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from bandfold.benchmarks.power.conditions import Conditions
from bandfold.benchmarks.power.energy import Energy
from bandfold.benchmarks.power.sensor import Sensor
from bandfold.benchmarks.power.watch import Watch

SETTLE = 1.0
"""Seconds after a load that do not count as rest: clocks fall, and what averages still holds the load."""


@dataclass(frozen=True)
class Load:
    """The same work, done again and again.

    Attributes
    ----------
    executions : list of float
        Seconds of each.
    seconds : float
        Of all of them together.
    cpu_seconds : float
        Processor time of all threads of this process meanwhile.
    energy : Energy or None
        Of the whole board, or what its sensor covers; None without a sensor.
    """

    executions: list[float]
    seconds: float
    cpu_seconds: float
    energy: Energy | None


@dataclass(frozen=True)
class Rest:
    """The board while nothing runs.

    Attributes
    ----------
    seconds : float
        How long it was watched.
    watts : float or None
        Without a sensor None.
    busy : float
        Percent of all processors that something used all the same.
    """

    seconds: float
    watts: float | None
    busy: float


def apply_load(
    work: Callable[[], object], least: float, sensor: Sensor | None, conditions: Conditions | None = None
) -> Load:
    """Do work at least once, and again until a time has passed.

    Parameters
    ----------
    work : callable
        Does it once.
    least : float
        Seconds that all executions together last at least.
    sensor : Sensor or None
        Where energy is read; None if it is not.
    conditions : Conditions, optional
        Takes clocks, temperatures and throttling meanwhile.

    Returns
    -------
    Load

    Raises
    ------
    SensorError
        If the sensor cannot be read.
    """
    executions: list[float] = []
    with Watch(sensor, conditions) as watch:
        before = time.process_time()
        started = last = time.perf_counter()
        while not executions or last - started < least:
            work()
            now = time.perf_counter()
            executions.append(now - last)
            last = now
        processor = time.process_time() - before
    return Load(executions, watch.seconds, processor, watch.energy)


def rest(sensor: Sensor | None, seconds: float) -> Rest:
    """Measure the board while this process waits.

    Parameters
    ----------
    sensor : Sensor or None
        Where energy is read; None if it is not.
    seconds : float
        How long to wait, after `SETTLE` seconds, or as many again if that is less.

    Returns
    -------
    Rest

    Raises
    ------
    SensorError
        If the sensor cannot be read.
    """
    import psutil

    time.sleep(min(SETTLE, seconds))
    with Watch(sensor) as watch:
        busy = float(psutil.cpu_percent(interval=seconds))
    return Rest(watch.seconds, None if watch.energy is None else watch.energy.joules / watch.seconds, busy)
