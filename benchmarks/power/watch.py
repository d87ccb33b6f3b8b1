"""A thread that reads sensors while something runs."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from .conditions import Conditions
from .energy import Energy, Reading, energy
from .sensor import Sensor

REST = 1.0
"""Seconds between two looks at clocks, temperatures and throttling."""


class Watch:
    """Energy and conditions of the body of a ``with`` statement.

    Parameters
    ----------
    sensor : Sensor or None
        Where energy is read; None if it is not.
    conditions : Conditions, optional
        Takes clocks, temperatures and throttling meanwhile.
    interval : float, optional
        Seconds between two readings; that of the sensor by default.

    Attributes
    ----------
    seconds : float
        How long the body took.
    energy : Energy or None
        What it took; None without a sensor.

    Raises
    ------
    SensorError
        Behind the body, if the sensor could not be read meanwhile; before it, if it cannot be read at all.
    """

    def __init__(
        self, sensor: Sensor | None, conditions: Conditions | None = None, interval: float | None = None
    ) -> None:
        self._sensor = sensor
        self._conditions = conditions
        self._interval = interval or (REST if sensor is None else sensor.interval)
        self._done = threading.Event()
        self._error: Exception | None = None
        self._readings: list[Reading] = []
        self._looked = -REST
        self._thread = threading.Thread(target=self._read_often, daemon=True)
        self._started = 0.0
        self.seconds = 0.0
        self.energy: Energy | None = None

    def __enter__(self) -> Watch:
        self._look()
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
        if self._error is None:
            self._read()
        self.seconds = ended - self._started
        if self._error is not None:
            raise self._error
        if self._sensor is not None:
            self.energy = energy(
                self._readings, self._started, ended, counts=self._sensor.counts, update=self._sensor.update
            )

    def _read_often(self) -> None:
        try:
            while not self._done.wait(min(self._interval, REST)):
                now = time.perf_counter()
                if not self._readings or now - self._readings[-1][0] >= 0.9 * self._interval:
                    self._read()
                if now - self._looked >= REST:
                    self._look()
        except Exception as error:  # Told by the thread that waits for this one: it would end unseen.
            self._error = error

    def _read(self) -> None:
        if self._sensor is not None:
            before = time.perf_counter()
            value = self._sensor.value()
            # A command takes a while to answer: what it says belongs to the middle of it.
            self._readings.append(((before + time.perf_counter()) / 2, value))

    def _look(self) -> None:
        self._looked = time.perf_counter()
        if self._conditions is not None:
            self._conditions.look()
