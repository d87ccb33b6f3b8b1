"""Cross-validation: the tables and networks that were trained without a scene."""

from __future__ import annotations

from pathlib import Path

from bandfold.bitstream.container.header import DEPENDENT
from bandfold.common.errors import SettingsError

from .json_object import read_object

USUAL = "usual"
"""Begin of the names of tables for trellis-coded quantisation whose networks are not extended."""


class HeldOut:
    """Entropy tables and restoration networks that were trained without the scene they are used on.

    Parameters
    ----------
    folder : Path
        Holds tables and ``folds.json``, which maps the name of a scene to the file that has not seen it:
        ``fold-1.npz`` ... for uniform scalar quantisation, ``dependent-1.npz`` ... beside them for
        trellis-coded quantisation, ``usual-1.npz`` ... for that with networks that are not extended.
    quantiser : str
        ``dependent`` (trellis-coded) or ``uniform`` (scalar): which of the tables.
    extended : bool
        Whether networks of trellis-coded quantisation are extended.

    Raises
    ------
    SettingsError
        If ``folds.json`` is unreadable.
    """

    def __init__(self, folder: Path, quantiser: str = DEPENDENT, extended: bool = True) -> None:
        self._folder = folder
        self._quantiser = quantiser
        self._extended = extended
        self._files = read_object(folder / "folds.json")

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
            path = path.with_name(path.name.replace("fold", DEPENDENT if self._extended else USUAL))
            if not path.is_file():
                option = "" if self._extended else " --usual"
                raise SettingsError(
                    f"{path} is not there: python -m bandfold.calibration.dependent --folds {self._folder}"
                    f"{option} makes it"
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
