"""What programs of calibration and benchmarks have in common."""

from __future__ import annotations

import sys

import click

from bandfold.common.errors import BandfoldError


def run(command: click.Command) -> None:
    """Run a command line; an error that a user can cause is one line and an exit status, not a traceback.

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
