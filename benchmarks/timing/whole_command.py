"""A command as a user starts it: its own process on one core, from its start to its end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bandfold.benchmarks.measures.one_core import one_core_environment
from bandfold.common.errors import BandfoldError


@dataclass(frozen=True)
class CommandRun:
    """What one run of a command took.

    Parameters
    ----------
    wall, processor : float
        Seconds on the clock, and of processor time, imports and reading of files included.
    peak_bytes : int
        Most memory that was resident.
    """

    wall: float
    processor: float
    peak_bytes: int


def run_command(words: Sequence[str], core: int | None = None) -> CommandRun:
    """Run a subcommand of bandfold in a process of its own.

    Parameters
    ----------
    words : sequence of str
        What follows ``bandfold``.
    core : int, optional
        The only core that it may use, where the system (Linux) can do that.

    Returns
    -------
    CommandRun

    Raises
    ------
    BandfoldError
        If it fails; with what it said.
    """
    program = [sys.executable, "-m", "bandfold.cli.main", *words]
    if core is not None and sys.platform == "linux":
        # Set by the process itself would be after its imports.
        program = ["taskset", "-c", str(core), *program]
    started = time.perf_counter()
    with subprocess.Popen(
        program, env=one_core_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        said = process.stderr.read().decode() if process.stderr is not None else ""
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        # Waited for already: it must not be waited for again.
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BandfoldError(f"bandfold {' '.join(words)}: {said.strip()}")
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return CommandRun(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)
