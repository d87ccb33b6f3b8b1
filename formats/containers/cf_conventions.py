"""A scene as an xarray data set with coordinates and attributes after the CF conventions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from bandfold.common.scene import SceneInfo
from bandfold.formats import georeference, header_fields
from bandfold.formats.scene_writer import stored_no_data

if TYPE_CHECKING:
    import xarray

DIMS = ("band", "y", "x")
"""Names of the axes: bands, lines, samples."""

USUAL_NAME = "cube"
"""Name of the array where the scene has none."""

GRID_MAPPING = "spatial_ref"
"""Variable that describes the projection, named and filled as GDAL and rioxarray expect it."""

FIELD_PREFIX = "envi_"
"""What attributes begin with that hold other header header_fields."""

_TOLD = frozenset(
    (
        *(
            header_fields.WAVELENGTH,
            header_fields.FWHM,
            header_fields.BAD_BANDS,
            header_fields.UNITS,
            header_fields.IGNORE,
        ),
        *(header_fields.DATA_UNITS, header_fields.VARIABLE, "description"),
    )
)
"""Header fields that have a place of their own."""


def variable_name(info: SceneInfo) -> str:
    """Name of the array of a scene: that of the file which it came from, or `USUAL_NAME`."""
    name = info.metadata.get(header_fields.VARIABLE)
    taken = ("wavelength", "fwhm", "good_band", GRID_MAPPING, *DIMS)
    good = isinstance(name, str) and re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) and name not in taken
    return str(name) if good else USUAL_NAME


def cf_dataset(info: SceneInfo, data: Any) -> xarray.Dataset:
    """Describe a scene.

    Parameters
    ----------
    info : SceneInfo
        Geometry, type, no-data value and metadata.
    data : array_like, shape (bands, lines, samples)
        Samples as they are stored: neither scaled nor masked. May be lazy.

    Returns
    -------
    xarray.Dataset
        The array, named by `variable_name`; coordinates ``wavelength``, ``fwhm`` and ``good_band`` along
        ``band`` and, where the scene is placed upright on a map, ``x`` and ``y`` (pixel centres) and
        ``spatial_ref``; other header fields as attributes.
    """
    import xarray

    coordinates = _band_coordinates(info)
    place = _map_coordinates(info)
    attributes: dict[str, Any] = {"long_name": "samples of the scene"}
    units = info.metadata.get(header_fields.DATA_UNITS)
    if isinstance(units, str):
        attributes["units"] = units
    scale = header_fields.uniform(info.metadata, header_fields.GAINS, info.bands)
    offset = header_fields.uniform(info.metadata, header_fields.OFFSETS, info.bands)
    if scale is not None:
        attributes["scale_factor"] = scale
    if offset is not None:
        attributes["add_offset"] = offset
    no_data = stored_no_data(info)
    if no_data is not None:
        attributes["_FillValue"] = no_data
    if GRID_MAPPING in place:
        attributes["grid_mapping"] = GRID_MAPPING
    told = _TOLD | georeference.read_georeference(info.metadata).expressed
    told |= {
        key
        for key, value in ((header_fields.GAINS, scale), (header_fields.OFFSETS, offset))
        if value is not None
    }
    whole: dict[str, Any] = {"Conventions": "CF-1.11"}
    description = info.metadata.get("description")
    if description:
        whole["title"] = description if isinstance(description, str) else ", ".join(description)
    whole |= {
        FIELD_PREFIX + header_fields.attribute_name(key): header_fields.field_text(value)
        for key, value in info.metadata.items()
        if key not in told
    }
    # Lists of another length than the bands have no coordinate.
    for key, name in (
        (header_fields.WAVELENGTH, "wavelength"),
        (header_fields.FWHM, "fwhm"),
        (header_fields.BAD_BANDS, "good_band"),
    ):
        if key in info.metadata and name not in coordinates:
            whole[FIELD_PREFIX + header_fields.attribute_name(key)] = header_fields.field_text(
                info.metadata[key]
            )
    name = variable_name(info)
    return xarray.Dataset(
        {name: xarray.Variable(DIMS, data, attributes)}, {**coordinates, **place}, attrs=whole
    )


def _band_coordinates(info: SceneInfo) -> dict[str, Any]:
    """Coordinates along the bands."""
    found: dict[str, Any] = {}
    unit = header_fields.cf_unit(info.metadata)
    with_unit = {"units": unit} if unit else {}
    wavelength = header_fields.numbers(info.metadata, header_fields.WAVELENGTH, info.bands)
    if wavelength is not None:
        about = {"standard_name": "sensor_band_central_radiation_wavelength", "long_name": "wavelength"}
        found["wavelength"] = ("band", wavelength, about | with_unit)
    width = header_fields.numbers(info.metadata, header_fields.FWHM, info.bands)
    if width is not None:
        about = {"long_name": "full width at half maximum of the spectral response"}
        found["fwhm"] = ("band", width, about | with_unit)
    good = header_fields.numbers(info.metadata, header_fields.BAD_BANDS, info.bands)
    if good is not None:
        flags = {"flag_values": np.array([0, 1], np.int8), "flag_meanings": "bad good"}
        found["good_band"] = ("band", (good != 0).astype(np.int8), {"long_name": "band quality", **flags})
    return found


def _map_coordinates(info: SceneInfo) -> dict[str, Any]:
    """Pixel centres and the description of the projection."""
    if not any(key in info.metadata for key in georeference.FIELDS):
        return {}
    place = georeference.read_georeference(info.metadata)
    if place.crs is None and place.transform is None:
        return {}
    found: dict[str, Any] = {}
    axes: list[dict[str, str]] = place.crs.cs_to_cf() if place.crs is not None else []
    mapping: dict[str, Any] = dict(place.crs.to_cf()) if place.crs is not None else {}
    if "crs_wkt" in mapping:
        mapping["spatial_ref"] = mapping["crs_wkt"]
    if place.transform is not None:
        mapping["GeoTransform"] = " ".join(repr(number) for number in place.transform)
    if place.upright and place.transform is not None:
        x0, width, _, y0, _, height = place.transform
        centres = {
            "x": x0 + (np.arange(info.samples) + 0.5) * width,
            "y": y0 + (np.arange(info.lines) + 0.5) * height,
        }
        for name, values in centres.items():
            about = next((axis for axis in axes if axis.get("axis", "").lower() == name), {})
            found[name] = (name, values, dict(about))
    found[GRID_MAPPING] = ((), np.int32(0), mapping)
    return found
