"""Named arrays of a file, and which of them is the scene, its wavelengths, its bad bands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.formats.block_source import Axes
from bandfold.formats.header_fields import is_wavelength_unit

_BAND_NAMES = frozenset(
    (
        *("band", "bands", "wavelength", "wavelengths", "wl", "lambda", "channel", "channels"),
        *("spectral", "spectral_band", "spectral_bands", "frequency", "layer", "layers"),
    )
)
_SAMPLE_NAMES = frozenset(("x", "lon", "longitude", "sample", "samples", "crosstrack", "column", "columns"))
_LINE_NAMES = frozenset(("y", "lat", "latitude", "line", "lines", "downtrack", "row", "rows"))

WAVELENGTHS = re.compile(
    r"(cent(er|re|ral)_?)?(wavelengths?|wl|wavelength_?cent(er|re)s?)|radiation_wavelength", re.IGNORECASE
)
WIDTHS = re.compile(r"fwhm|bandwidths?|full_width_half_max(imum)?", re.IGNORECASE)
GOOD = re.compile(r"bbl|good_(bands?|wavelengths?)|bad_band_list", re.IGNORECASE)
"""Names of lists of the wavelengths of bands, of their widths, and of which are good (1) or bad (0)."""

_BESIDE = re.compile(
    r"uncert|error|err$|noise|mask|flag|quality|std|sigma|variance|angle|geometry|^obs|^loc|^glt",
    re.IGNORECASE,
)
"""Parts of the names of arrays that lie beside a scene."""

_SCENES = re.compile(r"radiance|reflectance|^rad$|^rfl$|^toa|^rrs$|^cube$", re.IGNORECASE)
"""Parts of the names of scenes."""

_NO_DATA_NAMES = ("_FillValue", "missing_value", "no_data", "no_data_value", "nodata", "Data_Ignore_Value")


@dataclass(frozen=True)
class Variable:
    """An array in a file that holds several.

    Parameters
    ----------
    name : str
        With the groups that it is in: ``sensor/wavelengths``.
    data : array_like
        Has a shape and a dtype, and is read by indexing.
    dims : tuple of str
        Names of the axes; empty texts where they have none.
    attributes : mapping of str
        What the file says of the array: unit, no-data value, scale, ...
    parts : tuple of Variable
        Arrays of the file that it is made of, where it is none of the file.
    notes : tuple of str
        What the user should know of it.
    """

    name: str
    data: Any
    dims: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Variable, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(self.data.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        dtype: np.dtype[Any] = np.dtype(self.data.dtype)
        return dtype

    @property
    def last_name(self) -> str:
        """The name without groups."""
        return self.name.rpartition("/")[2]

    @property
    def numeric(self) -> bool:
        """Whether the elements are integers or floats."""
        return self.dtype.kind in "iuf"

    @property
    def extent(self) -> int:
        """Number of axes longer than 1."""
        return sum(length > 1 for length in self.shape)

    def values(self) -> NDArray[Any]:
        """All elements in one row."""
        return np.asarray(self.data[(slice(None),) * len(self.shape)]).ravel()

    @property
    def unsigned(self) -> bool:
        """Whether integers of a signed type stand for unsigned ones (``_Unsigned`` of NetCDF 3)."""
        said = self.text("_Unsigned") or str(self.attribute("_Unsigned") or "")
        return self.dtype.kind == "i" and said.strip().lower() == "true"

    @property
    def sample_dtype(self) -> np.dtype[Any]:
        """Type of the samples: that of the elements, or the unsigned one that they stand for."""
        unsigned = f"{self.dtype.byteorder}u{self.dtype.itemsize}"
        return np.dtype(unsigned) if self.unsigned else self.dtype

    def no_data_values(self) -> tuple[float, ...]:
        """No-data values that the attributes name, each once: numbers, texts, or lists of either."""
        found: list[float] = []
        for name in _NO_DATA_NAMES:
            for value in attribute_numbers(self.attribute(name)):
                marker = value
                if self.unsigned and value < 0 and value.is_integer():
                    marker = value + 256.0**self.dtype.itemsize
                if not any(marker == one or (np.isnan(marker) and np.isnan(one)) for one in found):
                    found.append(marker)
        return tuple(found)

    def no_data(self) -> float | None:
        """The first no-data value that the attributes name; None if they name none."""
        return next(iter(self.no_data_values()), None)

    def attribute(self, key: str) -> Any:
        """An attribute by its name, if need be in another case of letters; None if there is none."""
        if key in self.attributes:
            return self.attributes[key]
        return next((value for name, value in self.attributes.items() if name.lower() == key.lower()), None)

    def number(self, key: str) -> float | None:
        """An attribute that is one number."""
        value = np.ravel(() if self.attribute(key) is None else self.attribute(key))
        return float(value[0]) if value.size == 1 and value.dtype.kind in "iuf" else None

    def text(self, key: str) -> str | None:
        """An attribute that is a text, not empty."""
        value = self.attribute(key)
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.item()
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        return value.strip() or None if isinstance(value, str) else None


def choose_variable(path: Path, found: Sequence[Variable], wanted: str | None) -> Variable:
    """Find the scene among the arrays of a file.

    Parameters
    ----------
    path : Path
        What error messages call the file.
    found : sequence of Variable
        The arrays.
    wanted : str or None
        Its name, with or without groups. None takes the only array of three axes or, where there is none, of
        two. Of several, the only one that has a band for each wavelength and is not named like an uncertainty
        or a mask is taken, else the only one that is named like radiance or reflectance.

    Returns
    -------
    Variable
        The array that is the scene.

    Raises
    ------
    SceneError
        If there is none, or the choice is not clear.
    """
    arrays = [one for one in found if one.numeric and len(one.shape) >= 2 and min(one.shape) > 0]
    if wanted is not None:
        name = wanted.strip("/")
        exact = [one for one in found if one.name == name] or [one for one in found if one.last_name == name]
        if len(exact) == 1:
            return exact[0]
        reason = "is there several times: name its groups too" if exact else "is not there"
        raise SceneError(f"variable {wanted!r} of {path} {reason}; arrays are {_listed(arrays)}")
    for axes in (3, 2):
        candidates = [one for one in arrays if len(one.shape) == axes] or [
            one for one in arrays if one.extent == axes
        ]
        if len(candidates) > 1:
            candidates = _most_sensible(found, candidates)
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise SceneError(f"{path} holds several arrays: name one with --variable: {_listed(candidates)}")
    raise SceneError(f"{path} holds no array of numbers with two or three axes: {_listed(found)}")


def _most_sensible(found: Sequence[Variable], candidates: Sequence[Variable]) -> list[Variable]:
    """Those of several arrays that are most likely a scene."""
    lists = [one for one in found if one.extent <= 1 and WAVELENGTHS.fullmatch(one.last_name)]
    lengths = {int(np.prod(one.shape)) for one in lists}
    spectral = [one for one in candidates if any(length > 1 and length in lengths for length in one.shape)]
    left = [one for one in spectral or candidates if not _BESIDE.search(one.last_name)]
    named = [one for one in left if _SCENES.search(one.last_name)]
    return named if len(named) == 1 else left or list(candidates)


def choose_axes(
    path: Path,
    variable: Variable,
    wanted: str | None,
    usual: int | None,
    lengths: frozenset[int] = frozenset(),
) -> Axes:
    """Find out which axis is what.

    Parameters
    ----------
    path : Path
        What error messages call the file.
    variable : Variable
        The array that is the scene.
    wanted : str or None
        Number (negative ones count from the last) or name of the axis of the bands.
    usual : int or None
        Axis of the bands where nothing tells it, if the format has a habit.
    lengths : frozenset of int
        Numbers of wavelengths that the file lists.

    Returns
    -------
    Axes
        Of the two others, lines come first unless their names say something else.

    Raises
    ------
    SceneError
        If the axis is unknown, or there are not three.
    """
    shape, dims = variable.shape, variable.dims
    count = len(shape)
    bands = None if wanted is None else _named_axis(path, variable, wanted)
    if bands is None and count > 2:
        named = [axis for axis, name in enumerate(dims) if name.rpartition("/")[2].lower() in _BAND_NAMES]
        listed = [axis for axis, length in enumerate(shape) if length in lengths]
        long = [axis for axis, length in enumerate(shape) if length > 1]
        if len(named) == 1:
            bands = named[0]
        elif len(listed) == 1:
            bands = listed[0]
        elif usual is not None and len(long) == 3:
            bands = long[usual]
        elif usual is not None and count == 3:
            bands = usual % count
        else:
            raise SceneError(
                f"array {variable.name} of {path} does not tell which of its axes "
                f"{_axes_text(variable)} are the bands: say it with --band-axis"
            )
    rest = [axis for axis in range(count) if axis != bands]
    if len(rest) > 2:
        rest = [axis for axis in rest if shape[axis] > 1]
        # A line or a column of pixels: axes of length 1 are taken from the last on.
        spare = [axis for axis in range(count) if axis != bands and shape[axis] == 1]
        while len(rest) < 2:
            rest = sorted((*rest, spare.pop()))
    if len(rest) != 2:
        raise SceneError(
            f"array {variable.name} of {path} has {_axes_text(variable)}: bands, lines and samples are needed"
        )
    lines, samples = rest
    names = [dims[axis].rpartition("/")[2].lower() for axis in rest]
    if names[0] in _SAMPLE_NAMES and names[1] in _LINE_NAMES:
        lines, samples = samples, lines
    return Axes(bands, lines, samples, count)


def band_variable(
    found: Sequence[Variable], scene: Variable, bands: int | None, pattern: re.Pattern[str]
) -> Variable | None:
    """Find a list with a number for each band, the nearest to the scene first.

    Parameters
    ----------
    found : sequence of Variable
        The arrays of the file.
    scene : Variable
        The one that is the scene.
    bands : int or None
        Number of bands; None takes a list of any length.
    pattern : re.Pattern
        Its name: `WAVELENGTHS`, `WIDTHS` or `GOOD`. Coordinates of an axis in nanometres or micrometres are
        wavelengths whatever their name is.

    Returns
    -------
    Variable or None
        None if there is no such list.
    """
    group = scene.name.rpartition("/")[0]
    axes = {name.rpartition("/")[2] for name in scene.dims}
    lists = [
        one
        for one in found
        if one is not scene
        and (one.numeric or one.dtype.kind == "b")
        and one.extent <= 1
        and (bands is None or int(np.prod(one.shape)) == bands)
        and len(one.shape) > 0
        and (
            pattern.fullmatch(one.last_name)
            or pattern.fullmatch(one.text("standard_name") or "")
            or (pattern is WAVELENGTHS and one.last_name in axes and is_wavelength_unit(one.text("units")))
        )
    ]
    near = [one for one in lists if one.name.rpartition("/")[0] == group]
    return next(iter(near or lists), None)


def _named_axis(path: Path, variable: Variable, wanted: str) -> int:
    count = len(variable.shape)
    if re.fullmatch(r"-?\d+", wanted):
        axis = int(wanted)
        if -count <= axis < count:
            return axis % count
    elif wanted in variable.dims:
        return variable.dims.index(wanted)
    raise SceneError(
        f"array {variable.name} of {path} has no axis {wanted!r}: it has {_axes_text(variable)}; "
        "give a number from 0 or a name as --band-axis"
    )


def _axes_text(variable: Variable) -> str:
    sizes = [
        f"{name}={size}" if name else str(size)
        for name, size in zip(variable.dims, variable.shape, strict=True)
    ]
    return "(" + ", ".join(sizes) + ")"


def _listed(variables: Sequence[Variable]) -> str:
    shown = [f"{one.name} {_axes_text(one)} {one.dtype}" for one in variables[:12]]
    return ", ".join(shown) + (", ..." if len(variables) > 12 else "") if shown else "none"


def attribute_numbers(value: Any) -> list[float]:
    """Read the numbers that an attribute holds.

    Parameters
    ----------
    value : number, str, bytes, sequence of these, or None
        The attribute.

    Returns
    -------
    list of float
        Itself, its items, or those that its text lists; what is no number is left out.
    """
    found: list[float] = []
    for item in np.ravel(np.asarray([] if value is None else value, dtype=object)).tolist():
        text = item.decode("utf-8", "replace") if isinstance(item, bytes) else item
        parts = re.split(r"[,;\s]+", text.strip(" \t\n\0{}[]()")) if isinstance(text, str) else [text]
        for part in parts:
            try:
                found.append(float(part))
            except (TypeError, ValueError):
                continue
    return found
