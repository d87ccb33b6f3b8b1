"""One core for everything: threads that a library starts on its own would flatter whoever uses it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bandfold.onboard.self_check import runs_by

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def one_core_environment() -> dict[str, str]:
    """Give the environment of a process that is to use one thread.

    Returns
    -------
    dict
        A copy of this process's environment with the thread counts of numerical libraries set to 1.
    """
    return {**os.environ, **dict.fromkeys(_VARIABLES, "1")}


def restart_with_one_thread(module: str) -> None:
    """Start this program over with numerical libraries that use one thread, unless that has been done.

    Libraries read their thread counts when they are imported, so setting them any later has no effect.

    Parameters
    ----------
    module : str
        The program, as ``python -m`` takes it; its arguments are kept.
    """
    if any(os.environ.get(name) != "1" for name in _VARIABLES):
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], one_core_environment())


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process on one core meanwhile, where the system can do that."""
    if sys.platform != "linux":
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def machine() -> dict[str, str]:
    """Describe this machine, for a record of timings.

    Returns
    -------
    dict
        Processor, system, versions and what runs the inner loops.
    """
    processor = platform.processor() or platform.machine()
    details = Path("/proc/cpuinfo")
    if details.is_file():
        names = [line for line in details.read_text().splitlines() if line.startswith("model name")]
        processor = names[0].partition(":")[2].strip() if names else processor
    return {
        "processor": processor,
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "inner loops": runs_by(),
    }
