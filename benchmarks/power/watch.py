"""A thread that reads sensors while something runs."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from pathlib import Path
from types import TracebackType

from .sensor import Sensor, SensorError
from .thermal import temperatures

REST = 0.5
"""Seconds between two readings of temperatures alone."""


class Watch:
    """Energy and temperature of the body of a ``with`` statement.

    Parameters
    ----------
    sensor : Sensor or None
        Where energy is read; None if it is not.
    root : Path
        Of the file system, for the temperatures.
    interval : float, optional
        Seconds between two readings; that of the sensor by default.

    Attributes
    ----------
    seconds : float
        How long the body took.
    joules : float or None
        What it took: a power is integrated between readings by the trapezoidal rule.
    hottest : float or None
        Highest temperature of any zone, in degrees Celsius.
    """

    def __init__(self, sensor: Sensor | None, root: Path = Path("/"), interval: float | None = None) -> None:
        self._sensor = sensor
        self._root = root
        self._interval = interval or (REST if sensor is None else sensor.interval)
        self._done = threading.Event()
        self._error: SensorError | None = None
        self._readings: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._read_often, daemon=True)
        self._started = 0.0
        self.seconds = 0.0
        self.joules: float | None = None
        self.hottest: float | None = None

    def __enter__(self) -> Watch:
        self._read()
        self._started = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        ended = time.perf_counter()
        self._done.set()
        self._thread.join()
        if kind is not None:
            return
        self._read()
        self.seconds = ended - self._started
        if self._error is not None:
            raise self._error
        if self._sensor is not None:
            self.joules = energy(self._readings, counts=self._sensor.counts, seconds=self.seconds)

    def _read_often(self) -> None:
        while not self._done.wait(self._interval):
            self._read()

    def _read(self) -> None:
        if self._sensor is not None and self._error is None:
            before = time.perf_counter()
            try:
                value = self._sensor.value()
            except SensorError as error:
                self._error = error
            else:
                # A command takes a while to answer: what it says belongs to the middle of it.
                self._readings.append(((before + time.perf_counter()) / 2, value))
        hot = max(temperatures(self._root).values(), default=None)
        if hot is not None:
            self.hottest = hot if self.hottest is None else max(self.hottest, hot)


def energy(readings: list[tuple[float, float]], *, counts: bool, seconds: float) -> float:
    """Energy that readings tell.

    Parameters
    ----------
    readings : list of tuple of float
        Times in seconds, rising, and watts, or joules counted since some moment. At least two.
    counts : bool
        Whether they are joules.
    seconds : float
        Of what is measured; the first and the last reading lie a little outside, and their mean power
        is taken for it.

    Returns
    -------
    float
        Joules.
    """
    span = max(readings[-1][0] - readings[0][0], 1e-9)
    if counts:
        total = readings[-1][1] - readings[0][1]
    else:
        total = sum(
            (later - earlier) * (first + second) / 2
            for (earlier, first), (later, second) in pairwise(readings)
        )
    return total * seconds / span
