"""Which sensor of energy a board has."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from bandfold.common.errors import BandfoldError


class SensorError(BandfoldError):
    """A sensor of energy is there, and cannot be read."""


class Sensor(Protocol):
    """A sensor of power, or a counter of energy."""

    @property
    def name(self) -> str:
        """What it is."""

    @property
    def rails(self) -> tuple[str, ...]:
        """What it measures: the supplies that are added up."""

    @property
    def counts(self) -> bool:
        """Whether `value` is an energy since the first call, in joules; otherwise it is a power in watts."""

    @property
    def interval(self) -> float:
        """Seconds between two readings that neither miss much nor cost much."""

    def value(self) -> float:
        """Read it.

        Raises
        ------
        SensorError
            If it cannot be read any more.
        """


def find_sensor(root: Path = Path("/")) -> tuple[Sensor | None, str | None]:
    """Find the sensor that says most about the whole board.

    Parameters
    ----------
    root : Path
        Where the file system of the board begins.

    Returns
    -------
    sensor : Sensor or None
    reason : str or None
        Why there is none.
    """
    from .ina3221 import Ina3221
    from .pmic import Pmic
    from .rapl import Rapl

    reasons = []
    for kind in (Ina3221, Pmic, Rapl):
        try:
            sensor: Sensor | None = kind.find(root)
            if sensor is not None:
                sensor.value()
                return sensor, None
        except SensorError as error:
            reasons.append(str(error))
    nothing = "no INA3221, no PMIC of a Raspberry Pi 5 and no RAPL counter on this board"
    return None, "; ".join(reasons) or nothing
