"""How long an encoder works on each strip."""

from __future__ import annotations

import time
from collections.abc import Callable


class StripClock:
    """Takes the time whenever an encoder says that a strip is coded (its ``progress``).

    The encoder may go over the strips several times, until a rate is met. The last time is the one that makes
    the segments; all before it is the search, which a fixed step does not need.

    Parameters
    ----------
    clock : callable
        Seconds.

    Attributes
    ----------
    seconds : list of float
        Of each strip of the last whole pass, in order.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._last = clock()
        self._pass: list[float] = []
        self.seconds: list[float] = []

    def __call__(self, stage: str, done: float) -> None:
        """Note one step of progress; see `bandfold.onboard.Encoder`."""
        now = self._clock()
        if stage == "code":
            self._pass.append(now - self._last)
            if done >= 1:
                self.seconds, self._pass = self._pass, []
        else:
            self._pass = []
        self._last = now
