"""A progress bar on the terminal, for programs that take minutes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, float], None]
"""Called with a stage and the fraction of it that is done, 0 to 1."""


@contextmanager
def shown() -> Iterator[Progress]:
    """Show progress on stderr while the body runs, if that is a terminal.

    Yields
    ------
    callable
        To be called with the stage and the fraction done; see `Progress`.
    """
    if not sys.stderr.isatty():
        yield lambda stage, done: None
        return
    # Imported here: commands begin faster without it.
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda stage, done: bar.update(task, description=stage, completed=done)
