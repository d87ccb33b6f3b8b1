"""RAPL counters of Intel and AMD processors, through powercap.

The kernel's "Power Capping Framework" names the files: a zone has a ``name``, ``energy_uj`` in microjoules,
and ``max_energy_range_uj``, where the counter starts again from 0.
"""

from __future__ import annotations

from pathlib import Path

from .sensor import SensorError
from .sysfs import numbered, read_int, read_text


class _Zone:
    """A counter that goes on where the kernel's starts again."""

    def __init__(self, label: str, folder: Path) -> None:
        self.label = label
        self._folder = folder
        self._range = read_int(folder / "max_energy_range_uj") or 0
        self._last: int | None = None
        self._total = 0

    def joules(self) -> float:
        now = read_int(self._folder / "energy_uj")
        if now is None:
            raise SensorError(f"RAPL counter {self._folder / 'energy_uj'} cannot be read: run this as root")
        if self._last is not None and now < self._last and not self._range:
            raise SensorError(
                f"RAPL counter {self._folder / 'energy_uj'} starts again, and max_energy_range_uj beside it "
                "does not tell where: run this as root"
            )
        if self._last is not None:
            # The counter is read often enough not to wrap around twice.
            self._total += now - self._last + (self._range if now < self._last else 0)
        self._last = now
        return self._total * 1e-6


class Rapl:
    """The counters of a machine: processor packages and, where it is counted, memory.

    Parameters
    ----------
    zones : list
        Zones that do not contain each other.
    """

    counts = True
    interval = 1.0
    # Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3, "RAPL Interfaces": 1 ms.
    update = 0.001
    name = "RAPL (processor packages and memory, not the board)"

    def __init__(self, zones: list[_Zone]) -> None:
        self._zones = zones
        self.rails = tuple(zone.label for zone in zones)

    @classmethod
    def find(cls, root: Path) -> Rapl | None:
        """Find the counters.

        ``core`` and ``uncore`` are parts of a package, ``psys`` contains it but is calibrated on few
        machines, ``intel-rapl-mmio`` shows the same packages a second time.

        Parameters
        ----------
        root : Path
            Root of the file system.

        Returns
        -------
        Rapl or None
            None if there are none.
        """
        zones = []
        for package in numbered(root / "sys/class/powercap", "intel-rapl:*"):
            name = read_text(package / "name") or ""
            if package.name.count(":") == 1 and name.startswith("package-"):
                zones.append(_Zone(name, package))
                zones += [
                    _Zone(f"{name} dram", part)
                    for part in numbered(package, f"{package.name}:*")
                    if read_text(part / "name") == "dram"
                ]
        return cls(zones) if zones else None

    def value(self) -> float:
        """Energy since the first call, in joules; raises `SensorError`."""
        return sum(zone.joules() for zone in self._zones)
