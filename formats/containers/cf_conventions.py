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

OTHER_UNIT = "unit_text"
"""Attribute that holds a unit which programs would take for one of time."""

_TIME = re.compile(
    r"\bsince\b|^(nano|micro|milli)?(days?|hours?|minutes?|seconds?|d|h|min|s|ms|us|ns)$", re.IGNORECASE
)

_COORDINATES = dict(zip(header_fields.BAND_NUMBERS, ("wavelength", "fwhm", "good_band"), strict=True))
"""Coordinates along the bands, by the header fields that they hold."""

_ATTRIBUTES = {header_fields.GAINS: "scale_factor", header_fields.OFFSETS: "add_offset"}
"""Attributes of the array, by the header fields that give one number for all bands."""

_OTHERS = (header_fields.UNITS, header_fields.IGNORE, header_fields.DATA_UNITS, header_fields.VARIABLE)

_TOLD = frozenset((*header_fields.BAND_NUMBERS, *_OTHERS, "description"))
"""Header fields that have a place of their own."""


def variable_name(info: SceneInfo) -> str:
    """Name of the array of a scene: that of the file which it came from, or `USUAL_NAME`."""
    name = info.metadata.get(header_fields.VARIABLE)
    taken = (*_COORDINATES.values(), GRID_MAPPING, *DIMS)
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
        attributes |= _unit(_text(units))
    told = _TOLD | georeference.read_georeference(info.metadata).expressed
    for key, name in _ATTRIBUTES.items():
        value = header_fields.uniform(info.metadata, key, info.bands)
        if value is not None:
            attributes[name] = value
            told |= {key}
    no_data = stored_no_data(info)
    if no_data is not None:
        attributes["_FillValue"] = no_data
    if GRID_MAPPING in place:
        attributes["grid_mapping"] = GRID_MAPPING
    whole: dict[str, Any] = {"Conventions": "CF-1.11"}
    description = info.metadata.get("description")
    if description:
        whole["title"] = _text(description if isinstance(description, str) else ", ".join(description))
    # Lists of another length than the bands have no coordinate.
    lists = [key for key, name in _COORDINATES.items() if key in info.metadata and name not in coordinates]
    for key in (*(key for key in info.metadata if key not in told), *lists):
        whole[FIELD_PREFIX + header_fields.attribute_name(key)] = _text(
            header_fields.field_text(info.metadata[key])
        )
    array = xarray.Variable(DIMS, data, attributes)
    return xarray.Dataset({variable_name(info): array}, {**coordinates, **place}, attrs=whole)


def _unit(text: str) -> dict[str, str]:
    """The attribute that holds a unit: readers turn what has a unit of time into dates and durations."""
    return {OTHER_UNIT if _TIME.search(text.strip()) else "units": text}


def _text(text: str) -> str:
    """A text as attributes can hold it: none of these formats holds a byte of zero."""
    return text.replace("\0", " ")


def _band_coordinates(info: SceneInfo) -> dict[str, Any]:
    """Coordinates along the bands."""
    found: dict[str, Any] = {}
    unit = header_fields.cf_unit(info.metadata)
    with_unit = _unit(unit) if unit else {}
    flags = {"flag_values": np.array([0, 1], np.int8), "flag_meanings": "bad good"}
    standard = {"standard_name": "sensor_band_central_radiation_wavelength"}
    about: dict[str, dict[str, Any]] = {
        "wavelength": {**standard, "long_name": "wavelength", **with_unit},
        "fwhm": {"long_name": "full width at half maximum of the spectral response", **with_unit},
        "good_band": {"long_name": "band quality", **flags},
    }
    for key, name in _COORDINATES.items():
        values = header_fields.numbers(info.metadata, key, info.bands)
        if values is not None:
            found[name] = (
                "band",
                (values != 0).astype(np.int8) if name == "good_band" else values,
                about[name],
            )
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
