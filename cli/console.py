"""What the commands say: errors and warnings on one line, progress, JSON, exit statuses."""

from __future__ import annotations

import importlib.util
import json
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import click

from bandfold.common.errors import BandfoldError, MemoryLimitError, OutputError, SettingsError

DAMAGED = 9
"""Exit status of a command that wrote its output although parts of the stream are damaged."""

FAILED = 10
"""Exit status of a command that could not decode some scenes of an archive."""

WARNINGS = 20
"""Warnings of a kind that are printed; JSON has them all."""

SIGNALLED = 128
"""Exit status of a command that a signal has ended, less the number of the signal."""

INTERRUPTED = 130
"""Exit status after Ctrl-C."""


class Terminated(BaseException):
    """The process was asked to end.

    Parameters
    ----------
    number : int
        Of the signal.

    Attributes
    ----------
    signal : signal.Signals
        The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


@contextmanager
def signals_raised() -> Iterator[None]:
    """Raise signals that end a process as `Terminated`, so that what is half written is removed.

    Signals that are ignored, as under nohup, or that somebody else looks after are left alone.

    Raises
    ------
    Terminated
        In the body, when SIGTERM or SIGHUP comes.
    """
    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        wanted = []
    kept = {one: signal.getsignal(one) for one in wanted if signal.getsignal(one) == signal.SIG_DFL}

    def end(number: int, frame: object) -> None:
        # Once is enough: another one is not to interrupt the cleaning up.
        for one in kept:
            signal.signal(one, signal.SIG_IGN)
        raise Terminated(number)

    for one in kept:
        signal.signal(one, end)
    try:
        yield
    finally:
        for one, before in kept.items():
            signal.signal(one, before)


class BandfoldGroup(click.Group):
    """A command group that tells every failure on one line of stderr: ``error: ...``."""

    def main(  # type: ignore[override]  # always ends the program, as click does in standalone mode
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> None:
        """Run the command line and exit with its status."""
        extra["standalone_mode"] = False
        try:
            with signals_raised():
                status = super().main(args, prog_name or "bandfold", **extra)
        except BandfoldError as error:
            status = _fail(str(error), error.exit_status)
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "bandfold"
            status = _fail(f"{error.format_message().rstrip('.')} (see {path} --help)", error.exit_code)
        except click.ClickException as error:
            status = _fail(error.format_message(), error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            status = _fail("interrupted", INTERRUPTED)
        except MemoryError as error:
            reason = str(error) or "more is needed than there is"
            status = _fail(f"not enough memory: {reason}; take a smaller scene", MemoryLimitError.exit_status)
        except OSError as error:
            # Whoever opens a file says what it is for: here comes what nobody expected, as names too long.
            place = "" if error.filename is None else f" {str(error.filename)[:200]}"
            reason = error.strerror or str(error) or type(error).__name__
            status = _fail(f"cannot use{place}: {reason}; name another file", OutputError.exit_status)
        except Terminated as end:
            status = _fail(f"ended by {end.signal.name}", SIGNALLED + end.signal)
        sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int) -> int:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    return status


def warn(message: str) -> None:
    """Print a warning as one line on stderr.

    Parameters
    ----------
    message : str
        What to say.
    """
    click.echo(f"warning: {' '.join(message.split())}", err=True)


def warn_first(messages: Iterable[str]) -> None:
    """Print the first of many warnings, and how many more there are.

    Parameters
    ----------
    messages : iterable of str
        What to say, the most important first.
    """
    left = iter(messages)
    for message in islice(left, WARNINGS):
        warn(message)
    rest = sum(1 for _ in left)
    if rest:
        warn(f"and {rest} more: --json lists all")


def print_json(report: dict[str, Any], *, err: bool = False) -> None:
    """Print a report as strict JSON on stdout.

    Parameters
    ----------
    report : dict
        Holds nothing but what JSON knows: no infinity, no NaN.
    err : bool
        Whether to print it on stderr instead.
    """
    click.echo(json.dumps(report, indent=2, allow_nan=False), err=err)


def tell(report: dict[str, Any], text: str, *, as_json: bool, err: bool = False) -> None:
    """Tell what a command has done, as JSON or in words.

    Parameters
    ----------
    report : dict
        As for `print_json`.
    text : str
        The same in words.
    as_json : bool
        Which of both.
    err : bool
        Whether to tell it on stderr instead of stdout.
    """
    if as_json:
        print_json(report, err=err)
    else:
        click.echo(text, err=err)


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print a table on stdout.

    Parameters
    ----------
    rows : sequence of mapping of str
        Cells by the heads of their columns, the same in all rows; None is shown as a dash.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*(rows[0] if rows else ()))
    for row in rows:
        table.add_row(*(Text("-" if value is None else str(value)) for value in row.values()))
    Console().print(table)


def need(what: str, extras: str, *modules: str, advice: str = "") -> None:
    """Make sure that libraries are installed, before any work is done.

    Parameters
    ----------
    what : str
        What needs them, as the error message begins: ``training needs``.
    extras : str
        Extras of the package bandfold that bring them, with commas between.
    *modules : str
        Names by which they are imported.
    advice : str
        How the error message ends.

    Raises
    ------
    SettingsError
        If one is not installed.
    """
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    if absent:
        raise SettingsError(f"{what} {', '.join(absent)}: pip install 'bandfold[{extras}]'{advice}")


def need_matplotlib(option: str) -> None:
    """Make sure that pictures can be drawn.

    Parameters
    ----------
    option : str
        The option that asks for a picture.

    Raises
    ------
    SettingsError
        If matplotlib is not installed.
    """
    need(f"{option} needs", "ground", "matplotlib", advice=", or leave it out")
