"""Wavelengths, widths and bad bands in the tags of a raster, whatever the case of their letters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bandfold.common.scene import MetadataValue
from bandfold.formats import header_fields

IMAGERY_DOMAIN = "IMAGERY"
"""GDAL's domain for wavelengths of bands."""

_WAVELENGTH = re.compile(r"(cent(er|re|ral)_?)?wavelengths?(_(?P<unit>nm|um))?")
_WIDTH = re.compile(r"(fwhm|bandwidths?|full_width_half_max(imum)?)(_(?P<unit>nm|um))?")
_UNIT = re.compile(r"(cent(er|re|ral)_?)?wavelengths?_units?")
_GOOD = re.compile(r"good_(bands?|wavelengths?)|bbl")
_NUMBER = re.compile(
    r"\s*([-+]?[\d.]+(?:e[-+]?\d+)?)\s*(nm|um|µm|nanomet(?:er|re)s?|micromet(?:er|re)s?)?\s*", re.I
)


def wavelength_name(nanometres: float) -> str:
    """Name a band that has no name by its wavelength: that is what QGIS and GDAL show.

    Parameters
    ----------
    nanometres : float
        Its wavelength.

    Returns
    -------
    str
        As ``550.25 nm``.
    """
    return f"{nanometres:.6g} nm"


def band_fields(file: Any) -> dict[str, MetadataValue]:
    """Read the header fields that tags tell of the bands.

    Parameters
    ----------
    file : rasterio.DatasetReader
        The raster.

    Returns
    -------
    dict
        ``wavelength``, its unit, ``fwhm`` and ``bbl``, where all bands have them: in tags of each band
        (GDAL's ``CENTRAL_WAVELENGTH_UM`` first, else such as ``WAVELENGTH`` or ``Center_Wavelength``), or as
        lists in tags of the file. A unit may be part of the name or of the value, or a tag of its own.
    """
    count = file.count
    # Wavelengths of GDAL's own domain come first.
    for domain in (IMAGERY_DOMAIN, None):
        tags = [_lower(file.tags(band, ns=domain)) for band in range(1, count + 1)]
        columns = {name: [tag[name] for tag in tags] for name in tags[0] if all(name in tag for tag in tags)}
        fields = _fields(columns, count)
        if fields:
            return fields
    lists = {
        name: parts
        for name, text in _lower(file.tags()).items()
        if len(parts := re.split(r"[,;\s]+", text.strip(" {}[]()"))) == count or _UNIT.fullmatch(name)
    }
    return _fields(lists, count)


def _lower(tags: Mapping[str, str]) -> dict[str, str]:
    return {name.strip().lower().replace(" ", "_"): text for name, text in tags.items()}


def _fields(columns: Mapping[str, Sequence[str]], count: int) -> dict[str, MetadataValue]:
    wavelength, unit = _column(columns, _WAVELENGTH)
    if wavelength is None:
        return {}
    told = next((texts[0] for name, texts in columns.items() if _UNIT.fullmatch(name)), None)
    unit = unit or told or header_fields.wavelength_unit(wavelength)
    width, width_unit = _column(columns, _WIDTH)
    if width is not None and width_unit is not None and unit is not None:
        width = _converted(width, width_unit, unit)
    good = next((texts for name, texts in columns.items() if _GOOD.fullmatch(name)), None)
    flags = None if good is None else [text.strip().lower() in ("1", "1.0", "true", "yes") for text in good]
    return header_fields.spectral_fields(count, wavelength=wavelength, unit=unit, fwhm=width, good=flags)


def _column(
    columns: Mapping[str, Sequence[str]], pattern: re.Pattern[str]
) -> tuple[list[float] | None, str | None]:
    """Numbers of the first tags of a name, and their unit if name or values tell it."""
    for name, texts in columns.items():
        named = pattern.fullmatch(name)
        parts = [_NUMBER.fullmatch(text) for text in texts]
        if named is None or not all(parts):
            continue
        units = {part[2] for part in parts if part is not None}
        try:
            values = [float(part[1]) for part in parts if part is not None]
        except ValueError:
            continue
        return values, named["unit"] or (units.pop() if len(units) == 1 else None)
    return None, None


def _converted(values: list[float], unit: str, wanted: str) -> list[float] | None:
    """Numbers in another unit; None if one of the units is not known."""
    fields: dict[str, MetadataValue] = {header_fields.UNITS: unit}
    given = header_fields.cf_unit(fields)
    other = header_fields.cf_unit({header_fields.UNITS: wanted})
    if given == other:
        return values
    factor = {("nm", "um"): 1e-3, ("um", "nm"): 1e3}.get((given or "", other or ""))
    return None if factor is None else [value * factor for value in values]
