"""Temperatures and throttling, as far as a board tells."""

from __future__ import annotations

import re
from pathlib import Path

from .pmic import vcgencmd
from .sensor import SensorError
from .sysfs import numbered, read_int, read_text

THROTTLED = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
"""Bits of ``vcgencmd get_throttled``: now; 16 further up, since the board was started."""

_COLDEST = -200.0
"""A zone that is switched off shows less, if anything."""

_COOLING = re.compile(r"cpufreq|devfreq|processor|throttle|cpu-", re.IGNORECASE)


def temperatures(root: Path = Path("/")) -> dict[str, float]:
    """Temperatures of the thermal zones.

    Parameters
    ----------
    root : Path
        Of the file system.

    Returns
    -------
    dict of str to float
        Degrees Celsius by type of the zone. Zones that are switched off are absent.
    """
    found: dict[str, float] = {}
    for zone in numbered(root / "sys/class/thermal", "thermal_zone*"):
        value = read_int(zone / "temp")
        if value is not None and value / 1000 > _COLDEST:
            name = read_text(zone / "type") or zone.name
            found[name if name not in found else f"{name} ({zone.name})"] = value / 1000
    return found


class Throttling:
    """What has slowed the board down since this was made.

    Parameters
    ----------
    root : Path
        Of the file system.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._before = self._events()
        self._seen: dict[str, None] = {}

    @property
    def known(self) -> bool:
        """Whether this board tells anything about it."""
        return bool(self._before or self._states())

    def look(self) -> None:
        """Take what slows the board down at this moment: it is over when a load is."""
        self._seen.update(dict.fromkeys(name for name, state in self._states().items() if state))

    def found(self) -> list[str]:
        """Names of what has happened since, or was seen; none if nothing has, or nothing is known."""
        self.look()
        events = self._events()
        return [name for name, count in events.items() if count > self._before.get(name, 0)] + list(
            self._seen
        )

    def _firmware(self) -> int | None:
        """Bits of a Raspberry Pi; None on other boards."""
        command = self._root / "usr/bin/vcgencmd"
        if not command.exists():
            return None
        try:
            match = re.search(r"throttled=0x([0-9a-fA-F]+)", vcgencmd(command, "get_throttled"))
        except SensorError:
            return None
        return int(match[1], 16) if match else None

    def _events(self) -> dict[str, int]:
        """Counts of what has happened, by name."""
        found: dict[str, int] = {}
        for cpu in numbered(self._root / "sys/devices/system/cpu", "cpu[0-9]*"):
            for what in ("core", "package"):
                count = read_int(cpu / f"thermal_throttle/{what}_throttle_count")
                if count is not None:
                    found[f"{cpu.name} {what} throttled"] = count
        for folder in numbered(self._root / "sys/class/hwmon", "hwmon*"):
            # Over-current and under-voltage of a Jetson.
            if read_text(folder / "name") == "soctherm_oc":
                for event in numbered(folder, "oc*_event_cnt"):
                    found[f"over-current alarm {event.name.partition('_')[0]}"] = read_int(event) or 0
        firmware = self._firmware()
        if firmware is not None:
            for bit, name in THROTTLED.items():
                found[f"{name} for the first time since the start of the board"] = firmware >> (16 + bit) & 1
        return found

    def _states(self) -> dict[str, int]:
        """What is above 0 while something is slowed down, by name."""
        found: dict[str, int] = {}
        for device in numbered(self._root / "sys/class/thermal", "cooling_device*"):
            kind = read_text(device / "type") or ""
            state = read_int(device / "cur_state")
            if state is not None and _COOLING.search(kind):
                found[f"{kind} ({device.name}) slowed down"] = state
        firmware = self._firmware()
        if firmware is not None:
            found.update({name: firmware >> bit & 1 for bit, name in THROTTLED.items()})
        return found
