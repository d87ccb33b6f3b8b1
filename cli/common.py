"""What the subcommands share: errors on one line, ranges and sizes as options, progress, JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bandfold.common.errors import BandfoldError, SettingsError

if TYPE_CHECKING:
    from bandfold.common.scene import NoData

Progress = Callable[[str, float], None]
"""Told the stage and the fraction of it that is done."""

DAMAGED = 9
"""Exit status of a command that wrote its output although parts of the stream are damaged."""

FAILED = 10
"""Exit status of a command that could not decode some scenes of an archive."""

INTERRUPTED = 130

models_option = click.option(
    "--model",
    "models",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Package file that the stream may need (.bfm); may be given several times.",
)
"""For every command that opens a stream."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")


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


def range_option(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> tuple[int | None, int | None] | None:
    """Convert an option like ``10:40``, ``:40`` or ``10:`` (callback of `click.option`).

    Parameters
    ----------
    context, parameter
        Not used.
    text : str or None
        As given.

    Returns
    -------
    tuple of int or None
        Start and stop, None where open; None if the option is not given.

    Raises
    ------
    click.BadParameter
        If the text is no range.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{0,18}):([0-9]{0,18})", text.strip())
    if match is None:
        raise click.BadParameter(
            f"{text!r} is no range: write 10:40, :40 or 10: (counted from 0, end excluded)"
        )
    start, stop = (int(bound) if bound else None for bound in match.groups())
    return start, stop


def size_option(context: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    """Convert an option like ``500000``, ``512M`` or ``1.5G``, powers of 1024 (callback of `click.option`).

    Parameters
    ----------
    context, parameter
        Not used.
    text : str or None
        As given.

    Returns
    -------
    int or None
        Bytes, at least 1; None if the option is not given.

    Raises
    ------
    click.BadParameter
        If the text is no size.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    size = int(float(match[1]) * 1024.0 ** " KMGT".index(match[2].upper() or " ")) if match else 0
    if size < 1:
        raise click.BadParameter(f"{text!r} is no size: write 4G, 512M or a number of bytes")
    return size


memory_limit_option = click.option(
    "--memory-limit",
    metavar="SIZE",
    callback=size_option,
    default="4G",
    show_default=True,
    help="Refuse streams that take more memory than this.",
)
"""For commands that decode."""


def resolve_range(given: tuple[int | None, int | None] | None, size: int, name: str) -> slice:
    """Give a range its bounds.

    Parameters
    ----------
    given : tuple of int or None
        As `range_option` converts it; None stands for everything.
    size : int
        Number of bands or lines of the scene.
    name : str
        ``bands`` or ``lines``.

    Returns
    -------
    slice
        Explicit bounds inside the scene, not empty.

    Raises
    ------
    SettingsError
        If the range is empty or reaches outside the scene.
    """
    first, last = given or (None, None)
    start, stop = first or 0, size if last is None else last
    if not start < stop <= size:
        raise SettingsError(
            f"--{name} {start}:{stop} is not a part of the scene, which has {name} 0:{size}: "
            "give a range inside (counted from 0, end excluded)"
        )
    return slice(start, stop)


def parse_no_data(text: str | None) -> float | NoData | None:
    """Read the value of ``--no-data``.

    Parameters
    ----------
    text : str or None
        A number, ``none``, or None where the option is not given.

    Returns
    -------
    float, NoData or None
        What `bandfold.formats.envi.reader.open_envi` expects.

    Raises
    ------
    SettingsError
        If the text is neither.
    """
    from bandfold.common.scene import NoData

    if text is None:
        return NoData.HEADER
    if text.strip().lower() == "none":
        return None
    try:
        return float(text)
    except ValueError as error:
        raise SettingsError(f"--no-data {text!r} is not a number: give one, nan, or none") from error


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


def wavelengths(metadata: Any, bands: int) -> tuple[float, ...] | None:
    """Read the wavelengths of a scene.

    Parameters
    ----------
    metadata : mapping
        As in `bandfold.common.scene.SceneInfo`.
    bands : int
        Number of bands.

    Returns
    -------
    tuple of float or None
        One per band, in the unit of the header; None if they are not there or not numbers.
    """
    items = metadata.get("wavelength")
    if not isinstance(items, tuple) or len(items) != bands:
        return None
    try:
        return tuple(float(item) for item in items)
    except ValueError:
        return None
