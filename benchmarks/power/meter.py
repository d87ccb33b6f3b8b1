"""An external power meter: a program that prints watts.

Either it runs on and prints a line for each reading (`RunningMeter`), or it is started for each reading,
prints one and ends (`CalledMeter`). A line is a number of watts, with or without ``W`` behind it; empty lines
and those that begin with ``#`` say nothing.
"""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import signal
import subprocess
import threading
import time
from collections import deque

from .sensor import SensorError

PATIENCE = 10.0
"""Seconds after which a meter that says nothing is taken for dead, unless its readings are further apart."""

_TAIL = 5
"""Lines of stderr that an error message cites."""


def parse_watts(line: str) -> float | None:
    """Read a line of a meter.

    Parameters
    ----------
    line : str
        As ``5.31`` or ``5.31 W``.

    Returns
    -------
    float or None
        Watts; None if the line says nothing.

    Raises
    ------
    SensorError
        If it is something else, or no finite number.
    """
    text = line.strip()
    if not text or text.startswith("#"):
        return None
    try:
        watts = float(text.removesuffix("W"))
    except ValueError:
        watts = math.nan
    if not math.isfinite(watts):
        raise SensorError(f"the meter prints {text[:60]!r}: a line must be a number of watts, like 5.31")
    return watts


def split_command(command: str) -> list[str]:
    """Split a command line as a shell does, without one.

    Parameters
    ----------
    command : str
        A program and its arguments.

    Returns
    -------
    list of str
        At least one.

    Raises
    ------
    SensorError
        If quotes are open, or nothing is there.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise SensorError(f"the meter {command!r} is no command: {error}") from error
    if not words:
        raise SensorError("the meter is an empty command: name a program that prints watts")
    return words


class RunningMeter:
    """A program that goes on and prints a line for each reading.

    Parameters
    ----------
    command : str
        A program and its arguments.
    patience : float
        Seconds to wait for a line.

    Raises
    ------
    SensorError
        If it cannot be started, or prints nothing for so long.
    """

    counts = False
    interval = 0.1
    rails = ("what the meter measures",)

    def __init__(self, command: str, patience: float = PATIENCE) -> None:
        self.name = f"meter {command!r}"
        self._patience = patience
        self._changed = threading.Condition()
        self._times: deque[float] = deque(maxlen=32)
        self._watts: float | None = None
        self._error: SensorError | None = None
        self._said: deque[str] = deque(maxlen=_TAIL)
        try:
            self._process = subprocess.Popen(
                split_command(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                # So that what it has started itself ends with it.
                start_new_session=True,
            )
        except OSError as error:
            raise SensorError(f"{self.name} cannot be started: {error.strerror or error}") from error
        self._errors = threading.Thread(target=self._read_errors, daemon=True)
        self._lines = threading.Thread(target=self._read_lines, daemon=True)
        self._errors.start()
        self._lines.start()

    @property
    def update(self) -> float | None:
        """Seconds between two lines, in the mean of the last ones; None before the second one."""
        with self._changed:
            times = list(self._times)
        return (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else None

    def value(self) -> float:
        """Power that the last line told, in watts; raises `SensorError` once the meter ends or is silent."""
        allowed = max(self._patience, 3 * (self.update or 0.0))
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or self._watts is not None, self._patience)
            if self._error is not None:
                raise self._error
            if self._watts is None:
                raise SensorError(f"{self.name} has printed nothing for {self._patience:g} s")
            silent = time.perf_counter() - self._times[-1]
            if silent > allowed:
                raise SensorError(f"{self.name} has printed nothing for {silent:.1f} s")
            return self._watts

    def close(self) -> None:
        """End the program."""
        for wanted in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, wanted)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
                self._lines.join(1)
                if not self._lines.is_alive():
                    break
        for thread, stream in ((self._lines, self._process.stdout), (self._errors, self._process.stderr)):
            thread.join(1)
            # Closing waits for whoever reads.
            if stream is not None and not thread.is_alive():
                stream.close()

    def _read_lines(self) -> None:
        error: SensorError | None = None
        for line in self._process.stdout or ():
            try:
                watts = parse_watts(line)
            except SensorError as wrong:
                error = wrong
                break
            if watts is not None:
                with self._changed:
                    self._watts = watts
                    self._times.append(time.perf_counter())
                    self._changed.notify_all()
        if error is None:
            self._errors.join(1)
            status = self._process.wait()
            said = f": {' '.join(self._said)}" if self._said else ""
            error = SensorError(
                f"{self.name} has ended with status {status}{said}; one that prints a single reading is "
                "called with --meter-interval"
            )
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def _read_errors(self) -> None:
        for line in self._process.stderr or ():
            self._said.append(line.strip())


class CalledMeter:
    """A program that is started for each reading, prints it and ends.

    Parameters
    ----------
    command : str
        A program and its arguments.
    interval : float
        Seconds between two readings.
    """

    counts = False
    update = None
    rails = RunningMeter.rails

    def __init__(self, command: str, interval: float) -> None:
        self.name = f"meter {command!r}"
        self.interval = interval
        self._words = split_command(command)

    def value(self) -> float:
        """Power that it prints, in watts; raises `SensorError` if it fails or prints none."""
        try:
            done = subprocess.run(
                self._words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SensorError(f"{self.name} cannot be run: {error}") from error
        if done.returncode:
            raise SensorError(
                f"{self.name} fails with status {done.returncode}: {done.stderr.strip()[-200:]}"
            )
        values = [watts for line in done.stdout.splitlines() if (watts := parse_watts(line)) is not None]
        if not values:
            raise SensorError(f"{self.name} prints no reading")
        return values[-1]

    def close(self) -> None:
        """Nothing runs between readings."""
