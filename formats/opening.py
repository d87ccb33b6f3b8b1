"""Open a scene of any format, and a writer of any format."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from bandfold.common.errors import SceneError, SettingsError
from bandfold.common.scene import SceneInfo
from bandfold.formats.envi.headerless import SUFFIXES as RAW_SUFFIXES
from bandfold.formats.envi.headerless import open_headerless
from bandfold.formats.envi.reader import header_beside, open_envi

from .block_source import BlockSource, reading
from .companion_files import companion_notes
from .compression import UNCOMPRESSED, Compression
from .file_formats import format_of, need_libraries, refuse_hdf4
from .scene_options import SceneOptions
from .scene_writer import SceneWriter

# All others are imported where they are asked for: together they take as long as a small scene.

DEFAULTS = SceneOptions()
"""Nothing said: what the file says holds."""


_READERS = {
    "geotiff": "raster.geotiff_reader:RasterSource",
    "netcdf": "containers.xarray_reader:open_xarray",
    "zarr": "containers.xarray_reader:open_xarray",
    "hdf5": "containers.hdf5_reader:open_hdf5",
    "matlab": "containers.matlab_reader:open_matlab",
    "npy": "arrays.numpy_reader:open_npy",
    "npz": "arrays.numpy_reader:open_npz",
}
"""Module of this package that reads each format, and what of it."""

_WRITERS = {
    "envi": "envi.writer:EnviWriter",
    "npy": "arrays.npy_writer:NpyWriter",
    "zarr": "containers.zarr_writer:ZarrWriter",
    "geotiff": "raster.geotiff_writer:GeoTiffWriter",
    "netcdf": "containers.netcdf_writer:NetCdfWriter",
}
"""The same of those that write."""

_IN_STRIPS = ("zarr", "geotiff", "netcdf")
"""Formats whose writers want to know how many lines come at once ..."""

_COMPRESSED = ("geotiff", "netcdf")
"""... and whose files may be compressed within."""


def open_scene(path: Path, options: SceneOptions = DEFAULTS) -> BlockSource:
    """Open a scene by the suffix of its file.

    Parameters
    ----------
    path : Path
        Its suffix tells the format (`bandfold.formats.file_formats.SUFFIXES`); unknown ones are raw files of
        ENVI.
    options : SceneOptions, optional
        What the user says of the scene beyond the name of its file.

    Returns
    -------
    BlockSource
        ``info.metadata`` carries, as header fields, what the file tells of wavelengths (with their unit),
        widths, bad bands, scale and offset, projection and geotransform. ``notes`` tell what is not carried.

    Raises
    ------
    SceneError
        If the file is not there, cannot be read, or it is not clear what in it is the scene.
    SettingsError
        If a library is not installed, or an ENVI scene is asked for a variable or an axis of bands.
    """
    source = _opened(path, options)
    source.notes += companion_notes(path)
    return source


def _opened(path: Path, options: SceneOptions) -> BlockSource:
    """A scene, without what is known of other files."""
    refuse_hdf4(path)
    kind = format_of(path)
    if kind == "envi":
        if options.variable is not None or options.band_axis is not None:
            raise SettingsError(f"{path} is an ENVI scene: leave out --variable and --band-axis")
        with reading(path, OSError):
            if path.is_file() and path.suffix.lower() in RAW_SUFFIXES and header_beside(path) is None:
                return open_headerless(path, options)
            return open_envi(
                path, scaling=options.scaling, no_data=options.no_data, for_coding=options.for_coding
            )
    with reading(path, OSError):
        there = path.is_dir() if kind == "zarr" else path.is_file()
    if not there:
        wanted = "folder" if kind == "zarr" else "file"
        raise SceneError(f"{path} is {f'not a {wanted}' if path.exists() else 'not there'}: give a scene")
    need_libraries(kind, f"reading {kind}")
    with reading(path):
        source: BlockSource = _imported(_READERS[kind])(path, options)
        return source


def open_writer(
    kind: str,
    path: Path,
    info: SceneInfo,
    strip_lines: int,
    folder: str | os.PathLike[str] | None = None,
    compression: Compression = UNCOMPRESSED,
) -> SceneWriter:
    """Make a writer.

    Parameters
    ----------
    kind : str
        One of `bandfold.formats.file_formats.WRITTEN`.
    path : Path
        What will appear: a file, of Zarr a folder, of ENVI the header.
    info : SceneInfo
        Geometry, type, no-data value and metadata of what is written; of an ENVI file also the interleave and
        byte order, of a GeoTIFF the interleave.
    strip_lines : int
        Lines that are mostly written at once.
    folder : path_like, optional
        Where temporary files lie. Default: beside `path`.
    compression : Compression, optional
        Within a GeoTIFF or NetCDF file. Default: none.

    Returns
    -------
    SceneWriter
        To be used as a context manager.

    Raises
    ------
    OutputError
        If the output cannot be made.
    SettingsError
        If a library is not installed, an ENVI header is not named like one, or the format has no such
        compression.
    """
    compression.check(kind)
    need_libraries(kind, f"writing {kind}")
    given: dict[str, Any] = {"folder": folder}
    if kind in _IN_STRIPS:
        given["strip_lines"] = strip_lines
    if kind in _COMPRESSED:
        given["compression"] = compression
    writer: SceneWriter = _imported(_WRITERS[kind])(path, info, **given)
    return writer


def _imported(place: str) -> Any:
    """What a module of this package has, as ``module:name``."""
    module, name = place.split(":")
    return getattr(import_module(f".{module}", __package__), name)
