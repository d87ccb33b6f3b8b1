"""Products of PRISMA: two cubes, one for each detector, which attributes of the whole file describe.

After the PRISMA Products Specification Document (ASI, issue 2.3): bands lie in order of falling wavelength;
``List_Cw_*`` and ``List_Fwhm_*`` hold wavelengths and widths, with zeros for bands that are not used;
radiance is counts / ``ScaleFactor_*`` - ``Offset_*``; reflectance is
``L2Scale*Min`` + counts x (``L2Scale*Max`` - ``L2Scale*Min``) / 65535.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .band_attributes import GAINS, OFFSETS
from .variables import Variable

_CUBE = re.compile(r".*PRS_L(\w+)_HCO/Data Fields/(VNIR|SWIR)_Cube")
_BANDS_AXIS = 1
_DIMS = ("lines", "bands", "samples")
_FULL_SCALE = 65535


class JoinedBands:
    """Arrays of lines, bands and samples one behind the other along the bands.

    Parameters
    ----------
    parts : sequence of (array_like, bool)
        Arrays, and whether the order of the bands of each is reversed.
    """

    def __init__(self, parts: Sequence[tuple[Any, bool]]) -> None:
        self._parts = list(parts)
        first = parts[0][0]
        self.dtype = np.dtype(first.dtype)
        self._bands = [int(data.shape[_BANDS_AXIS]) for data, _ in parts]
        self.shape = (int(first.shape[0]), sum(self._bands), int(first.shape[2]))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the arrays."""
        return tuple(dict.fromkeys(note for data, _ in self._parts for note in getattr(data, "notes", ())))

    def __getitem__(self, index: tuple[slice, slice, slice]) -> NDArray[Any]:
        lines, bands, samples = index
        low, high, _ = bands.indices(self.shape[_BANDS_AXIS])
        pieces, start = [], 0
        for (data, reversed_), count in zip(self._parts, self._bands, strict=True):
            first, last = max(low - start, 0), min(high - start, count)
            start += count
            if first >= last:
                continue
            if reversed_:
                first, last = count - last, count - first
            piece = np.asarray(data[lines, first:last, samples])
            pieces.append(piece[:, ::-1] if reversed_ else piece)
        if not pieces:
            empty: NDArray[Any] = np.asarray(self._parts[0][0][lines, 0:0, samples])
            return empty
        return np.concatenate(pieces, axis=_BANDS_AXIS)


def with_prisma_cubes(found: Sequence[Variable], about: Mapping[str, Any]) -> list[Variable]:
    """Describe the cubes of a PRISMA product, and join them.

    Parameters
    ----------
    found : sequence of Variable
        All arrays of the file.
    about : mapping of str
        Attributes of the whole file.

    Returns
    -------
    list of Variable
        Of other files the arrays as they are. Of a PRISMA product both cubes with their bands in order of
        rising wavelength, wavelengths, widths, good bands, scales and offsets as attributes, and in front one
        more, ``radiance`` or ``reflectance``, that holds the bands of both if they have the same pixels.
    """
    root = Variable("", np.zeros(()), (), about)
    cubes = [
        (one, match)
        for one in found
        if len(one.shape) == len(_DIMS) and (match := _CUBE.fullmatch(one.name)) is not None
    ]
    made = {one.name: _cube(one, match[1], match[2].title(), root) for one, match in cubes}
    described = [made.get(one.name, one) for one in found]
    both = sorted(made.values(), key=lambda one: "VNIR" not in one.last_name)
    if len(both) != 2 or both[0].shape[::2] != both[1].shape[::2] or both[0].dtype != both[1].dtype:
        return described
    return [_joined(both), *described]


def chosen(found: Sequence[Variable], wanted: str | None) -> str | None:
    """Name of the array to take: the joined one of a PRISMA product where nothing is said."""
    if wanted is None and found and found[0].parts:
        return found[0].name
    return wanted


