"""Where on Earth a scene is: between the fields of an ENVI header and a projection with a geotransform."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bandfold.common.errors import SceneError
from bandfold.common.scene import MetadataValue

from .header_fields import number_text

if TYPE_CHECKING:
    from pyproj import CRS

MAP_INFO, COORDINATE_SYSTEM = "map info", "coordinate system string"
CRS_KEY, TRANSFORM_KEY = "crs", "geotransform"
"""Fields of bandfold's own: a projection exactly (``EPSG:32611``, or as WKT), and a geotransform that ``map
info`` cannot express."""

FIELDS = (MAP_INFO, COORDINATE_SYSTEM, CRS_KEY, TRANSFORM_KEY)
"""Header fields that this module reads and writes."""

Transform = tuple[float, float, float, float, float, float]

_DATUMS = {"WGS 84": "WGS-84", "NAD83": "North America 1983", "NAD27": "North America 1927"}

_CODES = {
    "wgs-84": (4326, 326, 327),
    "wgs84": (4326, 326, 327),
    "north america 1983": (4269, 269, 0),
    "north america 1927": (4267, 267, 0),
}
"""EPSG codes of longitude and latitude, and of UTM in hundreds, north and south."""


@dataclass(frozen=True)
class Georeference:
    """A projection and the place of the pixels in it; either may be unknown.

    Parameters
    ----------
    crs : pyproj.CRS or None
        The projection.
    transform : tuple of float or None
        As GDAL orders it: x of the left upper corner, change of x for a sample and for a line, y of the
        corner, change of y for a sample and for a line.
    """

    crs: CRS | None = None
    transform: Transform | None = None

    @property
    def upright(self) -> bool:
        """Whether lines run from west to east, the first one in the north."""
        given = self.transform
        return (
            given is not None
            and given[1] > 0
            and given[5] < 0
            and given[2] == given[4] == 0
            and all(map(math.isfinite, given))
        )

    @property
    def expressed(self) -> frozenset[str]:
        """Header fields that a file need not hold in so many words if it has this georeference.

        A ``map info`` whose projection was not understood is none of them.
        """
        return frozenset(FIELDS if self.crs is not None else (TRANSFORM_KEY,))

    def update(self, metadata: dict[str, MetadataValue]) -> None:
        """Put this georeference in place of the one that header fields give.

        Parameters
        ----------
        metadata : dict
            Changed in place. A ``map info`` that says no more than that, but names a projection which nobody
            understood, stays.
        """
        if self.crs is None and read_georeference(metadata).transform == self.transform:
            return
        for key in FIELDS:
            metadata.pop(key, None)
        metadata.update(self.fields())

    def fields(self) -> dict[str, MetadataValue]:
        """Header fields that say the same.

        Returns
        -------
        dict
            ``map info`` and ``coordinate system string``, which ENVI and GDAL read, where they can express
            it; ``crs``, and ``geotransform`` for pixels that are turned, sheared or flipped.
        """
        fields: dict[str, MetadataValue] = {}
        if self.transform is not None and self.upright:
            fields[MAP_INFO] = _map_info(self.crs, self.transform)
        elif self.transform is not None:
            fields[TRANSFORM_KEY] = tuple(number_text(number) for number in self.transform)
        if self.crs is not None:
            from pyproj.exceptions import CRSError

            authority = self.crs.to_authority(min_confidence=100)
            fields[CRS_KEY] = ":".join(authority) if authority else " ".join(self.crs.to_wkt().split())
            try:
                esri = self.crs.to_wkt("WKT1_ESRI")
            except CRSError:
                # What ESRI's dialect cannot say, `crs` does.
                esri = None
            if esri:
                fields[COORDINATE_SYSTEM] = esri
        return fields


def read_georeference(metadata: Mapping[str, MetadataValue]) -> Georeference:
    """Read the georeference from header fields; what cannot be understood counts as unknown.

    Parameters
    ----------
    metadata : mapping of str to str or tuple of str
        Header fields of a scene.

    Returns
    -------
    Georeference
        From ``crs`` and ``geotransform``, else ``coordinate system string`` and ``map info``.
    """
    info = metadata.get(MAP_INFO)
    transform = _numbers(metadata.get(TRANSFORM_KEY))
    if transform is None and isinstance(info, tuple):
        transform = _transform(info)
    return Georeference(_crs(metadata, info if isinstance(info, tuple) else ()), transform)


def parse_crs(text: str) -> CRS:
    """Read a projection.

    Parameters
    ----------
    text : str
        WKT, ``EPSG:32611`` or whatever else PROJ knows.

    Returns
    -------
    pyproj.CRS
        The projection.

    Raises
    ------
    SceneError
        If PROJ does not know it.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise SceneError(f"projection {text[:60]!r} is not understood: correct or remove it") from error


