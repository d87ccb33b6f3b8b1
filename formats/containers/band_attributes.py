"""Lists with a number for each band in the attributes of an array, as Tanager and PRISMA have them."""

from __future__ import annotations

from typing import Any

import numpy as np

from bandfold.formats.header_fields import wavelength_unit

from .variables import GOOD, WAVELENGTHS, WIDTHS, Variable, attribute_numbers

GAINS, OFFSETS = "band_scale_factors", "band_offsets"
"""Attributes with a scale and an offset of each band, as readers of this folder write them."""

_UNIT_NAMES = ("wavelength_units", "wavelengths_units", "wavelength_unit", "band_units")


def listed_variables(scene: Variable) -> list[Variable]:
    """Make variables of the lists of bands that an array has as attributes.

    Parameters
    ----------
    scene : Variable
        The array. Names of its attributes may be written in any case of letters, its lists as text.

    Returns
    -------
    list of Variable
        Wavelengths (with their unit, by their size where the file does not tell it), widths, and which bands
        are good, in the group of the array.
    """
    group = scene.name.rpartition("/")[0]
    found: list[Variable] = []
    for name, value in scene.attributes.items():
        if not any(pattern.fullmatch(name) for pattern in (WAVELENGTHS, WIDTHS, GOOD)):
            continue
        numbers = np.array(attribute_numbers(value))
        if numbers.size not in scene.shape:
            continue
        about: dict[str, Any] = {}
        if WAVELENGTHS.fullmatch(name):
            said = next((text for key in _UNIT_NAMES if (text := scene.text(key))), None)
            about["units"] = said or wavelength_unit(numbers)
        found.append(Variable(f"{group}/{name}".strip("/"), numbers, ("",), about))
    return found
