"""`bandfold vrt`: a stream as a virtual raster of GDAL."""

from __future__ import annotations

from pathlib import Path

import click

from .console import tell
from .kept_inputs import keep_input
from .option_values import parse_size
from .options import (
    STREAM_PLACE,
    DecodingOptions,
    json_option,
    option_group,
    output_option,
    read_by,
)

EXAMPLE = """\b
Examples:
  bandfold vrt scene.bf -o scene.vrt
  export GDAL_VRT_ENABLE_PYTHON=TRUSTED_MODULES
  export GDAL_VRT_PYTHON_TRUSTED_MODULES=bandfold.ground.access.gdal_pixels
  gdalinfo scene.vrt
  gdal_translate -b 30 -b 20 -b 10 -srcwin 0 0 512 512 scene.vrt colours.tif
"""


@click.command(epilog=EXAMPLE)
@click.argument("stream", type=STREAM_PLACE)
@output_option(required=True, help="File to write (.vrt).")
@click.option(
    "--cache",
    metavar="SIZE",
    callback=read_by(parse_size),
    default="1G",
    show_default=True,
    help="Decoded strips that a program which reads the raster keeps in memory.",
)
@option_group("decoding", DecodingOptions, "memory_limit", "models", "restore", "trusted", "layers")
@json_option
def vrt(stream: Path | str, output: Path, cache: int, decoding: DecodingOptions, as_json: bool) -> None:
    """Write a virtual raster through which GDAL reads STREAM: gdalinfo, gdal_translate, rasterio, QGIS.

    Bands, wavelengths, no-data value and georeference are in the raster; samples are decoded strip by strip
    when a program asks for them, by bandfold, which must be installed in the Python that GDAL finds. GDAL
    runs such functions only where two settings allow it, which are environment variables or options of
    rasterio.Env; see the example. The raster names STREAM, a file or an address: when the file is moved,
    write it anew.
    """
    from bandfold.ground.access.gdal_vrt import GDAL_SETTINGS, stream_to_vrt
    from bandfold.ground.access.strip_reader import ReaderOptions

    keep_input("the stream", [stream], [output])
    options = ReaderOptions(
        memory_limit=decoding.memory_limit,
        models=decoding.models,
        restore=decoding.restore,
        cache=cache,
        trusted=decoding.trusted,
        layers=decoding.layers,
    )
    info = stream_to_vrt(stream, output, options).info
    report = {"output": str(output), "stream": str(stream), **info.geometry, "gdal_settings": GDAL_SETTINGS}
    settings = " ".join(f"{name}={value}" for name, value in GDAL_SETTINGS.items())
    geometry = f"{info.bands} bands, {info.lines} lines, {info.samples} samples"
    tell(report, f"{output}: {geometry}; GDAL reads it with {settings}", as_json=as_json)
