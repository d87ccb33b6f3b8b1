"""Options that benchmarks over scenes and rates have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def _rates(_: click.Context, __: click.Parameter, text: str) -> tuple[float, ...]:
    try:
        rates = tuple(sorted(float(item) for item in text.split(",")))
    except ValueError as error:
        raise click.BadParameter("give numbers with commas between, such as 0.1,0.5") from error
    if not all(0 < rate <= 32 for rate in rates):
        raise click.BadParameter("rates lie above 0 and up to 32 bits per sample")
    return rates


def _names(_: click.Context, __: click.Parameter, text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def rates_option(name: str, default: str, text: str) -> Callable[[Any], Any]:
    """An option for rates, given as numbers with commas between.

    Parameters
    ----------
    name, default, text : str
        Of the option.

    Returns
    -------
    callable
        Decorator; the command gets a tuple of float, rising.
    """
    return click.option(name, default=default, show_default=True, callback=_rates, help=text)


names_option = click.option("--names", default="", callback=_names, help="Only these scenes: a,b,c.")
"""Decorator for ``--names``; the command gets a tuple of str."""
