"""Progress on the terminal, for programs that take minutes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, float], None]
"""Called with a stage and the fraction of it that is done, 0 to 1."""

_TOLD_FROM = 0.02
"""Fraction of a stage from which on its end can be told: before, one slow strip would say anything."""


class StageClock:
    """Tells when the stage that runs will have ended, from how long it has taken so far.

    Stages differ in speed, so that each has a clock of its own; one that begins anew, or that never says how
    much of it is done, starts the clock again.

    Parameters
    ----------
    now : callable
        Gives the time in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._stage = ""
        self._first = 0.0
        self._started = 0.0
        self._done = 0.0

    def update(self, stage: str, done: float) -> bool:
        """Take note of progress.

        Parameters
        ----------
        stage : str
            Its name.
        done : float
            Fraction that is done, 0 to 1.

        Returns
        -------
        bool
            Whether a stage has begun.
        """
        begun = stage != self._stage or done < self._done
        if begun:
            # The first call of a stage may come when a part of it is done: its time is not known.
            self._stage, self._started, self._first = stage, self._now(), done
        self._done = done
        return begun

    @property
    def seconds(self) -> float:
        """How long the stage has taken so far."""
        return self._now() - self._started

    def seconds_left(self) -> float | None:
        """Tell how long the stage will still take, if it goes on as it went.

        Returns
        -------
        float or None
            None as long as too little of it is done.
        """
        passed = self._done - self._first
        if self._done >= 1.0:
            return 0.0
        if passed < _TOLD_FROM:
            return None
        return self.seconds * (1.0 - self._done) / passed


@contextmanager
def shown() -> Iterator[Progress]:
    """Show progress on stderr while the body runs, if that is a terminal.

    Yields
    ------
    callable
        To be called with the stage and the fraction done; see `Progress`. The time that is shown is what is
        left of the stage.
    """
    if not sys.stderr.isatty():
        yield lambda stage, done: None
        return
    # Imported here: commands begin faster without it.
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]}"),
    )
    clock = StageClock()
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, left="")

        def progress(stage: str, done: float) -> None:
            clock.update(stage, done)
            # A stage of which nothing is known moves to and fro.
            total = 1.0 if done > 0 else None
            bar.update(task, description=stage, completed=done, total=total, left=_text(clock.seconds_left()))

        yield progress


def _text(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} left" if hours else f"{minutes}:{rest:02} left"
