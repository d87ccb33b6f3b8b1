"""What a board is, and what runs on it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bandfold import __version__
from bandfold.benchmarks.measures.one_core import machine
from bandfold.benchmarks.power.sysfs import read_text

CORES = {
    0xD03: "Cortex-A53",
    0xD04: "Cortex-A35",
    0xD05: "Cortex-A55",
    0xD07: "Cortex-A57",
    0xD08: "Cortex-A72",
    0xD09: "Cortex-A73",
    0xD0A: "Cortex-A75",
    0xD0B: "Cortex-A76",
    0xD0C: "Neoverse-N1",
    0xD40: "Neoverse-V1",
    0xD41: "Cortex-A78",
    0xD42: "Cortex-A78AE",
    0xD49: "Neoverse-N2",
    0xD4F: "Neoverse-V2",
    0xD83: "Neoverse-V3AE",
}
"""``CPU part`` of processors by Arm (``CPU implementer`` 0x41), which ``/proc/cpuinfo`` does not name."""

RUNTIMES = {
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "litert": ("ai-edge-litert", "tflite-runtime"),
}
"""Python packages that each engine may come from."""


def describe_board(root: Path = Path("/")) -> dict[str, Any]:
    """Describe a board for a record of measurements.

    Parameters
    ----------
    root : Path
        Root of the file system, for what the kernel tells of the board.

    Returns
    -------
    dict
        ``board`` (device tree, or what the firmware of a PC calls it), ``processor``, ``cores``, ``kernel``,
        ``system``, ``power_mode`` (nvpmodel of a Jetson), versions of ``bandfold``, ``python``, ``numpy``,
        ``onnxruntime`` and ``litert``, and ``inner loops``. What is not known is None.
    """
    told = machine()
    return {
        "board": _board(root),
        "processor": _processor(root) or told["processor"] or platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "system": told["system"],
        "power_mode": power_mode(root),
        "bandfold": __version__,
        "python": told["python"],
        "numpy": told["numpy"],
        **{engine: _installed(names) for engine, names in RUNTIMES.items()},
        "inner loops": told["inner loops"],
    }


def power_mode(root: Path = Path("/")) -> str | None:
    """Power mode of a Jetson.

    Parameters
    ----------
    root : Path
        Root of the file system.

    Returns
    -------
    str or None
        What ``nvpmodel -q`` says; where it may not be run, the mode that it has saved, with its name from
        ``/etc/nvpmodel.conf``. None on other boards.
    """
    for command in ("usr/sbin/nvpmodel", "usr/bin/nvpmodel"):
        if (root / command).exists():
            try:
                done = subprocess.run(
                    [str(root / command), "-q"], capture_output=True, text=True, timeout=10, check=False
                )
            except (OSError, subprocess.TimeoutExpired):
                continue
            match = re.search(r"NV Power Mode:\s*(\S+)", done.stdout)
            if match:
                return match[1]
    saved = re.search(r"pmode:0*(\d+)", read_text(root / "var/lib/nvpmodel/status") or "")
    if saved is None:
        return None
    modes = read_text(root / "etc/nvpmodel.conf") or ""
    named = re.search(rf"<\s*POWER_MODEL\s+ID={saved[1]}\s+NAME=(\S+)", modes)
    return named[1] if named else f"mode {saved[1]}"


def _board(root: Path) -> str | None:
    # "/proc/device-tree" is a link to the other.
    for path in ("proc/device-tree/model", "sys/firmware/devicetree/base/model"):
        if model := read_text(root / path):
            return model
    names = [read_text(root / "sys/class/dmi/id" / name) for name in ("sys_vendor", "product_name")]
    return " ".join(name for name in names if name) or None


def _processor(root: Path) -> str | None:
    text = read_text(root / "proc/cpuinfo") or ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    if named:
        return named[1].strip()
    found = []
    for core in re.split(r"\n\s*\n", text):
        implementer = re.search(r"^CPU implementer\s*:\s*(\S+)", core, re.MULTILINE)
        part = re.search(r"^CPU part\s*:\s*(\S+)", core, re.MULTILINE)
        if implementer and part:
            arm = int(implementer[1], 16) == 0x41
            name = CORES.get(int(part[1], 16)) if arm else None
            found.append(name or f"implementer {implementer[1]}, part {part[1]}")
    return ", ".join(f"{found.count(name)} x {name}" for name in dict.fromkeys(found)) or None


def _installed(names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None
