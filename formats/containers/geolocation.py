"""Grids of longitude and latitude that lie beside a scene, and what else of its file is not carried."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import MetadataValue
from bandfold.formats.tie_points import GEO_POINTS, field_of, thinned

from .variables import Variable

_LONGITUDE = re.compile(r"lon|longitudes?(_\w+)?", re.IGNORECASE)
_LATITUDE = re.compile(r"lat|latitudes?(_\w+)?", re.IGNORECASE)

_LISTED = 6
"""Names of arrays in one line."""

_LOOKUP = re.compile(r"(glt|igm)(_\w+)?", re.IGNORECASE)
"""Geometry lookup tables, which put pixels on a map, and their inverse."""


@dataclass(frozen=True)
class Geolocation:
    """Longitudes and latitudes of the pixels of a scene, thinned out.

    Parameters
    ----------
    fields : dict
        The header field ``geo points``.
    used : tuple of Variable
        The grids.
    note : str
        What became of them.
    """

    fields: dict[str, MetadataValue]
    used: tuple[Variable, ...]
    note: str


def geolocation(found: Sequence[Variable], scene: Variable, lines: int, samples: int) -> Geolocation | None:
    """Find grids of longitude and latitude that have the lines and samples of a scene.

    Parameters
    ----------
    found : sequence of Variable
        All arrays of the file.
    scene : Variable
        The array that is the scene.
    lines, samples : int
        Its geometry.

    Returns
    -------
    Geolocation or None
        None if there are none. Of several (PRISMA has one for each detector) the first ones count.
    """
    shape = (lines, samples)
    grids = [
        next((one for one in found if pattern.fullmatch(one.last_name) and _fits(one, shape)), None)
        for pattern in (_LONGITUDE, _LATITUDE)
    ]
    longitude, latitude = grids
    if longitude is None or latitude is None:
        return None
    points, error = thinned(_degrees(longitude, shape), _degrees(latitude, shape))
    what = f"longitude and latitude of each pixel ({lines} x {samples})"
    if not points:
        return Geolocation({}, (longitude, latitude), f"{what} are not carried: they hold no degrees")
    within = f", which give them within {error:.3g} m" if np.isfinite(error) else ""
    note = f"{what} are carried as {len(points)} tie points ({GEO_POINTS!r}){within}"
    return Geolocation({GEO_POINTS: field_of(points)}, (longitude, latitude), note)


def not_carried(found: Sequence[Variable], scene: Variable, used: Sequence[Variable]) -> tuple[str, ...]:
    """Say which arrays of a file are left out.

    Parameters
    ----------
    found : sequence of Variable
        All arrays of the file.
    scene : Variable
        The array that is the scene.
    used : sequence of Variable
        Those that describe it, and are carried.

    Returns
    -------
    tuple of str
        One line, or none if nothing is left out; geometry lookup tables come first. Single numbers, and
        coordinates of axes, are not told.
    """
    dims = {name.rpartition("/")[2] for name in scene.dims}
    left = [
        one.name
        for one in found
        if one is not scene
        and not any(one is other or one.name == other.name for other in used)
        and not any(part is scene for part in one.parts)
        and (one.numeric or one.dtype.kind == "b")
        and one.extent >= 1
        and one.last_name not in dims
    ]
    if not left:
        return ()
    left.sort(key=lambda name: _LOOKUP.fullmatch(name.rpartition("/")[2]) is None)
    more = f" and {len(left) - _LISTED} others" if len(left) > _LISTED else ""
    return (f"not carried, keep the file for them: {', '.join(left[:_LISTED])}{more}",)


def _fits(variable: Variable, shape: tuple[int, int]) -> bool:
    return variable.numeric and tuple(length for length in variable.shape if length > 1) == tuple(
        length for length in shape if length > 1
    )


def _degrees(variable: Variable, shape: tuple[int, int]) -> NDArray[np.float64]:
    values = variable.values().astype(np.float64).reshape(shape)
    for marker in variable.no_data_values():
        values[values == marker] = np.nan
    return values
