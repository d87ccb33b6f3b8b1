"""Header fields as texts: numbers, units, and lists on one line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import MetadataValue

WAVELENGTH, FWHM, BAD_BANDS = "wavelength", "fwhm", "bbl"
BAND_NUMBERS = (WAVELENGTH, FWHM, BAD_BANDS)
"""Fields with a number for each band."""

UNITS, BAND_NAMES = "wavelength units", "band names"
GAINS, OFFSETS = "data gain values", "data offset values"
DATA_UNITS = "data units"
IGNORE = "data ignore value"
VARIABLE = "variable name"
"""Name of the array in the file that a scene was read from; bandfold's own, ENVI has no field for it."""

_MOST_DECIMALS = 9
"""Decimals of numbers that the METADATA section packs."""

_CF_UNITS = {"nanometers": "nm", "nanometres": "nm", "micrometers": "um", "micrometres": "um"}
_CF_UNITS |= {"nm": "nm", "um": "um", "µm": "um", "microns": "um", "nanometer": "nm", "micrometer": "um"}
_ENVI_UNITS = {"nm": "Nanometers", "um": "Micrometers"}


def number_text(value: float) -> str:
    """Write a number so that it is read back exactly, a whole one without decimals."""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def number_texts(values: Iterable[Any]) -> tuple[str, ...]:
    """Write numbers so that they are read back exactly, with as many decimals each if that takes few.

    Parameters
    ----------
    values : iterable of numbers
        Of any integer or float type: a float32 is written with the digits that tell it from its neighbours.

    Returns
    -------
    tuple of str
        A text for each number.
    """
    numbers = [value.item() if isinstance(value, np.integer) else value for value in values]
    if all(isinstance(number, int) for number in numbers):
        return tuple(str(number) for number in numbers)
    exact = [str(number) if isinstance(number, np.floating) else repr(float(number)) for number in numbers]
    floats = [float(text) for text in exact]
    if np.isfinite(floats).all():
        for digits in range(_MOST_DECIMALS + 1):
            texts = tuple(f"{number:.{digits}f}" for number in floats)
            if all(float(text) == number for text, number in zip(texts, floats, strict=True)):
                return texts
    return tuple(exact)


def numbers(metadata: Mapping[str, MetadataValue], key: str, bands: int) -> NDArray[np.float64] | None:
    """Read a field that has a number for each band.

    Parameters
    ----------
    metadata : mapping of str to str or tuple of str
        Header fields.
    key : str
        Name of the field.
    bands : int
        Number of bands of the scene.

    Returns
    -------
    ndarray, shape (bands,), or None
        None if the field is absent, of another length or holds something else.
    """
    value = metadata.get(key)
    items = (value,) if isinstance(value, str) else value
    if items is None or len(items) != bands:
        return None
    try:
        return np.array([float(item) for item in items])
    except ValueError:
        return None


def uniform(metadata: Mapping[str, MetadataValue], key: str, bands: int) -> float | None:
    """Number that a field gives for all bands; None if it differs, or the field cannot be read."""
    values = numbers(metadata, key, bands)
    return float(values[0]) if values is not None and (values == values[0]).all() else None


def cf_unit(metadata: Mapping[str, MetadataValue]) -> str | None:
    """Unit of the wavelengths as UDUNITS writes it; None where the header does not say it."""
    unit = metadata.get(UNITS)
    if not isinstance(unit, str) or unit.strip().lower() in ("", "unknown"):
        return None
    return _CF_UNITS.get(unit.strip().lower(), unit.strip())


def is_wavelength_unit(unit: str | None) -> bool:
    """Whether a unit is one of nanometres or micrometres, in any spelling."""
    return unit is not None and unit.strip().lower() in _CF_UNITS


def envi_unit(unit: str) -> str:
    """Unit of wavelengths as ENVI writes it."""
    short = _CF_UNITS.get(unit.strip().lower(), unit.strip())
    return _ENVI_UNITS.get(short, short)


def wavelength_unit(values: Sequence[float] | NDArray[Any]) -> str | None:
    """Unit of wavelengths by their size, where a file does not tell it.

    Parameters
    ----------
    values : sequence of float
        Wavelengths; zeros stand for bands without one.

    Returns
    -------
    {"nm", "um"} or None
        None if they fit neither optical nor thermal sensors.
    """
    known = np.asarray(values, np.float64)
    known = known[known > 0]
    if not known.size:
        return None
    if known.min() >= 100 and known.max() <= 50_000:
        return "nm"
    return "um" if known.min() >= 0.1 and known.max() <= 50 else None


def nanometres(metadata: Mapping[str, MetadataValue], key: str, bands: int) -> NDArray[np.float64] | None:
    """Wavelengths or widths in nanometres; None if they are absent or their unit is not known."""
    values = numbers(metadata, key, bands)
    factor = {"nm": 1.0, "um": 1000.0}.get(cf_unit(metadata) or "")
    return None if values is None or factor is None else values * factor


def field_text(value: MetadataValue) -> str:
    """Write a field on one line, a list in braces as in an ENVI header."""
    if isinstance(value, str):
        return value
    return "{" + ", ".join(item.replace(",", " ") for item in value) + "}"


def parse_field(text: str) -> MetadataValue:
    """Read what `field_text` wrote."""
    if not (text.startswith("{") and text.endswith("}")):
        return text
    inside = text[1:-1].strip()
    return tuple(item.strip() for item in inside.split(",")) if inside else ()


def attribute_name(key: str) -> str:
    """Turn a header key into a name without spaces; an underscore becomes two."""
    return key.replace("_", "__").replace(" ", "_")


def header_key(name: str) -> str:
    """Undo `attribute_name`."""
    return re.sub("__?", lambda match: "_" if len(match[0]) == 2 else " ", name)


def spectral_fields(
    bands: int,
    *,
    wavelength: Sequence[Any] | NDArray[Any] | None = None,
    unit: str | None = None,
    fwhm: Sequence[Any] | NDArray[Any] | None = None,
    good: Sequence[Any] | NDArray[Any] | None = None,
) -> dict[str, MetadataValue]:
    """Header fields of what is known of the bands.

    Parameters
    ----------
    bands : int
        Number of bands of the scene.
    wavelength, fwhm : sequence of numbers, optional
        Centre and full width at half maximum of each band; those of another length than `bands` are left out.
    unit : str, optional
        Unit of both, as the file writes it.
    good : sequence, optional
        1 or true for bands to use, 0 for bad ones.

    Returns
    -------
    dict
        Values of the fields by their names, those that are known.
    """
    fields: dict[str, MetadataValue] = {}
    if wavelength is not None and len(wavelength) == bands:
        fields[WAVELENGTH] = number_texts(wavelength)
        if unit:
            fields[UNITS] = envi_unit(unit)
    if fwhm is not None and len(fwhm) == bands:
        fields[FWHM] = number_texts(fwhm)
    if good is not None and len(good) == bands:
        fields[BAD_BANDS] = tuple(str(int(float(one) != 0)) for one in good)
    return fields


def scale_fields(bands: int, scale: float | None, offset: float | None) -> dict[str, MetadataValue]:
    """Header fields of a physical scale and offset for all bands; those that change nothing are left out."""
    fields: dict[str, MetadataValue] = {}
    if scale is not None and scale != 1:
        fields[GAINS] = number_texts([scale]) * bands
    if offset is not None and offset != 0:
        fields[OFFSETS] = number_texts([offset]) * bands
    return fields
