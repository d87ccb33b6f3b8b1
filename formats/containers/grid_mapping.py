"""Where the pixels of an array lie on a map, as its grid mapping or the coordinates of its axes say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bandfold.common.errors import SceneError
from bandfold.formats import georeference

from .variables import Variable


def scene_georeference(
    found: Sequence[Variable], scene: Variable, lines: int, samples: int, shape: tuple[int, int, int]
) -> georeference.Georeference:
    """Read the georeference of a scene.

    Parameters
    ----------
    found : sequence of Variable
        All arrays of the file.
    scene : Variable
        The array that is the scene.
    lines, samples : int
        Axes of its lines and samples.
    shape : tuple of int
        Bands, lines and samples.

    Returns
    -------
    Georeference
        Of attributes of the array itself, of the variable that it names as its grid mapping, or of the
        coordinates of its axes. Both are looked for in its group, and in the groups that hold that.
    """
    near = visible(found, scene)
    crs = transform = None
    named = (scene.text("grid_mapping") or "").partition(":")[0]
    own = scene if scene.text("GeoTransform") else None
    mapping = near.get(named.rpartition("/")[2]) or own
    if mapping is not None:
        crs = _crs(mapping)
        transform = _transform(mapping.text("GeoTransform") or "")
    dims = scene.dims
    if transform is None and len(dims) > max(lines, samples):
        across, along = (near.get(dims[axis].rpartition("/")[2]) for axis in (samples, lines))
        transform = _regular(across, along, shape)
        geographic = across is not None and "degrees" in (across.text("units") or "")
        if transform is not None and crs is None and geographic:
            crs = georeference.parse_crs("EPSG:4326")
    return georeference.Georeference(crs, transform)  # type: ignore[arg-type]


def visible(found: Sequence[Variable], scene: Variable) -> dict[str, Variable]:
    """Arrays by their last names that an array can refer to: those of its group and of the groups around it.

    Parameters
    ----------
    found : sequence of Variable
        All arrays of the file.
    scene : Variable
        The array.

    Returns
    -------
    dict
        Of equal names the one that is nearest.
    """
    group = scene.name.rpartition("/")[0]
    around = [one for one in found if f"{group}/".startswith(f"{_group(one)}/") or not _group(one)]
    return {one.last_name: one for one in sorted(around, key=lambda one: len(_group(one)))}


def _group(variable: Variable) -> str:
    return variable.name.rpartition("/")[0]


def misread_mapping(scene: Variable, place: georeference.Georeference) -> list[str]:
    """Say so, in one line, where a scene names a grid mapping of which nothing is carried.

    Parameters
    ----------
    scene : Variable
        The array that is the scene.
    place : Georeference
        What was read of it.

    Returns
    -------
    list of str
    """
    named = scene.text("grid_mapping")
    if not named or place.crs is not None or place.transform is not None:
        return []
    return [
        f"not carried: grid mapping {named!r}, which is not there or tells no projection and no geotransform"
    ]


def _transform(text: str) -> tuple[float, ...] | None:
    try:
        numbers = tuple(float(number) for number in text.split())
    except ValueError:
        return None
    return numbers if len(numbers) == 6 and np.isfinite(numbers).all() else None


def _crs(mapping: Variable) -> Any:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    text = mapping.text("crs_wkt") or mapping.text("spatial_ref")
    try:
        return georeference.parse_crs(text) if text else CRS.from_cf(dict(mapping.attributes))
    except (SceneError, CRSError, KeyError):
        # What nobody can read is not carried.
        return None


def _regular(x: Variable | None, y: Variable | None, shape: tuple[int, int, int]) -> tuple[float, ...] | None:
    """Geotransform of evenly spaced pixel centres."""
    if x is None or y is None or not (x.numeric and y.numeric):
        return None
    corners = []
    for variable, length in ((x, shape[2]), (y, shape[1])):
        if variable.shape != (length,) or length < 2:
            return None
        values = variable.values().astype(np.float64)
        step = (values[-1] - values[0]) / (length - 1)
        if step == 0 or not np.allclose(np.diff(values), step, rtol=1e-3, atol=0):
            return None
        corners.append((float(values[0] - step / 2), float(step)))
    (left, width), (top, height) = corners
    return left, width, 0.0, top, 0.0, height