def _crs(metadata: Mapping[str, MetadataValue], info: tuple[str, ...]) -> CRS | None:
    for key in (CRS_KEY, COORDINATE_SYSTEM):
        value = metadata.get(key)
        # A text with commas in braces is read as a list.
        text = value if isinstance(value, str) else ",".join(value or ())
        if text:
            try:
                return parse_crs(text)
            except SceneError:
                continue
    return _crs_of_map_info(info)


def _crs_of_map_info(info: tuple[str, ...]) -> CRS | None:
    """Two projections that ``map info`` names by itself, on the data that it mostly has."""
    words = [item.strip().lower() for item in info]
    datum = next((_CODES[word] for word in words if word in _CODES), None)
    if datum is None:
        return None
    geographic, north, south = datum
    if words[0] == "geographic lat/lon":
        return parse_crs(f"EPSG:{geographic}")
    if words[0] == "utm" and len(words) > 8 and words[7].isdigit():
        try:
            return parse_crs(f"EPSG:{(south if words[8] == 'south' else north) * 100 + int(words[7])}")
        except SceneError:
            # There is no such zone on that datum.
            return None
    return None


def _transform(info: tuple[str, ...]) -> Transform | None:
    """Geotransform of ``map info``: projection, reference pixel (from 1), its place, pixel sizes, ...

    As GDAL reads it: pixels are turned around the corner that they have unturned, and a rotation of 180
    degrees means lines that run from south to north.
    """
    if len(info) < 7:
        return None
    try:
        sample, line, x, y, width, height = (float(item) for item in info[1:7])
        turns = [item.partition("=")[2] for item in info[7:] if item.strip().lower().startswith("rotation")]
        degrees = float(turns[0]) if turns else 0.0
    except ValueError:
        return None
    if not all(map(math.isfinite, (sample, line, x, y, width, height, degrees))):
        return None
    left, top = x - (sample - 1) * width, y + (line - 1) * height
    if abs(degrees) == 180:
        return left, width, 0.0, top, 0.0, height
    # Clockwise.
    angle = -math.radians(degrees)
    cos, sin = (math.cos(angle), math.sin(angle)) if angle else (1.0, 0.0)
    return left, cos * width, -sin * width, top, -sin * height, -cos * height


def _map_info(crs: CRS | None, transform: Transform) -> tuple[str, ...]:
    place = (
        "1",
        "1",
        number_text(transform[0]),
        number_text(transform[3]),
        number_text(transform[1]),
        number_text(-transform[5]),
    )
    if crs is None:
        return ("Arbitrary", *place)
    name, tail = _projection(crs)
    return (name, *place, *tail)


def _projection(crs: Any) -> tuple[str, tuple[str, ...]]:
    """Name of a projection in ``map info``, and what follows the pixel sizes."""
    geodetic = crs.geodetic_crs
    datum = _DATUMS.get(geodetic.name, geodetic.name) if geodetic is not None else "unknown"
    datum = datum.replace(",", " ")
    if crs.is_geographic:
        return "Geographic Lat/Lon", (datum, "units=Degrees")
    if crs.utm_zone is not None:
        zone, hemisphere = crs.utm_zone[:-1], "North" if crs.utm_zone[-1] == "N" else "South"
        return "UTM", (zone, hemisphere, datum, "units=Meters")
    return crs.name.replace(",", " "), (datum, "units=Meters")


def _numbers(value: MetadataValue | None) -> Transform | None:
    if not isinstance(value, tuple) or len(value) != 6:
        return None
    try:
        a, b, c, d, e, f = (float(item) for item in value)
    except ValueError:
        return None
    return a, b, c, d, e, f
