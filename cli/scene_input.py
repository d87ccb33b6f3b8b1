"""Opening the scene that a command is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bandfold.common.errors import SettingsError

if TYPE_CHECKING:
    from bandfold.formats.block_source import BlockSource

    from .options import ReadingOptions


def open_source(scene: Path, reading: ReadingOptions) -> BlockSource:
    """Open a scene with its declared scaling.

    Parameters
    ----------
    scene : Path
        The file; its suffix tells the format.
    reading : ReadingOptions
        What the user says of its scaling, no-data value, variable and bands.

    Returns
    -------
    BlockSource
        The scene; without a number as ``--scale``, floats and 32-bit integers declare no scaling.

    Raises
    ------
    SceneError
        If it cannot be read or scaled.
    SettingsError
        If an option makes no sense.
    """
    from bandfold.common.scene import Scaling
    from bandfold.formats.opening import open_scene
    from bandfold.formats.scene_options import SceneOptions

    scaling = None
    if reading.scale is not None and reading.scale != "auto":
        try:
            scaling = Scaling(float(reading.scale), reading.offset or 0.0)
        except ValueError as error:
            raise SettingsError(f"--scale {reading.scale!r} is not a number: give one, or auto") from error
    elif reading.offset is not None:
        raise SettingsError("--offset goes with a number as --scale: add --scale S, or remove --offset")
    return open_scene(scene, SceneOptions(reading.variable, reading.band_axis, scaling, reading.no_data))
