"""The most memory that this process has had in RAM."""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path


def peak_resident() -> int:
    """High-water mark of the memory that this process has had in RAM.

    Returns
    -------
    int
        Bytes.
    """
    # On Linux `ru_maxrss` of a child starts at the parent's size, since it survives exec. VmHWM does not.
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def forget_peak() -> None:
    """Let the high-water mark start again from the memory in use, where the system can do that."""
    # Imports leave a higher mark than memory; an encode that stayed below that would seem to take nothing.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
