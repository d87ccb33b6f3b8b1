"""Open a scene of any format, and a writer of any format."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from bandfold.common.errors import SceneError, SettingsError
from bandfold.common.scene import SceneInfo
from bandfold.formats.arrays.npy_writer import NpyWriter
from bandfold.formats.arrays.numpy_reader import open_npy, open_npz
from bandfold.formats.containers.hdf5_reader import open_hdf5
from bandfold.formats.containers.matlab_reader import open_matlab
from bandfold.formats.containers.netcdf_writer import NetCdfWriter
from bandfold.formats.containers.xarray_reader import open_xarray
from bandfold.formats.containers.zarr_writer import ZarrWriter
from bandfold.formats.envi.headerless import SUFFIXES as RAW_SUFFIXES
from bandfold.formats.envi.headerless import open_headerless
from bandfold.formats.envi.reader import header_beside, open_envi
from bandfold.formats.envi.writer import EnviWriter
from bandfold.formats.raster.geotiff_reader import RasterSource
from bandfold.formats.raster.geotiff_writer import GeoTiffWriter

from .block_source import BlockSource, reading
from .compression import UNCOMPRESSED, Compression
from .file_formats import format_of, need_libraries, refuse_hdf4
from .scene_options import SceneOptions
from .scene_writer import SceneWriter

DEFAULTS = SceneOptions()
"""Nothing said: what the file says holds."""


_READERS: dict[str, Callable[[Path, SceneOptions], BlockSource]] = {
    "geotiff": RasterSource,
    "netcdf": open_xarray,
    "zarr": open_xarray,
    "hdf5": open_hdf5,
    "matlab": open_matlab,
    "npy": open_npy,
    "npz": open_npz,
}

_WRITERS: dict[str, Callable[..., SceneWriter]] = {
    "envi": EnviWriter,
    "npy": NpyWriter,
}


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
        widths, bad bands, scale and offset, projection and geotransform.

    Raises
    ------
    SceneError
        If the file is not there, cannot be read, or it is not clear what in it is the scene.
    SettingsError
        If a library is not installed, or an ENVI scene is asked for a variable or an axis of bands.
    """
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
        return _READERS[kind](path, options)


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
    if kind == "zarr":
        return ZarrWriter(path, info, strip_lines=strip_lines, folder=folder)
    if kind == "geotiff":
        return GeoTiffWriter(path, info, strip_lines=strip_lines, folder=folder, compression=compression)
    if kind == "netcdf":
        return NetCdfWriter(path, info, strip_lines=strip_lines, folder=folder, compression=compression)
    return _WRITERS[kind](path, info, folder=folder)
