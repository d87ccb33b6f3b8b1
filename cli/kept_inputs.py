"""Outputs that would overwrite what a command reads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from bandfold.common.errors import SettingsError


def keep_input(what: str, inputs: Iterable[object], outputs: Iterable[Path]) -> None:
    """Refuse an output that is an input, by whatever name or link.

    Parameters
    ----------
    what : str
        What the inputs are, as the error message calls them: ``"the stream"``.
    inputs : iterable
        What is read. Anything but a path of a file that is there (an address, standard input, None) is no
        file that could be overwritten.
    outputs : iterable of Path
        Files that are to be written.

    Raises
    ------
    SettingsError
        If one is the same file as an input.
    """
    read = [one for one in inputs if isinstance(one, Path) and os.path.exists(one)]
    for output in outputs:
        if os.path.exists(output) and any(os.path.samefile(output, one) for one in read):
            raise SettingsError(f"output {output} is {what} itself: name another file")