def _cube(cube: Variable, level: str, detector: str, root: Variable) -> Variable:
    bands = cube.shape[_BANDS_AXIS]
    wavelength = _list(root, f"List_Cw_{detector}", bands)
    width = _list(root, f"List_Fwhm_{detector}", bands)
    flags = _list(root, f"List_Cw_{detector}_Flags", bands)
    known = wavelength[wavelength > 0] if wavelength is not None else np.zeros(0)
    falling = known.size > 1 and bool(known[0] > known[-1])
    attributes = dict(cube.attributes)
    scale, offset = _scale(level, detector, root)
    lists = {"fwhm": width}
    if wavelength is not None:
        good = (wavelength > 0) & (flags != 0 if flags is not None else True)
        lists |= {"wavelengths": wavelength, "good_bands": good.astype(float)}
        attributes["wavelength_units"] = "nm"
    for name, values in lists.items():
        if values is not None:
            attributes[name] = values[::-1] if falling else values
    if scale != 1:
        attributes[GAINS] = np.full(bands, scale)
    if offset != 0:
        attributes[OFFSETS] = np.full(bands, offset)
    if "units" not in attributes and level in ("1", "2B"):
        attributes["units"] = "W/(m2 sr um)"
    attributes |= _map(root, cube.shape)
    return Variable(cube.name, JoinedBands([(cube.data, falling)]), _DIMS, attributes, (cube,))


def _joined(both: Sequence[Variable]) -> Variable:
    group = both[0].name.rpartition("/")[0]
    radiance = "units" in both[0].attributes
    attributes = dict(both[0].attributes)
    for name in ("wavelengths", "fwhm", "good_bands", GAINS, OFFSETS):
        neutral = {GAINS: 1.0, OFFSETS: 0.0}.get(name)
        parts = [
            one.attributes.get(name, None if neutral is None else np.full(one.shape[_BANDS_AXIS], neutral))
            for one in both
        ]
        attributes.pop(name, None)
        if any(name in one.attributes for one in both) and all(part is not None for part in parts):
            attributes[name] = np.concatenate(parts)
    # Each cube has put its bands in order already.
    data = JoinedBands([(one.data, False) for one in both])
    note = (
        "bands of VNIR_Cube and SWIR_Cube are joined, in order of wavelength (--variable takes one of them)"
    )
    made_of = (*both, *(part for one in both for part in one.parts))
    name = f"{group}/{'radiance' if radiance else 'reflectance'}"
    return Variable(name, data, _DIMS, attributes, made_of, (note,))


def _list(root: Variable, name: str, bands: int) -> NDArray[np.float64] | None:
    value = root.attribute(name)
    numbers = np.ravel(np.asarray(() if value is None else value, np.float64))
    return numbers if numbers.size == bands else None


def _scale(level: str, detector: str, root: Variable) -> tuple[float, float]:
    """What a count is worth, and count 0."""
    factor = root.number(f"ScaleFactor_{detector}")
    least, most = root.number(f"L2Scale{detector}Min"), root.number(f"L2Scale{detector}Max")
    if level == "1" and factor:
        return 1 / factor, -(root.number(f"Offset_{detector}") or 0.0)
    if least is not None and most is not None:
        return (most - least) / _FULL_SCALE, least
    return 1.0, 0.0


def _map(root: Variable, shape: tuple[int, ...]) -> dict[str, str]:
    """Georeference of products on a map: centres of the corner pixels."""
    code = root.number("Epsg_Code")
    left, right, top, bottom = (
        root.number(f"Product_{name}")
        for name in ("ULcorner_easting", "LRcorner_easting", "ULcorner_northing", "LRcorner_northing")
    )
    if None in (code, left, right, top, bottom) or min(shape[0], shape[2]) < 2:
        return {}
    width = (float(right) - float(left)) / (shape[2] - 1)  # type: ignore[arg-type]
    height = (float(bottom) - float(top)) / (shape[0] - 1)  # type: ignore[arg-type]
    place = (float(left) - width / 2, width, 0.0, float(top) - height / 2, 0.0, height)  # type: ignore[arg-type]
    return {
        "spatial_ref": f"EPSG:{int(code)}",  # type: ignore[arg-type]
        "GeoTransform": " ".join(repr(number) for number in place),
    }
