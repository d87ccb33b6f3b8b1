"""Scenes in HDF5, NetCDF and Zarr: one of several named arrays, which the others describe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bandfold.common.errors import SceneError
from bandfold.common.scene import MetadataValue

from . import fields, georeference
from .blocks import BlockSource, Wanted
from .cf import FIELD_PREFIX, USUAL_NAME
from .variables import (
    Variable,
    choose_axes,
    choose_variable,
    good_variable,
    wavelength_variable,
    width_variable,
)

_CHUNK_CACHE = 64 << 20
"""Bytes of decompressed chunks that HDF5 keeps: blocks of a scene cut across chunks."""

_AS_STORED: dict[str, Any] = dict.fromkeys(
    ("mask_and_scale", "decode_times", "decode_timedelta", "concat_characters", "decode_coords"), False
)
"""What xarray is to leave alone. (`open_groups` does not heed ``decode_cf=False``.)"""


def open_hdf5(path: Path, wanted: Wanted) -> BlockSource:
    """Open a scene in an HDF5 file.

    Parameters
    ----------
    path : Path
    wanted : Wanted
        The axis of the bands has to be named where neither names of axes nor wavelengths tell it.

    Returns
    -------
    BlockSource
        Reads chunks when they are needed.

    Raises
    ------
    SceneError
        If the file cannot be read or it is not clear what in it is the scene.
    """
    import h5py

    with _reading(path):
        file = h5py.File(path, "r", rdcc_nbytes=_CHUNK_CACHE)
        found: list[Variable] = []

        def visit(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.shape is not None:
                dims = tuple(_scale_name(item, axis) for axis in range(len(item.shape)))
                found.append(Variable(name, item, dims, dict(item.attrs)))

        file.visititems(visit)
        about = dict(file.attrs)
    return container_source(path, found, about, wanted)


def open_xarray(path: Path, wanted: Wanted, engine: str | None = None) -> BlockSource:
    """Open a scene in a NetCDF file (3 or 4) or a Zarr store.

    Parameters
    ----------
    path : Path
    wanted : Wanted
    engine : str, optional
        Of xarray; by default that for the version of NetCDF which the file has.

    Returns
    -------
    BlockSource
        Reads what is asked for.

    Raises
    ------
    SceneError
        As `open_hdf5`.
    """
    import xarray

    with _reading(path):
        if engine is None:
            engine = "scipy" if _begins_with(path, b"CDF") else "h5netcdf"
        # As stored: the codec sees counts, and absent samples as they are marked.
        if engine == "scipy":
            groups = {"/": xarray.open_dataset(path, engine="scipy", **_AS_STORED)}
        else:
            # Zarr stores with and without consolidated metadata are read the same way, and without a warning.
            extra: dict[str, Any] = {"consolidated": False} if engine == "zarr" else {}
            groups = xarray.open_groups(path, engine=engine, chunks=None, **_AS_STORED, **extra)
        found = [
            Variable(f"{group.strip('/')}/{name}".strip("/"), item, tuple(map(str, item.dims)), item.attrs)
            for group, content in groups.items()
            for name, item in content.variables.items()
        ]
        about = dict(groups["/"].attrs)
    return container_source(path, found, about, wanted)


def container_source(
    path: Path,
    found: Sequence[Variable],
    about: dict[str, Any],
    wanted: Wanted,
    *,
    usual: int | None = None,
    mirrored: bool = False,
) -> BlockSource:
    """Make a scene of one of several arrays, and its header fields of the others.

    Parameters
    ----------
    path : Path
    found : sequence of Variable
    about : dict
        Attributes of the whole file.
    wanted : Wanted
    usual : int, optional
        Axis of the bands where nothing tells it.
    mirrored : bool
        The arrays have their axes in reverse order of that in which the user counts them (MATLAB in HDF5).

    Returns
    -------
    BlockSource

    Raises
    ------
    SceneError
        If it is not clear what is the scene, or it cannot be coded.
    """
    scene = choose_variable(path, found, wanted.variable)
    if not scene.numeric:
        raise SceneError(
            f"array {scene.name} of {path} holds no integers or floats but {scene.dtype}: name another"
        )
    shown = scene
    if mirrored:
        shown = Variable(scene.name, _Mirror(scene.data), scene.dims[::-1], scene.attributes)
    listed = wavelength_variable(found, scene, None)
    lengths = frozenset((int(np.prod(listed.shape)),)) if listed is not None else frozenset()
    axes = choose_axes(path, shown, wanted.band_axis, usual, lengths)
    shape = axes.shape(shown.shape)
    with _reading(path):
        metadata = {**_spectral(found, scene, shape[0]), **_described(scene, about, shape[0])}
        _place(found, scene, axes.lines, axes.samples, shape).update(metadata)
    info = wanted.info(shape, scene.dtype, metadata, scene.marker(), axes.interleave)
    return BlockSource(path, scene.data, axes.mirrored() if mirrored else axes, info)


class _Mirror:
    """Shape and type of an array with its axes in reverse order."""

    def __init__(self, data: Any) -> None:
        self.shape = tuple(data.shape)[::-1]
        self.dtype = data.dtype


def _spectral(found: Sequence[Variable], scene: Variable, bands: int) -> dict[str, MetadataValue]:
    wavelength = wavelength_variable(found, scene, bands)
    width = width_variable(found, scene, bands)
    good = good_variable(found, scene, bands)
    return fields.spectral_fields(
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
    units = scene.text("units")
    if units:
        described[fields.DATA_UNITS] = units
    if scene.last_name != USUAL_NAME:
        described[fields.VARIABLE] = scene.last_name
    described |= fields.scale_fields(bands, scene.number("scale_factor"), scene.number("add_offset"))
    for name in about:
        text = root.text(name) if name.startswith(FIELD_PREFIX) else None
        if text is not None:
            described[fields.header_key(name[len(FIELD_PREFIX) :])] = fields.parse_field(text)
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


def _scale_name(dataset: Any, axis: int) -> str:
    """Name of an axis: its label, or the dimension scale that is attached to it."""
    dimension = dataset.dims[axis]
    name = dimension.label or (dimension[0].name if len(dimension) else "")
    return str(name).rpartition("/")[2]


def _begins_with(path: Path, magic: bytes) -> bool:
    with open(path, "rb") as file:
        return file.read(len(magic)) == magic


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SceneError(f"cannot read {path}: {reason}; check that it is what its suffix says") from error
