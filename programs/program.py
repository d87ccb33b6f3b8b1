"""Running a program: a user's error is one line and an exit status; figures go into a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from bandfold.common.atomic_files import atomic_output
from bandfold.common.errors import BandfoldError


def run(command: click.Command) -> None:
    """Run a program; a `BandfoldError` is told in one line on stderr, without a traceback.

    Parameters
    ----------
    command : click.Command
        The program; reads ``sys.argv``.
    """
    try:
        command()
    except BandfoldError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_status)


def write_figures(path: Path, figures: Any) -> None:
    """Write figures as JSON; the file appears whole or not at all.

    Parameters
    ----------
    path : Path
        File to write; one that is there is replaced.
    figures : object
        Dicts, lists, numbers and texts, as `json.dumps` takes them.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with atomic_output(path) as file:
        file.write((json.dumps(figures, indent=1) + "\n").encode())
