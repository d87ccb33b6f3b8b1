"""Opening the scene that a command is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bandfold.common.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bandfold.common.scene import NoData, SceneSource
    from bandfold.formats.block_source import BlockSource
    from bandfold.formats.scene_options import RawLayout

    from .options import OtherOptions, ReadingOptions


def open_source(scene: Path, reading: ReadingOptions, layout: RawLayout | None = None) -> BlockSource:
    """Open a scene with its declared scaling.

    Parameters
    ----------
    scene : Path
        The file; its suffix tells the format.
    reading : ReadingOptions
        What the user says of its scaling, no-data value, variable and bands.
    layout : RawLayout, optional
        Of a raw file without a header.

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
    options = SceneOptions(reading.variable, reading.band_axis, scaling, reading.no_data, layout=layout)
    return open_scene(scene, options)


def open_reference(scene: Path | str, reading: ReadingOptions) -> SceneSource:
    """Open what others are compared with: a scene in any format, or a stream.

    Parameters
    ----------
    scene : Path or str
        The file, or the address of a stream.
    reading : ReadingOptions
        Its no-data value, variable and bands.

    Returns
    -------
    SceneSource
        Of floats without a declared scaling.

    Raises
    ------
    SceneError, StreamError
        If it cannot be read.
    SettingsError
        If a stream is asked for a variable or an axis of bands.
    """
    return _open_compared(scene, reading.no_data, reading.variable, reading.band_axis)


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read the mask of a region.

    Parameters
    ----------
    path : Path
        A file of one band, in any format.

    Returns
    -------
    ndarray of bool, shape (lines, samples)
        True where it is neither 0, nor NaN, nor marked as absent.

    Raises
    ------
    SceneError
        If it cannot be read.
    SettingsError
        If it has several bands.
    """
    from bandfold.common.values.fill_values import no_data_mask
    from bandfold.formats.opening import open_scene
    from bandfold.formats.scene_options import SceneOptions

    if path.suffix.lower() == ".npy":
        return _read_npy_mask(path)
    source = open_scene(path, SceneOptions(for_coding=False))
    info = source.info
    if info.bands != 1:
        raise SettingsError(f"mask {path} has {info.bands} bands: give a file of one")
    values = source.read(slice(0, 1), slice(0, info.lines))
    inside = (values != 0) & (values == values)
    if info.no_data is not None:
        inside &= ~no_data_mask(values, info.no_data)
    mask: NDArray[np.bool_] = inside[0]
    return mask


def _read_npy_mask(path: Path) -> NDArray[np.bool_]:
    """A mask of booleans too, which no scene has."""
    import numpy as np

    from bandfold.common.errors import SceneError

    if not path.is_file():
        raise SceneError(f"mask {path} is {'not a file' if path.exists() else 'not there'}: give a mask")
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SceneError(
            f"mask {path} cannot be read: {error}; give an array of lines and samples"
        ) from error
    values = values[0] if values.ndim == 3 and len(values) == 1 else values
    if values.ndim != 2 or values.dtype.kind not in "buif":
        raise SettingsError(
            f"mask {path} is an array of shape {values.shape} and type {values.dtype}: give lines and samples"
        )
    mask: NDArray[np.bool_] = (values != 0) & (values == values)
    return mask


def open_other(scene: Path | str, options: OtherOptions) -> SceneSource:
    """Open a scene that is compared with a reference; all of its samples count.

    Parameters
    ----------
    scene : Path or str
        The file: a scene in any format, or a stream, which may be an address too.
    options : OtherOptions
        Its variable and bands.

    Returns
    -------
    SceneSource
        Without a no-data value.

    Raises
    ------
    SceneError, StreamError, SettingsError
        As for `open_reference`.
    """
    return _open_compared(scene, None, options.other_variable, options.other_band_axis)


def _open_compared(
    scene: Path | str, no_data: float | NoData | None, variable: str | None, band_axis: str | None
) -> SceneSource:
    from bandfold.bitstream.container.sections import SIGNATURE
    from bandfold.common.input_files import begins_with
    from bandfold.formats.opening import open_scene
    from bandfold.formats.scene_options import SceneOptions

    if isinstance(scene, Path) and not begins_with(scene, SIGNATURE):
        return open_scene(scene, SceneOptions(variable, band_axis, None, no_data, for_coding=False))
    if variable is not None or band_axis is not None:
        raise SettingsError(
            f"{scene} is a stream, which holds one scene: leave out --variable and --band-axis"
        )
    from bandfold.common.scene import NoData
    from bandfold.ground.access.strip_reader import StripReader

    reader = StripReader(scene, damage="raise")
    return reader if isinstance(no_data, NoData) else _Marked(reader, no_data)


class _Marked:
    """A scene whose absent samples have another mark than it says, or none."""

    def __init__(self, source: SceneSource, no_data: float | None) -> None:
        self._source = source
        self.info = replace(source.info, no_data=no_data)

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        return self._source.read(bands, lines)
