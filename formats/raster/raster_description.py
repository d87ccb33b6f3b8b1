"""What is known of a scene, written into a raster: place, no-data value, wavelengths, header fields."""

from __future__ import annotations

from typing import Any

from bandfold.common.scene import SceneInfo
from bandfold.formats import georeference, header_fields, tie_points
from bandfold.formats.scene_writer import stored_no_data

from .band_tags import IMAGERY_DOMAIN, wavelength_name
from .geotiff_reader import FIELD_DOMAIN


def describe_raster(file: Any, info: SceneInfo) -> None:
    """Write projection and geotransform or tie points, no-data value, scales, and what is known of the bands.

    Parameters
    ----------
    file : rasterio.io.DatasetWriter
        Open for writing, with the geometry of the scene.
    info : SceneInfo
        What is known.
    """
    import rasterio

    place = georeference.read_georeference(info.metadata)
    no_data = stored_no_data(info)
    if no_data is not None:
        file.nodata = float(no_data)
    if place.crs is not None:
        file.crs = rasterio.CRS.from_wkt(place.crs.to_wkt())
    if place.transform is not None:
        file.transform = rasterio.Affine.from_gdal(*place.transform)
    else:
        _tie(file, info)
    told = {header_fields.IGNORE, *place.expressed}
    for key, attribute in ((header_fields.GAINS, "scales"), (header_fields.OFFSETS, "offsets")):
        values = header_fields.numbers(info.metadata, key, info.bands)
        if values is not None:
            setattr(file, attribute, tuple(values.tolist()))
            told.add(key)
    others = {
        header_fields.attribute_name(key): header_fields.field_text(value)
        for key, value in info.metadata.items()
        if key not in told
    }
    if others:
        file.update_tags(ns=FIELD_DOMAIN, **others)
    _describe_bands(file, info)


def _tie(file: Any, info: SceneInfo) -> None:
    """Write tie points as ground control points."""
    from rasterio.control import GroundControlPoint

    points = [
        GroundControlPoint(row=one.line + 0.5, col=one.sample + 0.5, x=one.longitude, y=one.latitude)
        for one in tie_points.read_tie_points(info.metadata)
    ]
    if points:
        import rasterio

        file.gcps = (points, rasterio.CRS.from_epsg(4326))


def _describe_bands(file: Any, info: SceneInfo) -> None:
    """Write names, wavelengths and widths of the bands."""
    names = info.metadata.get(header_fields.BAND_NAMES)
    wavelength = header_fields.nanometres(info.metadata, header_fields.WAVELENGTH, info.bands)
    width = header_fields.nanometres(info.metadata, header_fields.FWHM, info.bands)
    for band in range(info.bands):
        if isinstance(names, tuple) and len(names) == info.bands:
            file.set_band_description(band + 1, names[band])
        elif wavelength is not None:
            file.set_band_description(band + 1, wavelength_name(wavelength[band]))
        tags = {
            key: f"{values[band] / 1000:.9g}"
            for key, values in (("CENTRAL_WAVELENGTH_UM", wavelength), ("FWHM_UM", width))
            if values is not None
        }
        if tags:
            file.update_tags(band + 1, ns=IMAGERY_DOMAIN, **tags)
