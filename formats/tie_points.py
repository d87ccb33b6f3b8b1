"""Tie points: places on Earth of some pixels, as the ENVI header field ``geo points`` holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import MetadataValue

GEO_POINTS = "geo points"
"""Header field: sample, line, latitude, longitude of points; (1.5, 1.5) is the centre of the first pixel."""

SPACING = 64
"""Pixels from a tie point to the next, at most."""

_DECIMALS = 6
"""Of degrees: a tenth of a metre."""

_METRES_PER_DEGREE = 111_320.0

_CENTRE = 1.5


class TiePoint(NamedTuple):
    """Where the centre of a pixel lies.

    Parameters
    ----------
    sample, line : float
        From 0, whole numbers being centres of pixels.
    longitude, latitude : float
        Degrees on WGS 84.
    """

    sample: float
    line: float
    longitude: float
    latitude: float


def field_of(points: list[TiePoint]) -> tuple[str, ...]:
    """Write tie points as the items of ``geo points``."""
    items: list[str] = []
    for point in points:
        items += (f"{point.sample + _CENTRE:.1f}", f"{point.line + _CENTRE:.1f}")
        items += (f"{point.latitude:.{_DECIMALS}f}", f"{point.longitude:.{_DECIMALS}f}")
    return tuple(items)


def read_tie_points(metadata: Mapping[str, MetadataValue]) -> list[TiePoint]:
    """Read the tie points of header fields; none where there are none, or nobody understands them.

    Parameters
    ----------
    metadata : mapping of str to str or tuple of str
        Header fields of a scene.

    Returns
    -------
    list of TiePoint
        In the order of the field.
    """
    value = metadata.get(GEO_POINTS)
    if not isinstance(value, tuple) or not value or len(value) % 4:
        return []
    try:
        numbers = np.array([float(item) for item in value]).reshape(-1, 4)
    except ValueError:
        return []
    return [TiePoint(x - _CENTRE, y - _CENTRE, lon, lat) for x, y, lat, lon in numbers.tolist()]


def moved(value: MetadataValue, lines: int, samples: int = 0) -> MetadataValue | None:
    """Let tie points refer to a line and a sample that are now the first.

    Parameters
    ----------
    value : str or tuple of str
        ``geo points`` of the whole scene.
    lines, samples : int
        Lines and samples that were cut off before them.

    Returns
    -------
    tuple of str or None
        Those points moved; points outside the scene are tie points all the same. None if nobody understands
        them.
    """
    points = read_tie_points({GEO_POINTS: value})
    return (
        field_of([TiePoint(point.sample - samples, point.line - lines, *point[2:]) for point in points])
        or None
    )


def thinned(longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> tuple[list[TiePoint], float]:
    """Take tie points out of grids of longitude and latitude.

    Parameters
    ----------
    longitude, latitude : ndarray, shape (lines, samples)
        Degrees of the centre of each pixel; what is none (NaN, fill values) is left out.

    Returns
    -------
    points : list of TiePoint
        Every `SPACING` pixels, and at the borders.
    error : float
        Metres between a pixel and what linear interpolation between the points gives, at most; NaN where
        points are missing.
    """
    known = (abs(latitude) <= 90) & (abs(longitude) <= 360)
    longitude = np.where(known, longitude, np.nan)
    latitude = np.where(known, latitude, np.nan)
    if np.nanmax(longitude, initial=-360) - np.nanmin(longitude, initial=360) > 180:
        # Across the date line.
        longitude = np.where(longitude < 0, longitude + 360, longitude)
    rows, columns = (np.unique([*range(0, size, SPACING), size - 1]) for size in latitude.shape)
    places = np.ix_(rows, columns)
    points = [
        TiePoint(float(column), float(row), (float(lon) + 180) % 360 - 180, float(lat))
        for row, lons, lats in zip(rows, longitude[places], latitude[places], strict=True)
        for column, lon, lat in zip(columns, lons, lats, strict=True)
        if np.isfinite(lon) and np.isfinite(lat)
    ]
    east = (longitude - _between(longitude[places], rows, columns)) * np.cos(np.radians(latitude))
    north = latitude - _between(latitude[places], rows, columns)
    distance = np.hypot(east, north) * _METRES_PER_DEGREE
    error = float(np.nanmax(distance)) if np.isfinite(distance).any() else float("nan")
    return points, error


def _between(
    values: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Interpolate linearly between rows and columns of a grid."""
    every_column = np.arange(columns[-1] + 1)
    wide = np.array([np.interp(every_column, columns, row) for row in values])
    every_row = np.arange(rows[-1] + 1)
    return np.array([np.interp(every_row, rows, column) for column in wide.T]).T
