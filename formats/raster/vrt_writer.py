"""Virtual rasters of GDAL whose samples a function in Python makes when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from xml.etree import ElementTree

import numpy as np

from bandfold.common.atomic_files import atomic_output
from bandfold.common.scene import SceneInfo
from bandfold.formats import header_fields
from bandfold.formats.scene_writer import writing

from .band_tags import wavelength_name
from .geotiff_reader import gdal
from .raster_description import describe_raster

_INT8 = np.dtype("int8")

BAND = "band"
"""Argument that tells the function which band is wanted, from 0."""


def write_vrt(path: Path, info: SceneInfo, function: str, arguments: Mapping[str, str]) -> None:
    """Write a virtual raster.

    Parameters
    ----------
    path : Path
        The file (.vrt).
    info : SceneInfo
        Geometry, type, no-data value and metadata. Samples of type int8 are given as int16, since GDAL knows
        that type from version 3.7 on.
    function : str
        A function of a module, ``package.module.function``, as GDAL calls pixel functions
        (https://gdal.org/en/stable/drivers/raster/vrt.html#using-derived-bands-with-pixel-functions-in-python).
    arguments : mapping of str to str
        What it is given by name, besides `BAND`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    import rasterio

    described = replace(info, metadata=MappingProxyType(_with_band_names(info)))
    dtype = "int16" if info.dtype == _INT8 else info.dtype.name
    with TemporaryDirectory(prefix="bandfold-vrt-") as folder, writing(path), gdal():
        # GDAL writes what it knows how to say, and leaves the samples out.
        plain = Path(folder, "plain.vrt")
        with rasterio.open(
            plain, "w", driver="VRT", width=info.samples, height=info.lines, count=info.bands, dtype=dtype
        ) as file:
            describe_raster(file, described)
        root = ElementTree.fromstring(plain.read_text(encoding="utf-8"))
    for number, band in enumerate(root.iter("VRTRasterBand")):
        band.set("subClass", "VRTDerivedRasterBand")
        ElementTree.SubElement(band, "PixelFunctionType").text = function
        ElementTree.SubElement(band, "PixelFunctionLanguage").text = "Python"
        ElementTree.SubElement(band, "PixelFunctionArguments", {**arguments, BAND: str(number)})
    ElementTree.indent(root)
    with atomic_output(path) as output:
        output.write(ElementTree.tostring(root, encoding="utf-8") + b"\n")


def _with_band_names(info: SceneInfo) -> dict[str, str | tuple[str, ...]]:
    """Header fields, with wavelengths as names of bands that have none: those are what QGIS shows."""
    metadata = dict(info.metadata)
    wavelength = header_fields.nanometres(metadata, header_fields.WAVELENGTH, info.bands)
    if header_fields.BAND_NAMES not in metadata and wavelength is not None:
        metadata[header_fields.BAND_NAMES] = tuple(map(wavelength_name, wavelength))
    return metadata
