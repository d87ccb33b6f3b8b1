"""How far a training is, for whoever watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bar

Progress = Callable[[str, float], None]
"""Called with a stage and the fraction of it that is done."""


@contextmanager
def shown() -> Iterator[Progress]:
    """Show progress while the body runs, if somebody is watching.

    Yields
    ------
    callable
        See `Progress`.
    """
    with Bar(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda stage, done: bar.update(task, description=stage, completed=done)
