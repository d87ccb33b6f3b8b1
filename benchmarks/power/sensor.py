"""What a sensor of power or energy can be asked."""

from __future__ import annotations

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

    @property
    def update(self) -> float | None:
        """Seconds after which it has something new to tell, averaging included; None if nobody says."""

    def value(self) -> float:
        """Read it.

        Raises
        ------
        SensorError
            If it cannot be read any more.
        """
