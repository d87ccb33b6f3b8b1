"""A scene in one of several named arrays of a file, which the others describe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bandfold.common.errors import SceneError
from bandfold.common.scene import MetadataValue, NoData
from bandfold.formats import georeference, header_fields
from bandfold.formats.block_source import ArrayBlockSource, BlockSource, reading
from bandfold.formats.scene_options import SceneOptions

from .cf_conventions import FIELD_PREFIX, OTHER_UNIT, USUAL_NAME
from .stored_samples import StoredSamples
from .variables import GOOD, WAVELENGTHS, WIDTHS, Variable, band_variable, choose_axes, choose_variable


def container_source(
    path: Path,
    found: Sequence[Variable],
    about: dict[str, Any],
    options: SceneOptions,
    *,
    usual: int | None = None,
    mirrored: bool = False,
) -> BlockSource:
    """Make a scene of one of several arrays, and its header fields of the others.

    Parameters
    ----------
    path : Path
        What error messages call the file.
    found : sequence of Variable
        All arrays of the file.
    about : dict
        Attributes of the whole file.
    options : SceneOptions
        Which array is the scene, which of its axes are the bands, scaling and no-data value.
    usual : int, optional
        Axis of the bands where nothing tells it.
    mirrored : bool
        The arrays have their axes in reverse order of that in which the user counts them (MATLAB in HDF5).

    Returns
    -------
    BlockSource
        Reads what is asked for; its header fields are those that the other arrays and the attributes tell.

    Raises
    ------
    SceneError
        If it is not clear what is the scene, or it cannot be coded.
    """
    scene = choose_variable(path, found, options.variable)
    if not scene.numeric:
        raise SceneError(
            f"array {scene.name} of {path} holds no integers or floats but {scene.dtype}: name another"
        )
    shown = scene
    if mirrored:
        shown = Variable(scene.name, _Mirror(scene.data), scene.dims[::-1], scene.attributes)
    listed = band_variable(found, scene, None, WAVELENGTHS)
    lengths = frozenset((int(np.prod(listed.shape)),)) if listed is not None else frozenset()
    axes = choose_axes(path, shown, options.band_axis, usual, lengths)
    shape = axes.shape(shown.shape)
    with reading(path):
        metadata = {**_spectral(found, scene, shape[0]), **_described(scene, about, shape[0])}
        _place(found, scene, axes.lines, axes.samples, shape).update(metadata)
    markers = scene.no_data_values() if isinstance(options.no_data, NoData) else ()
    info = options.scene_info(shape, scene.sample_dtype, metadata, next(iter(markers), None), axes.interleave)
    data = scene.data
    if scene.unsigned or len(markers) > 1:
        data = StoredSamples(data, info.dtype, markers)
    return ArrayBlockSource(path, data, axes.mirrored() if mirrored else axes, info)


class _Mirror:
    """Shape and type of an array with its axes in reverse order."""

    def __init__(self, data: Any) -> None:
        self.shape = tuple(data.shape)[::-1]
        self.dtype = data.dtype


def _spectral(found: Sequence[Variable], scene: Variable, bands: int) -> dict[str, MetadataValue]:
    wavelength, width, good = (
        band_variable(found, scene, bands, pattern) for pattern in (WAVELENGTHS, WIDTHS, GOOD)
    )
    return header_fields.spectral_fields(
        bands,
        wavelength=None if wavelength is None else wavelength.values(),
        unit=None if wavelength is None else wavelength.text("units"),
        fwhm=None if width is None else width.values(),
        good=None if good is None else good.values(),
    )


def _described(scene: Variable, about: dict[str, Any], bands: int) -> dict[str, MetadataValue]:
    """What attributes say: description, unit, scale, offset, and fields as `cf_dataset` writes them."""
    described: dict[str, MetadataValue] = {}
    root = Variable("", np.zeros(()), (), about)
    title = root.text("title") or root.text("description")
    if title:
        described["description"] = title
    units = scene.text("units") or scene.text(OTHER_UNIT)
    if units:
        described[header_fields.DATA_UNITS] = units
    if scene.last_name != USUAL_NAME:
        described[header_fields.VARIABLE] = scene.last_name
    described |= header_fields.scale_fields(bands, scene.number("scale_factor"), scene.number("add_offset"))
    for name in about:
        text = root.text(name) if name.startswith(FIELD_PREFIX) else None
        if text is not None:
            described[header_fields.header_key(name[len(FIELD_PREFIX) :])] = header_fields.parse_field(text)
    return described


def _place(
    found: Sequence[Variable], scene: Variable, lines: int, samples: int, shape: tuple[int, int, int]
) -> georeference.Georeference:
    """Georeference: of the grid mapping, or of the coordinates of the pixels."""
    group = scene.name.rpartition("/")[0]
    near = {one.last_name: one for one in found if one.name.rpartition("/")[0] == group}
    crs = transform = None
    mapping = near.get((scene.text("grid_mapping") or "").partition(":")[0])
    if mapping is not None:
        crs = _crs(mapping)
        numbers = (mapping.text("GeoTransform") or "").split()
        if len(numbers) == 6:
            transform = tuple(float(number) for number in numbers)
    dims = scene.dims
    if transform is None and len(dims) > max(lines, samples):
        transform = _regular(near.get(dims[samples]), near.get(dims[lines]), shape)
        if transform is not None and crs is None and "degrees" in (near[dims[samples]].text("units") or ""):
            crs = georeference.parse_crs("EPSG:4326")
    return georeference.Georeference(crs, transform)  # type: ignore[arg-type]


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
