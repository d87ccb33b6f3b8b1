"""INA3221 power monitors of NVIDIA Jetson boards, through hwmon.

The Jetson Linux Developer Guide ("Software-Based Power Consumption Modeling") names the files: for each
channel ``in<X>_label`` (the rail), ``in<X>_input`` (millivolts) and ``curr<X>_input`` (milliamperes). The
kernel's "Kernel driver ina3221" adds ``update_interval``: milliseconds that a conversion of all channels
takes, averaging included.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .sensor import SensorError
from .sysfs import numbered, read_int, read_text, update_seconds

INPUTS = ("VDD_IN", "VIN", "POM_5V_IN")
"""Rails that feed the whole module: where there is one, the others are parts of it."""

CHANNELS = (1, 2, 3)
"""Further ``in<X>`` are shunt voltages and their sum."""


@dataclass(frozen=True)
class Channel:
    """A rail.

    Parameters
    ----------
    label : str
        Name of the rail.
    folder : Path
        The monitor's folder in hwmon.
    number : int
        Of the channel, 1 to 3.
    """

    label: str
    folder: Path
    number: int

    def watts(self) -> float:
        """Power of the rail; raises `SensorError` if it cannot be read."""
        volts, amperes = (read_int(self.folder / f"{kind}{self.number}_input") for kind in ("in", "curr"))
        if volts is None or amperes is None:
            raise SensorError(f"rail {self.label} of the INA3221 in {self.folder} cannot be read")
        return volts * amperes * 1e-6


class Ina3221:
    """The monitors of a board.

    Parameters
    ----------
    channels : list of Channel
        Rails that are added up.
    """

    name = "INA3221"
    counts = False
    interval = 0.1

    def __init__(self, channels: list[Channel]) -> None:
        self._channels = channels
        self.rails = tuple(channel.label for channel in channels)
        self.update = update_seconds(channel.folder for channel in channels)

    @classmethod
    def find(cls, root: Path) -> Ina3221 | None:
        """Find the monitors.

        Parameters
        ----------
        root : Path
            Of the file system.

        Returns
        -------
        Ina3221 or None
            The input of the module alone where it is measured, else all rails.
        """
        channels = []
        for folder in numbered(root / "sys/class/hwmon", "hwmon*"):
            if read_text(folder / "name") != "ina3221":
                continue
            for number in CHANNELS:
                label = read_text(folder / f"in{number}_label")
                used = read_int(folder / f"in{number}_enable") != 0
                if label and label != "NC" and used:
                    channels.append(Channel(label, folder, number))
        whole = [channel for channel in channels if channel.label in INPUTS]
        return cls(whole or channels) if channels else None

    def value(self) -> float:
        """Power of the rails, in watts; raises `SensorError`."""
        return sum(channel.watts() for channel in self._channels)
