"""Recorded curves of codecs, and the tables and networks that have not seen a scene."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bandfold.benchmarks.measures.bdrate import Curve
from bandfold.bitstream.container.header import DEPENDENT
from bandfold.common.errors import SettingsError

Recorded = Mapping[str, Mapping[str, Curve]]
"""Scene, codec, curve."""


def read_anchors(path: Path) -> Recorded:
    """Read recorded curves.

    Parameters
    ----------
    path : Path
        JSON: ``{"scenes": {scene: {codec: [[bps, dB, seconds], ...]}}}``.

    Returns
    -------
    mapping
        Scene to codec to curve; seconds are left out.

    Raises
    ------
    SettingsError
        If the file is unreadable or of another form.
    """
    try:
        return {
            scene: {
                codec: [(float(point[0]), float(point[1])) for point in points]
                for codec, points in codecs.items()
            }
            for scene, codecs in _read_object(path)["scenes"].items()
        }
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(f"{path} does not hold recorded curves: {error!r}") from error


class Folds:
    """Entropy tables and restorations that were trained without the scene they are used on.

    Parameters
    ----------
    folder : Path
        Holds tables and ``folds.json``, which maps the name of a scene to the file that has not seen it:
        ``fold-1.npz`` ... for one quantiser, ``dependent-1.npz`` ... beside them for two that take turns.
    quantiser : str
        ``dependent`` or ``uniform``.

    Raises
    ------
    SettingsError
        If ``folds.json`` is unreadable.
    """

    def __init__(self, folder: Path, quantiser: str = DEPENDENT) -> None:
        self._folder = folder
        self._quantiser = quantiser
        self._files = _read_object(folder / "folds.json")

    def tables(self, scene: str) -> Path:
        """Find the tables for a scene.

        Parameters
        ----------
        scene : str
            Name without tile suffix.

        Returns
        -------
        Path
            An existing file.

        Raises
        ------
        SettingsError
            If there is none: using tables that have seen the scene would flatter the result.
        """
        path = self._named(scene)
        if self._quantiser == DEPENDENT:
            path = path.with_name(path.name.replace("fold", DEPENDENT))
            if not path.is_file():
                raise SettingsError(
                    f"{path} is not there: python -m bandfold.calibration.dependent --folds {self._folder} "
                    "makes it"
                )
        return path

    def _named(self, scene: str) -> Path:
        """The file that ``folds.json`` names."""
        path = self._folder / str(self._files.get(scene, ""))
        if scene not in self._files or not path.is_file():
            raise SettingsError(f"{self._folder / 'folds.json'} names no tables that have not seen {scene}")
        return path

    def restoration(self, scene: str) -> str:
        """Find the restoration for a scene: the package beside its tables (``fold-1.bfm`` ...).

        Parameters
        ----------
        scene : str
            Name without tile suffix.

        Returns
        -------
        str
            An existing file, or ``off`` if there is none: the shipped one has seen every scene.
        """
        path = self._named(scene).with_suffix(".bfm")
        return str(path) if path.is_file() else "off"


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"{path} does not hold a JSON object")
    return content
