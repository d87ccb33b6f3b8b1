"""Standard input and output as binary files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

from bandfold.common.errors import OutputError, SettingsError

STANDARD = Path("-")
"""Stands for standard input or output where a file is named."""


def standard_input(what: str) -> BinaryIO:
    """Standard input.

    Parameters
    ----------
    what : str
        What is expected of it, for the error message.

    Returns
    -------
    binary file object

    Raises
    ------
    SettingsError
        If it is closed.
    """
    if sys.stdin is None:
        raise SettingsError(f"standard input is closed: pipe {what} into it, or name a file")
    return sys.stdin.buffer


def standard_output() -> BinaryIO:
    """Standard output.

    Returns
    -------
    binary file object

    Raises
    ------
    OutputError
        If it is closed.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed: pipe it into something, or name a file")
    return sys.stdout.buffer
