"""The library imagecodecs, which wheels have with all codecs and other builds with some."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from bandfold.common.errors import SettingsError


def load_imagecodecs() -> Any:
    """The library imagecodecs.

    Returns
    -------
    module

    Raises
    ------
    SettingsError
        If it is not installed.
    """
    if importlib.util.find_spec("imagecodecs") is None:
        raise SettingsError("other codecs run through imagecodecs: pip install 'bandfold[bench]'")
    # Its annotations narrow what it takes.
    return importlib.import_module("imagecodecs")


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
    imagecodecs = load_imagecodecs()
    if not getattr(imagecodecs, name).available:
        raise SettingsError(f"imagecodecs was built without {name}: install another build of it")
    return imagecodecs
