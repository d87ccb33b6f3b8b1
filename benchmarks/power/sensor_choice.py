"""Which sensor of energy a board has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .ina238 import Ina238
from .ina3221 import Ina3221
from .meter import CalledMeter, RunningMeter
from .pmic import Pmic
from .rapl import Rapl
from .sensor import Sensor, SensorError


@dataclass(frozen=True)
class SensorSource:
    """Where power is read.

    Parameters
    ----------
    root : Path
        Root of the file system in which the sensors of the board are.
    meter : str or None
        Command of an external meter, which is taken in place of them.
    meter_interval : float or None
        Seconds after which that command is called again; None for one that goes on and prints a line for each
        reading.
    """

    root: Path = Path("/")
    meter: str | None = None
    meter_interval: float | None = None

    @contextmanager
    def open(self) -> Iterator[tuple[Sensor | None, str | None]]:
        """Open the sensor; a meter ends behind the body.

        Yields
        ------
        sensor : Sensor or None
            The sensor, read once; None if the board has none.
        reason : str or None
            Why there is none.

        Raises
        ------
        SensorError
            If the external meter cannot be read.
        """
        if self.meter is None:
            yield find_sensor(self.root)
            return
        meter: CalledMeter | RunningMeter
        if self.meter_interval is None:
            meter = RunningMeter(self.meter)
        else:
            meter = CalledMeter(self.meter, self.meter_interval)
        try:
            meter.value()
            yield meter, None
        finally:
            meter.close()


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
    # On a Jetson Thor the INA238 measures what module and carrier board take, the INA3221 parts of it.
    for kind in (Ina238, Ina3221, Pmic, Rapl):
        try:
            sensor: Sensor | None = kind.find(root)
            if sensor is not None:
                sensor.value()
                return sensor, None
        except SensorError as error:
            reasons.append(str(error))
    nothing = "no INA238, no INA3221, no PMIC of a Raspberry Pi 5 and no RAPL counter on this board"
    return None, "; ".join(reasons) or nothing
