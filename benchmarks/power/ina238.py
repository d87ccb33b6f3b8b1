"""INA238 power monitor, through hwmon: the input of a Jetson Thor's carrier board.

The kernel's "Kernel driver ina238" names the files: ``power1_input`` (microwatts), ``in1_input`` (bus voltage
in millivolts), ``curr1_input`` (milliamperes). ``in0_input`` is the voltage of the shunt, and no supply.
"""

from __future__ import annotations

from pathlib import Path

from .sensor import SensorError
from .sysfs import numbered, read_int, read_text, update_seconds

NAMES = ("ina238", "ina237", "ina228")
"""Chips that this driver of the kernel shows in the same way."""

CONVERSION = 16 * 3 * 1052e-6
"""Seconds for a value as ``drivers/hwmon/ina238.c`` sets the chip up: the mean of 16 times three conversions.
Newer kernels tell it in ``update_interval``."""

_LABELS = ("power1_label", "in1_label", "curr1_label", "label")


class Ina238:
    """The monitors of a board.

    Parameters
    ----------
    folders : list of Path
        Folders of the monitors in hwmon, whose powers are added up.
    """

    name = "INA238"
    counts = False
    interval = 0.1

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self.rails = tuple(_label(folder) for folder in folders)
        self.update = update_seconds(folders) or CONVERSION

    @classmethod
    def find(cls, root: Path) -> Ina238 | None:
        """Find the monitors.

        Parameters
        ----------
        root : Path
            Root of the file system.

        Returns
        -------
        Ina238 or None
            The input of the board (``VIN``) alone where a monitor has that label, else all of them.
        """
        folders = [
            one for one in numbered(root / "sys/class/hwmon", "hwmon*") if read_text(one / "name") in NAMES
        ]
        inputs = [folder for folder in folders if _label(folder).upper().startswith("VIN")]
        return cls(inputs or folders) if folders else None

    def value(self) -> float:
        """Power of the rails, in watts; raises `SensorError`."""
        return sum(_watts(folder) for folder in self._folders)


def _label(folder: Path) -> str:
    return next((text for name in _LABELS if (text := read_text(folder / name))), folder.name)


def _watts(folder: Path) -> float:
    microwatts = read_int(folder / "power1_input")
    if microwatts is not None:
        return microwatts * 1e-6
    volts, amperes = (read_int(folder / f"{kind}1_input") for kind in ("in", "curr"))
    if volts is None or amperes is None:
        raise SensorError(f"the INA238 in {folder} cannot be read")
    return volts * amperes * 1e-6
