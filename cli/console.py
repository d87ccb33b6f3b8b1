"""What the commands say: reports in words or as JSON, warnings on one line, exit statuses."""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Iterable
from itertools import islice
from typing import Any, TextIO

import click

from bandfold.common.errors import SettingsError

from .verbosity import Verbosity, invocation, verbosity

DAMAGED = 9
"""Exit status of a command that wrote its output although parts of the stream are damaged."""

FAILED = 10
"""Exit status of a command that could not encode or decode some of several scenes."""

WARNINGS = 20
"""Warnings of a kind that are printed; JSON has them all."""


def warn(message: str) -> None:
    """Print a warning as one line on stderr, unless ``--quiet`` says otherwise.

    Parameters
    ----------
    message : str
        What to say.
    """
    if verbosity() is not Verbosity.QUIET:
        click.echo(f"warning: {' '.join(message.split())}", err=True)


def warn_as_told(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning of Python: one of bandfold as commands do, any other one with its place in the code.

    Parameters
    ----------
    message, category, filename, lineno, file, line
        As for `warnings.showwarning`, whose place this takes.
    """
    if category.__module__.partition(".")[0] == "bandfold":
        warn(str(message))
    else:
        place = warnings.formatwarning(message, category, filename, lineno, line)
        click.echo(place, nl=False, file=file, err=file is None)


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
    invocation().reported = True


def tell(report: dict[str, Any], text: str, *, as_json: bool, err: bool = False) -> None:
    """Tell what a command has done, as JSON or in words; with ``--quiet`` not in words.

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
    elif verbosity() is not Verbosity.QUIET:
        click.echo(text, err=err)


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
