"""The heap of a process: memory that threads take and give back."""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8
"""Parameter of glibc's ``mallopt``: arenas, from which threads take memory, at most."""


def share_heap() -> None:
    """Let all threads take memory from one place, so that what one of them has given back serves the others.

    By itself glibc gives each thread a place of its own, which keeps what was freed in it. Kernels take few
    large pieces: threads hardly ever wait for each other there. Elsewhere nothing is changed.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
