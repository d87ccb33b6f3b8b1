"""Sensors that are made up."""

import time

from bandfold.benchmarks.power.sensor import SensorError


class Steady:
    """A sensor that always reads the same power, or counts it."""

    name, rails, interval, update = "steady", ("all",), 0.05, None

    def __init__(self, watts, counts=False, fails_after=None):
        self.watts, self.counts, self.left = watts, counts, fails_after
        self.start = time.perf_counter()

    def value(self):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise SensorError("gone")
        return self.watts * (time.perf_counter() - self.start) if self.counts else self.watts


class Loaded:
    """A sensor of a board that takes 2 W at rest and 12 W while `busy`, as it was at the last update."""

    name, rails, counts = "loaded", ("all",), False

    def __init__(self, interval=0.01, update=0.0):
        self.interval, self.update, self.busy = interval, update, False
        self._told, self._at = 2.0, -1.0

    def value(self):
        now = time.perf_counter()
        if now - self._at >= self.update:
            self._told, self._at = 12.0 if self.busy else 2.0, now
        return self._told

    def work(self, seconds=0.05):
        self.busy = True
        time.sleep(seconds)
        self.busy = False
