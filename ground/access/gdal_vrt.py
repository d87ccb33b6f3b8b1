"""Virtual rasters of streams, which GDAL and all that is built on it open: rasterio, QGIS, gdal_translate."""

from __future__ import annotations

import os
from pathlib import Path

from bandfold.formats.file_formats import need_libraries
from bandfold.formats.raster.vrt_writer import write_vrt
from bandfold.ground.stream.byte_source import is_address

from .strip_reader import ReaderOptions, StripReader

FUNCTION = "bandfold.ground.access.gdal_pixels.decode_band"
"""What GDAL calls."""

GDAL_SETTINGS = {
    "GDAL_VRT_ENABLE_PYTHON": "TRUSTED_MODULES",
    "GDAL_VRT_PYTHON_TRUSTED_MODULES": FUNCTION.rpartition(".")[0],
}
"""What GDAL must be told so that it calls it: options of ``rasterio.Env``, or environment variables."""


def stream_to_vrt(stream: Path | str, output: Path, options: ReaderOptions | None = None) -> StripReader:
    """Write a virtual raster that decodes a stream where it is looked at.

    Parameters
    ----------
    stream : Path or str
        File or address of the stream. The raster holds its absolute path.
    output : Path
        File to write (.vrt).
    options : ReaderOptions, optional
        How the stream is decoded whenever it is read; written into the raster. Damage always is a warning.

    Returns
    -------
    StripReader
        Of the stream.

    Raises
    ------
    SettingsError
        If rasterio is not installed.
    OutputError
        If the file cannot be written; and what `StripReader` raises.
    """
    need_libraries("geotiff", "writing a virtual raster")
    options = options or ReaderOptions()
    place = stream if is_address(stream) else Path(stream).absolute()
    reader = StripReader(place, **vars(options))
    write_vrt(output, reader.info, FUNCTION, vrt_arguments(str(place), options))
    return reader


def vrt_arguments(stream: str, options: ReaderOptions) -> dict[str, str]:
    """What the raster tells the function that decodes.

    Parameters
    ----------
    stream : str
        Absolute path or address of the stream.
    options : ReaderOptions
        How it is decoded.

    Returns
    -------
    dict
        Texts by name; options that are as by default are left out.
    """
    usual = ReaderOptions()
    arguments = {"stream": stream}
    for name in ("restore", "layers", "cache", "memory_limit"):
        value = getattr(options, name)
        if value != getattr(usual, name):
            package = name == "restore" and Path(value).is_file()
            arguments[name] = str(Path(value).absolute()) if package else str(value)
    if options.models:
        arguments["models"] = os.pathsep.join(str(Path(model).absolute()) for model in options.models)
    if options.trusted:
        arguments["trusted"] = "yes"
    return arguments
