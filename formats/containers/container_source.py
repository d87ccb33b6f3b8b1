"""A scene in one of several named arrays of a file, which the others describe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bandfold.common.errors import SceneError
from bandfold.common.scene import MetadataValue, NoData
from bandfold.formats import header_fields
from bandfold.formats.block_source import ArrayBlockSource, BlockSource, reading
from bandfold.formats.scene_options import SceneOptions

from .band_attributes import GAINS, OFFSETS, listed_variables
from .cf_conventions import FIELD_PREFIX, OTHER_UNIT, USUAL_NAME
from .geolocation import geolocation, not_carried
from .grid_mapping import misread_mapping, scene_georeference
from .stored_samples import StoredSamples
from .variables import (
    GOOD,
    WAVELENGTHS,
    WIDTHS,
    Variable,
    attribute_numbers,
    band_variable,
    choose_axes,
    choose_variable,
)


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
    found = [*listed_variables(scene), *found]
    listed = band_variable(found, scene, None, WAVELENGTHS)
    lengths = frozenset((int(np.prod(listed.shape)),)) if listed is not None else frozenset()
    axes = choose_axes(path, shown, options.band_axis, usual, lengths)
    shape = axes.shape(shown.shape)
    with reading(path):
        bands, lists = _spectral(found, scene, shape[0])
        metadata = {**bands, **_described(scene, about, shape[0])}
        place = scene_georeference(found, scene, axes.lines, axes.samples, shape)
        place.update(metadata)
        grids = None if place.transform is not None else geolocation(found, scene, *shape[1:])
    notes = [*scene.notes, *getattr(scene.data, "notes", ())]
    if grids is not None:
        metadata = {**grids.fields, **metadata}
        notes.append(grids.note)
        lists = [*lists, *grids.used]
    notes += misread_mapping(scene, place)
    notes += _misfits(scene, shape[0])
    notes += not_carried(found, scene, [*lists, *scene.parts])
    markers = scene.no_data_values() if isinstance(options.no_data, NoData) else ()
    info = options.scene_info(shape, scene.sample_dtype, metadata, next(iter(markers), None), axes.interleave)
    data = scene.data
    if scene.unsigned or len(markers) > 1:
        data = StoredSamples(data, info.dtype, markers)
    return ArrayBlockSource(path, data, axes.mirrored() if mirrored else axes, info, notes)


_SCALING = ("scale_factor", "add_offset")
"""Attributes of CF: a number for all bands; some programs write one for each."""


class _Mirror:
    """Shape and type of an array with its axes in reverse order."""

    def __init__(self, data: Any) -> None:
        self.shape = tuple(data.shape)[::-1]
        self.dtype = data.dtype


def _spectral(
    found: Sequence[Variable], scene: Variable, bands: int
) -> tuple[dict[str, MetadataValue], list[Variable]]:
    """Header fields of the bands, and the variables that hold them."""
    wavelength, width, good = (
        band_variable(found, scene, bands, pattern) for pattern in (WAVELENGTHS, WIDTHS, GOOD)
    )
    fields = header_fields.spectral_fields(
        bands,
        wavelength=None if wavelength is None else wavelength.values(),
        unit=None if wavelength is None else wavelength.text("units"),
        fwhm=None if width is None else width.values(),
        good=None if good is None else good.values(),
    )
    return fields, [one for one in (wavelength, width, good) if one is not None]


def _only(numbers: Sequence[float]) -> float | None:
    """The number of a list of one."""
    return numbers[0] if len(numbers) == 1 else None


def _misfits(scene: Variable, bands: int) -> list[str]:
    """What to tell of a scale or an offset that is neither a number nor one for each band."""
    return [
        f"{name} of {scene.name} is {value!r}"[:100]
        + ", no number for all bands or for each: it is not carried"
        for name in _SCALING
        if (value := scene.attribute(name)) is not None and len(attribute_numbers(value)) not in (1, bands)
    ]


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
    scale, offset = (attribute_numbers(scene.attribute(name)) for name in _SCALING)
    described |= header_fields.scale_fields(bands, _only(scale), _only(offset))
    for key, listed, name in ((header_fields.GAINS, scale, GAINS), (header_fields.OFFSETS, offset, OFFSETS)):
        numbers = attribute_numbers(scene.attribute(name)) or listed
        if len(numbers) == bands and (bands > 1 or numbers is not listed):
            described[key] = header_fields.number_texts(numbers)
    for name in about:
        text = root.text(name) if name.startswith(FIELD_PREFIX) else None
        if text is not None:
            described[header_fields.header_key(name[len(FIELD_PREFIX) :])] = header_fields.parse_field(text)
    return described
