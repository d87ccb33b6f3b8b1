"""Types of options that several programs have: paths, and lists with commas between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
"""A folder that is there."""

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that is there."""

OUTPUT = click.Path(dir_okay=False, path_type=Path)
"""A file to write."""

_LARGEST_RATE = 32.0
"""Bits per sample: more than any sample has."""


def names(_: click.Context, __: click.Parameter, text: str) -> tuple[str, ...]:
    """Split names with commas between (callback of `click.option`).

    Parameters
    ----------
    _, __ : click.Context, click.Parameter
        As click passes them; not used.
    text : str
        As ``a,b,c``; spaces around a name are dropped.

    Returns
    -------
    tuple of str
        Empty if there is no name.
    """
    return tuple(item.strip() for item in text.split(",") if item.strip())


def whole_numbers(_: click.Context, __: click.Parameter, text: str) -> list[int]:
    """Split whole numbers with commas between (callback of `click.option`).

    Parameters
    ----------
    _, __ : click.Context, click.Parameter
        As click passes them; not used.
    text : str
        As ``8,64``; empty for none.

    Returns
    -------
    list of int
        In the order in which they are written.

    Raises
    ------
    click.BadParameter
        If something else is there.
    """
    try:
        return [int(item) for item in text.split(",") if item.strip()]
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no list of whole numbers with commas between") from error


def rates(_: click.Context, __: click.Parameter, text: str) -> tuple[float, ...]:
    """Split rates with commas between (callback of `click.option`).

    Parameters
    ----------
    _, __ : click.Context, click.Parameter
        As click passes them; not used.
    text : str
        Bits per sample, as ``0.1,0.5``.

    Returns
    -------
    tuple of float
        In rising order.

    Raises
    ------
    click.BadParameter
        If something else is there, or a rate is not above 0 and up to 32.
    """
    try:
        found = tuple(sorted(float(item) for item in text.split(",")))
    except ValueError as error:
        raise click.BadParameter("give numbers with commas between, such as 0.1,0.5") from error
    if not all(0 < rate <= _LARGEST_RATE for rate in found):
        raise click.BadParameter("rates lie above 0 and up to 32 bits per sample")
    return found


def figures_option(text: str) -> Callable[[Any], Any]:
    """Make the option ``--json``: where `bandfold.programs.program.write_figures` writes.

    Parameters
    ----------
    text : str
        What the help says is written.

    Returns
    -------
    callable
        Decorator; the command gets ``json_path``, a Path or None.
    """
    return click.option("--json", "json_path", type=OUTPUT, help=text)


def geometry_options(lines: int, samples: int, bands: int) -> Callable[[Any], Any]:
    """Make the options ``--lines``, ``--samples`` and ``--bands`` of a synthetic scene.

    Parameters
    ----------
    lines, samples, bands : int
        Extents of the scene if none are given.

    Returns
    -------
    callable
        Decorator; the command gets ``lines``, ``samples`` and ``bands``, of int.
    """

    def add(command: Any) -> Any:
        for name, default, least in (("--bands", bands, 1), ("--samples", samples, 8), ("--lines", lines, 8)):
            command = click.option(name, type=click.IntRange(least), default=default, show_default=True)(
                command
            )
        return command

    return add


bps_option = click.option(
    "--bps", type=click.FloatRange(0, 32, min_open=True), default=0.5, show_default=True
)
"""Decorator for ``--bps``, a rate in bits per sample."""

rates_option = click.option(
    "--rates",
    "asked",
    default="0.05,0.1,0.25,0.5,1",
    callback=rates,
    show_default=True,
    help="Bits per sample.",
)
"""Decorator for ``--rates``; the command gets ``asked``, a tuple of float."""

names_option = click.option("--names", default="", callback=names, help="Only these scenes: a,b,c.")
"""Decorator for ``--names``; the command gets a tuple of str, empty for all scenes."""
