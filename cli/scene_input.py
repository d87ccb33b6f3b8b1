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
        The scene; with ``--scale auto``, and a type that needs one, it has the finest scaling that holds it.

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
    from bandfold.onboard.samples.scaling import auto_scaling

    def opened(scaling: Scaling | None = None, *, for_coding: bool = True) -> BlockSource:
        options = SceneOptions(reading.variable, reading.band_axis, scaling, reading.no_data, for_coding)
        return open_scene(scene, options)

    scale, offset = reading.scale, reading.offset
    if offset is not None and (scale is None or scale == "auto"):
        raise SettingsError("--offset goes with a number as --scale: add --scale S, or remove --offset")
    if scale is None:
        return opened()
    if scale == "auto":
        source = opened(for_coding=False)
        # Integers of 8 or 16 bits need none.
        return source if source.info.scaling is None else opened(auto_scaling(source))
    try:
        value = float(scale)
    except ValueError as error:
        raise SettingsError(f"--scale {scale!r} is not a number: give one, or auto") from error
    return opened(Scaling(value, offset or 0.0))
