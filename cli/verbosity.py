"""How much the commands say: `--quiet` and `--verbose`, which every command has."""

from __future__ import annotations

import enum
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from bandfold.common.errors import SettingsError
from bandfold.programs.progress import Progress, StageClock, shown


class Verbosity(enum.Enum):
    """How much is said besides results and errors.

    Attributes
    ----------
    QUIET
        Nothing: no report in words, no warning, no progress.
    NORMAL
        What was done, warnings, and progress on a terminal.
    VERBOSE
        Also each stage with its time, and where in the program an error was raised.
    """

    QUIET = enum.auto()
    NORMAL = enum.auto()
    VERBOSE = enum.auto()


@dataclass
class Invocation:
    """What holds for the whole command line.

    Parameters
    ----------
    verbosity : Verbosity
        How much is said.
    reported : bool
        Whether a report has been printed as JSON.
    """

    verbosity: Verbosity = Verbosity.NORMAL
    reported: bool = False


def invocation() -> Invocation:
    """Find what holds for the command that runs.

    Returns
    -------
    Invocation
        Of nothing in particular outside of a command.
    """
    context = click.get_current_context(silent=True)
    found = None if context is None else context.find_object(Invocation)
    return found or Invocation()


def verbosity() -> Verbosity:
    """How much the command that runs is to say.

    Returns
    -------
    Verbosity
        Normal outside of a command.
    """
    return invocation().verbosity


def add_verbosity(command: click.Command) -> None:
    """Give a command, and those within it, the options `--quiet` and `--verbose`.

    Parameters
    ----------
    command : click.Command
        Is changed.
    """
    for option in (
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            expose_value=False,
            callback=_choice(Verbosity.QUIET),
            help="Print errors only, and JSON where it is asked for.",
        ),
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            expose_value=False,
            callback=_choice(Verbosity.VERBOSE),
            help="Print each stage with its time, and where an error was raised.",
        ),
    ):
        command.params.append(option)
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            add_verbosity(inner)


def _choice(wanted: Verbosity) -> Callable[[click.Context, click.Parameter, bool], None]:
    """Callback of an option that says how much is said."""

    def choose(context: click.Context, parameter: click.Parameter, given: bool) -> None:
        known = context.ensure_object(Invocation)
        if not given:
            return
        if known.verbosity not in (Verbosity.NORMAL, wanted):
            raise SettingsError("--quiet and --verbose exclude each other: give one of them")
        known.verbosity = wanted

    return choose


@contextmanager
def progress_shown() -> Iterator[Progress]:
    """Show progress on stderr while the body runs, as far as the command is to say anything.

    Yields
    ------
    callable
        To be called with the stage and the fraction of it that is done.
    """
    wanted = verbosity()
    if wanted is Verbosity.QUIET:
        yield lambda stage, done: None
    elif wanted is Verbosity.VERBOSE:
        lines = StageLines()
        yield lines
        lines.finish()
    else:
        with shown() as progress:
            yield progress


class StageLines:
    """Progress as lines on stderr: one when a stage begins, one when it has ended.

    A stage that begins anew, as the coding of a trial does, is told again.
    """

    def __init__(self) -> None:
        self._clock = StageClock(time.perf_counter)
        self._stage = ""

    def __call__(self, stage: str, done: float) -> None:
        """Take note of progress.

        Parameters
        ----------
        stage : str
            Its name.
        done : float
            Fraction that is done, 0 to 1.
        """
        seconds = self._clock.seconds
        if self._clock.update(stage, done):
            self._tell_end(seconds)
            self._stage = stage
            print(f"{stage} ...", file=sys.stderr, flush=True)

    def finish(self) -> None:
        """End the stage that runs."""
        self._tell_end(self._clock.seconds)
        self._stage = ""

    def _tell_end(self, seconds: float) -> None:
        if self._stage:
            print(f"{self._stage}: {seconds:.2f} s", file=sys.stderr, flush=True)
