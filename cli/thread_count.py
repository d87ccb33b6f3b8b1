"""A number of threads on the command line, or ``auto``."""

from __future__ import annotations

from typing import Any

import click

from bandfold.common.workers import available_cores

AUTO = "auto"
"""One thread for each core that the process may use."""


class ThreadCount(click.ParamType[int]):
    """Threads of the processor: a number from 1 on, or `AUTO`."""

    name = "threads"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number of threads; raises `click.BadParameter` where it is something else."""
        if value == AUTO:
            return available_cores()
        try:
            count = int(value)
        except ValueError:
            count = 0
        if count < 1:
            self.fail(f"{value!r} is no number of threads: give 1 or more, or {AUTO}", param, ctx)
        return count
