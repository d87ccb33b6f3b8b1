"""A JSON file that a user gives, with an error that says what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bandfold.common.errors import SettingsError


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        Its content.

    Raises
    ------
    SettingsError
        If it cannot be read, or is no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"{path} does not hold a JSON object")
    return content
