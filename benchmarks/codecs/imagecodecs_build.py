"""The library imagecodecs, which wheels have with all codecs and other builds with some."""

from __future__ import annotations

import importlib
from typing import Any

from bandfold.common.errors import SettingsError


def imagecodecs_with(name: str) -> Any:
    """The library imagecodecs, if it was built with a codec.

    Parameters
    ----------
    name : str
        What it calls the codec.

    Returns
    -------
    module

    Raises
    ------
    SettingsError
        If it is not installed, or was built without.
    """
    try:
        # Its annotations narrow what it takes.
        imagecodecs: Any = importlib.import_module("imagecodecs")
    except ImportError as error:
        raise SettingsError("this codec runs through imagecodecs: pip install 'bandfold[bench]'") from error
    if not getattr(imagecodecs, name).available:
        raise SettingsError(f"imagecodecs was built without {name}: install another build of it")
    return imagecodecs
