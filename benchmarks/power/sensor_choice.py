"""Which sensor of energy a board has."""

from __future__ import annotations

from pathlib import Path

from .ina3221 import Ina3221
from .pmic import Pmic
from .rapl import Rapl
from .sensor import Sensor, SensorError


def find_sensor(root: Path = Path("/")) -> tuple[Sensor | None, str | None]:
    """Find the sensor that says most about the whole board.

    Parameters
    ----------
    root : Path
        Where the file system of the board begins.

    Returns
    -------
    sensor : Sensor or None
        The sensor, read once; None if there is none.
    reason : str or None
        Why there is none.
    """
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
