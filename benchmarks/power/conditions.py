"""Clocks, temperatures and throttling of a board through a measurement."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .pmic import vcgencmd
from .sensor import SensorError
from .sysfs import numbered, read_int, read_text
from .thermal import Throttling, temperatures


class Course:
    """A figure through time.

    Attributes
    ----------
    least, most, total : float
        Of all values.
    count : int
        How many they are.
    """

    def __init__(self) -> None:
        self.least, self.most, self.total, self.count = float("inf"), float("-inf"), 0.0, 0

    def add(self, value: float) -> None:
        """Take a value."""
        self.least, self.most = min(self.least, value), max(self.most, value)
        self.total += value
        self.count += 1

    def summary(self) -> dict[str, float]:
        """Give ``min``, ``mean`` and ``max`` of the values, of which there must be one."""
        return {"min": self.least, "mean": self.total / self.count, "max": self.most}


class Conditions:
    """What is seen of a board whenever `look` is called.

    Parameters
    ----------
    root : Path
        Root of the file system.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._clocks: dict[str, Course] = {}
        self._zones: dict[str, Course] = {}
        self._throttling = Throttling(root)
        self._limits = _limits(root)
        self._lowest = dict(self._limits)

    def look(self) -> None:
        """Take clocks, temperatures and what slows the board down at this moment."""
        for name, megahertz in clocks(self._root).items():
            self._clocks.setdefault(name, Course()).add(megahertz)
        for zone, celsius in temperatures(self._root).items():
            self._zones.setdefault(zone, Course()).add(celsius)
        for core, limit in _limits(self._root).items():
            self._lowest[core] = min(limit, self._lowest.get(core, limit))
        self._throttling.look()

    def summary(self) -> dict[str, Any]:
        """Tell what was seen.

        Returns
        -------
        dict
            ``governors``: list of str, those of all cores; ``megahertz``, ``celsius``: by core and zone a
            dict of ``min``, ``mean`` and ``max``; ``throttled``: what slowed the board down, None if it does
            not tell.
        """
        lowered = sorted(
            {
                (self._limits[core], low)
                for core, low in self._lowest.items()
                if low < self._limits.get(core, low)
            }
        )
        notes = [f"clock limit lowered from {before:g} to {low:g} MHz" for before, low in lowered]
        known = self._throttling.known or bool(self._limits)
        return {
            "governors": governors(self._root),
            "megahertz": {name: course.summary() for name, course in self._clocks.items()},
            "celsius": {zone: course.summary() for zone, course in self._zones.items()},
            "throttled": self._throttling.found() + notes if known else None,
        }


def clocks(root: Path = Path("/")) -> dict[str, float]:
    """Frequencies of the processor now.

    Parameters
    ----------
    root : Path
        Root of the file system.

    Returns
    -------
    dict of str to float
        Megahertz by core, from ``scaling_cur_freq``, or else from ``/proc/cpuinfo``. On a Raspberry Pi also
        ``arm``, which its firmware measures: there the kernel tells what it has asked for, throttled or not.
    """
    found = {}
    for cpu in numbered(root / "sys/devices/system/cpu", "cpu[0-9]*"):
        kilohertz = read_int(cpu / "cpufreq/scaling_cur_freq")
        if kilohertz is not None:
            found[cpu.name] = kilohertz / 1000
    if not found:
        text = read_text(root / "proc/cpuinfo") or ""
        told = re.findall(r"^cpu MHz\s*:\s*([\d.]+)", text, re.MULTILINE)
        found = {f"cpu{number}": float(megahertz) for number, megahertz in enumerate(told)}
    command = root / "usr/bin/vcgencmd"
    if command.exists():
        try:
            measured = re.search(r"frequency\(\d+\)=(\d+)", vcgencmd(command, "measure_clock arm"))
        except SensorError:
            measured = None
        if measured:
            found["arm"] = int(measured[1]) / 1e6
    return found


def governors(root: Path = Path("/")) -> list[str]:
    """Frequency governors of all cores.

    Parameters
    ----------
    root : Path
        Root of the file system.

    Returns
    -------
    list of str
        Each once, sorted; empty if the kernel has none.
    """
    cores = numbered(root / "sys/devices/system/cpu", "cpu[0-9]*")
    return sorted({text for cpu in cores if (text := read_text(cpu / "cpufreq/scaling_governor"))})


def _limits(root: Path) -> dict[str, float]:
    """Highest frequency that each core may have now, in megahertz."""
    cores = numbered(root / "sys/devices/system/cpu", "cpu[0-9]*")
    told = {cpu.name: read_int(cpu / "cpufreq/scaling_max_freq") for cpu in cores}
    return {name: kilohertz / 1000 for name, kilohertz in told.items() if kilohertz is not None}
