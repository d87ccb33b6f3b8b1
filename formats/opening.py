"""Open a scene of any format, and a writer of any format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from bandfold.common.errors import SceneError, SettingsError
from bandfold.common.scene import SceneInfo, SceneSource

from .blocks import Wanted
from .kinds import format_of, need_libraries
from .writer import SceneWriter

DEFAULTS = Wanted()
"""Nothing said: what the file says holds."""


class FileSource(SceneSource, Protocol):
    """A scene in a file; `path` is that of its samples."""

    path: Path


def open_scene(path: Path, wanted: Wanted = DEFAULTS) -> FileSource:
    """Open a scene by the suffix of its file.

    Parameters
    ----------
    path : Path
        Its suffix tells the format (`bandfold.formats.kinds.SUFFIXES`); unknown ones are raw files of ENVI.
    wanted : Wanted, optional
        What the user says of the scene beyond the name of its file.

    Returns
    -------
    FileSource
        ``info.metadata`` carries, as header fields, what the file tells of wavelengths (with their unit),
        widths, bad bands, scale and offset, projection and geotransform.

    Raises
    ------
    SceneError
        If the file is not there, cannot be read, or it is not clear what in it is the scene.
    SettingsError
        If a library is not installed, or an ENVI scene is asked for a variable or an axis of bands.
    """
    kind = format_of(path)
    if kind == "envi":
        from .envi.reader import open_envi

        if wanted.variable is not None or wanted.band_axis is not None:
            raise SettingsError(f"{path} is an ENVI scene: leave out --variable and --band-axis")
        return open_envi(path, scaling=wanted.scaling, no_data=wanted.no_data, for_coding=wanted.for_coding)
    if not (path.is_dir() if kind == "zarr" else path.is_file()):
        raise SceneError(f"{path} is {'not a file' if path.exists() else 'not there'}: give a scene")
    need_libraries(kind, f"reading {kind}")
    if kind == "geotiff":
        from .geotiff import RasterSource

        return RasterSource(path, wanted)
    if kind in ("netcdf", "zarr"):
        from .containers import open_xarray

        return open_xarray(path, wanted, "zarr" if kind == "zarr" else None)
    if kind == "hdf5":
        from .containers import open_hdf5

        return open_hdf5(path, wanted)
    if kind == "matlab":
        from .matlab import open_matlab

        return open_matlab(path, wanted)
    from .arrays import open_npy, open_npz

    return (open_npy if kind == "npy" else open_npz)(path, wanted)


def open_writer(
    kind: str,
    path: Path,
    info: SceneInfo,
    strip_lines: int,
    folder: str | os.PathLike[str] | None = None,
) -> SceneWriter:
    """Make a writer.

    Parameters
    ----------
    kind : str
        One of `bandfold.formats.kinds.WRITTEN`, ``envi`` left out.
    path : Path
    info : SceneInfo
    strip_lines : int
        Lines that are mostly written at once.
    folder : path_like, optional
        Where temporary files lie. Default: beside `path`.

    Returns
    -------
    SceneWriter

    Raises
    ------
    OutputError
        If the output cannot be made.
    SettingsError
        If a library is not installed.
    """
    need_libraries(kind, f"writing {kind}")
    if kind == "geotiff":
        from .geotiffwriter import GeoTiffWriter

        return GeoTiffWriter(path, info, folder=folder)
    if kind == "netcdf":
        from .netcdfwriter import NetCdfWriter

        return NetCdfWriter(path, info, folder=folder)
    if kind == "zarr":
        from .zarrwriter import ZarrWriter

        return ZarrWriter(path, info, strip_lines=strip_lines, folder=folder)
    from .npywriter import NpyWriter

    return NpyWriter(path, info, folder=folder)
