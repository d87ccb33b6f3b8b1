"""Small files that a kernel shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path


def read_text(path: Path) -> str | None:
    """Read a file of one line.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str or None
        Without the line end; None if it is not there or the kernel refuses.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip().rstrip("\0")
    except OSError:
        return None


def read_int(path: Path) -> int | None:
    """Read a file that holds a whole number.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    int or None
        None if it is not there, the kernel refuses, or it holds something else.
    """
    text = read_text(path)
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def update_seconds(monitors: Iterable[Path]) -> float | None:
    """Tell how long monitors take for a new value, from their ``update_interval`` in milliseconds.

    Parameters
    ----------
    monitors : iterable of Path
        Folders in hwmon.

    Returns
    -------
    float or None
        Seconds of the slowest; None if none of them tells.
    """
    told = [read_int(folder / "update_interval") for folder in monitors]
    return max((milliseconds / 1000 for milliseconds in told if milliseconds is not None), default=None)


def numbered(folder: Path, pattern: str) -> list[Path]:
    """List what fits a pattern, numbers in the names in rising order.

    Parameters
    ----------
    folder : Path
        Where to look; need not be there.
    pattern : str
        As for `pathlib.Path.glob`.

    Returns
    -------
    list of Path
        ``hwmon2`` before ``hwmon10``; empty if there is nothing.
    """

    def key(path: Path) -> list[tuple[bool, int, str]]:
        parts = re.split(r"(\d+)", path.name)
        return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]

    return sorted(folder.glob(pattern), key=key)
