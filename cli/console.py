"""What the commands say: errors and warnings on one line, progress, JSON, exit statuses."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from bandfold.common.errors import BandfoldError, SettingsError, StreamError

Progress = Callable[[str, float], None]
"""Told the stage and the fraction of it that is done."""

DAMAGED = 9
"""Exit status of a command that wrote its output although parts of the stream are damaged."""

FAILED = 10
"""Exit status of a command that could not decode some scenes of an archive."""

INTERRUPTED = 130
"""Exit status after Ctrl-C."""


class BandfoldGroup(click.Group):
    """A command group that tells every failure on one line of stderr: ``error: ...``."""

    def main(  # type: ignore[override]  # always ends the program, as click does in standalone mode
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> None:
        """Run the command line and exit with its status."""
        extra["standalone_mode"] = False
        try:
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


@contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """Show progress while the body runs, if somebody is watching.

    Yields
    ------
    callable or None
        To be told the stage and the fraction done; None unless stderr is a terminal.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda stage, fraction: bar.update(task, description=stage, completed=fraction)


def read_input(what: str, path: Path) -> bytes:
    """Read a whole file.

    Parameters
    ----------
    what : str
        What it holds, for the error message.
    path : Path
        The file.

    Returns
    -------
    bytes
        Its content.

    Raises
    ------
    StreamError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise StreamError(f"{what} {path} cannot be read: {error.strerror}") from error


def need_matplotlib(option: str) -> None:
    """Make sure that pictures can be drawn, before any work is done.

    Parameters
    ----------
    option : str
        The option that asks for a picture.

    Raises
    ------
    SettingsError
        If matplotlib is not installed.
    """
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise SettingsError(f"{option} needs matplotlib: pip install 'bandfold[ground]', or leave it out")
