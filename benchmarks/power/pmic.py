"""Power of a Raspberry Pi 5, through ``vcgencmd pmic_read_adc``.

The command prints the currents and voltages of the rails behind the power management circuit, as
``VDD_CORE_A current(7)=1.57850000A`` and ``VDD_CORE_V volt(15)=0.72086650V``.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from .sensor import SensorError
from .sysfs import read_text

_READING = re.compile(r"(\S+)_([AV]) (?:current|volt)\(\d+\)=([0-9.]+)[AV]")


class Pmic:
    """The power management circuit.

    Parameters
    ----------
    command : Path
        ``vcgencmd``.
    """

    name = "PMIC of the Raspberry Pi 5 (what its regulators lose and what USB takes is not in it)"
    counts = False
    # Each reading is a process of its own.
    interval = 0.5
    update = None

    def __init__(self, command: Path) -> None:
        self._command = command
        self.rails = tuple(sorted(self._watts()))

    @classmethod
    def find(cls, root: Path) -> Pmic | None:
        """Find the circuit of a Raspberry Pi 5.

        Parameters
        ----------
        root : Path
            Root of the file system.

        Returns
        -------
        Pmic or None
            None on other boards.

        Raises
        ------
        SensorError
            If it cannot be read.
        """
        model = read_text(root / "proc/device-tree/model") or ""
        if not model.startswith(("Raspberry Pi 5", "Raspberry Pi Compute Module 5", "Raspberry Pi 500")):
            return None
        return cls(root / "usr/bin/vcgencmd")

    def value(self) -> float:
        """Power of all rails whose current and voltage are measured, in watts; raises `SensorError`."""
        return sum(self._watts().values())

    def _watts(self) -> dict[str, float]:
        readings: dict[str, dict[str, float]] = {}
        for rail, unit, value in _READING.findall(vcgencmd(self._command, "pmic_read_adc")):
            readings.setdefault(rail, {})[unit] = float(value)
        watts = {rail: units["A"] * units["V"] for rail, units in readings.items() if len(units) == 2}
        if not watts:
            raise SensorError(
                "vcgencmd pmic_read_adc tells no rail of which current and voltage are measured"
            )
        return watts


def vcgencmd(command: Path, what: str) -> str:
    """Ask the firmware of a Raspberry Pi.

    Parameters
    ----------
    command : Path
        ``vcgencmd``.
    what : str
        Its arguments, with blanks between.

    Returns
    -------
    str
        What it prints.

    Raises
    ------
    SensorError
        If it is not there or fails.
    """
    try:
        done = subprocess.run(
            [str(command), *what.split()], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SensorError(f"{command} cannot be run: {error}") from error
    if done.returncode or "error" in done.stdout:
        said = (done.stdout + done.stderr).strip() or f"status {done.returncode}"
        raise SensorError(f"vcgencmd {what} fails: {said}; is this user in the group video?")
    return done.stdout
