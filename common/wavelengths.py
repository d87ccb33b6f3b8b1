"""Wavelengths of a scene, in nanometres: what tells whether a scene and a package are of one sensor."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .scene import MetadataValue

_UNITS = {"nanometers": 1.0, "nanometres": 1.0, "nm": 1.0}
_UNITS |= {"micrometers": 1000.0, "micrometres": 1000.0, "microns": 1000.0, "um": 1000.0, "µm": 1000.0}

_LARGEST_MICROMETRES = 100.0
"""Without a unit, numbers below this are micrometres."""


def wavelengths(metadata: Mapping[str, MetadataValue], bands: int) -> NDArray[np.float64] | None:
    """Read the wavelengths of a scene.

    Parameters
    ----------
    metadata : mapping of str to str or tuple of str
        ENVI header fields: ``wavelength`` and, where it is there, ``wavelength units``.
    bands : int
        Number of bands.

    Returns
    -------
    ndarray, shape (bands,), or None
        In nanometres; None if they are not there, not numbers, or of a unit that is not known.
    """
    items = metadata.get("wavelength")
    if not isinstance(items, tuple) or len(items) != bands:
        return None
    try:
        values = np.array([float(item) for item in items])
    except ValueError:
        return None
    if not np.isfinite(values).all() or values.min() <= 0:
        return None
    unit = metadata.get("wavelength units", "")
    name = unit.strip().lower() if isinstance(unit, str) else ""
    if name and name != "unknown":
        return values * _UNITS[name] if name in _UNITS else None
    return values * (1000.0 if values.max() < _LARGEST_MICROMETRES else 1.0)
