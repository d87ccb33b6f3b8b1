"""The group of all commands: how failures are told, and what ends a command."""

from __future__ import annotations

import json
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any

import click

from bandfold.common.errors import BandfoldError, MemoryLimitError, OutputError

from .verbosity import Invocation, Verbosity

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
    """A command group that tells every failure on one line of stderr: ``error: ...``.

    Where ``--json`` is asked for, the failure is one JSON object as well: on stdout, or on stderr where the
    output itself goes to stdout.
    """

    def main(  # type: ignore[override]  # always ends the program, as click does in standalone mode
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> None:
        """Run the command line and exit with its status."""
        extra["standalone_mode"] = False
        given = list(sys.argv[1:] if args is None else args)
        invocation = extra["obj"] = Invocation()
        asked = _JsonAsked(given, invocation)
        try:
            with signals_raised():
                status = super().main(given, prog_name or "bandfold", **extra)
        except Exception as error:
            failure = told_failure(error)
            if failure is None:
                raise
            if invocation.verbosity is Verbosity.VERBOSE:
                traceback.print_exc()
            status = _fail(*failure, asked)
        except KeyboardInterrupt:
            status = _fail("Interrupted", "interrupted", INTERRUPTED, asked)
        except Terminated as end:
            status = _fail("Terminated", f"ended by {end.signal.name}", SIGNALLED + end.signal, asked)
        sys.exit(status if isinstance(status, int) else 0)


def told_failure(error: Exception) -> tuple[str, str, int] | None:
    """Find the words for an exception that a user can cause or meet.

    Parameters
    ----------
    error : Exception
        What was raised.

    Returns
    -------
    kind : str
        Name of its class.
    message : str
        What is wrong, and what to do about it.
    status : int
        Exit status of the program.

    None is returned for a mistake of the program, which is to be seen as such.
    """
    kind = type(error).__name__
    if isinstance(error, BandfoldError):
        return kind, str(error), error.exit_status
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "bandfold"
        return "UsageError", f"{error.format_message().rstrip('.')} (see {path} --help)", error.exit_code
    if isinstance(error, click.ClickException):
        return "UsageError", error.format_message(), error.exit_code
    if isinstance(error, click.Abort):
        return "Interrupted", "interrupted", INTERRUPTED
    if isinstance(error, MemoryError):
        reason = str(error) or "more is needed than there is"
        status = MemoryLimitError.exit_status
        return kind, f"not enough memory: {reason}; take a smaller scene", status
    if isinstance(error, OSError):
        # Whoever opens a file says what it is for: here comes what nobody expected, as names too long.
        reason = error.strerror or str(error) or kind
        if error.filename is None:
            message = f"cannot read or write: {reason}; look at where input comes from and output goes to"
        else:
            message = f"cannot use {str(error.filename)[:200]}: {reason}; name another file"
        return kind, message, OutputError.exit_status
    return None


class _JsonAsked:
    """Whether a failure is to be told as JSON, and where."""

    def __init__(self, arguments: Sequence[str], invocation: Invocation) -> None:
        self._options = arguments[: arguments.index("--")] if "--" in arguments else arguments
        self._invocation = invocation

    def tell(self, failure: dict[str, object]) -> None:
        """Print it, unless a report says it already."""
        if "--json" in self._options and not self._invocation.reported:
            click.echo(json.dumps({"error": failure}, indent=2), err=_takes_stdout(self._options))


def _fail(kind: str, message: str, status: int, asked: _JsonAsked) -> int:
    line = " ".join(message.split())
    # Where neither can be written to, the status tells.
    with suppress(OSError):
        click.echo(f"error: {line}", err=True)
    with suppress(OSError):
        asked.tell({"kind": kind, "message": line, "exit_status": status})
    return status


def _takes_stdout(options: Sequence[str]) -> bool:
    """Whether the output of a command goes to standard output."""
    return any(one in ("-o-", "--output=-") for one in options) or any(
        option in ("-o", "--output") and value == "-" for option, value in pairwise(options)
    )
