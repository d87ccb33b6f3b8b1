"""Samples without data: they come back exactly, and no other sample passes for one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import SceneInfo

from .physical_units import BandUnits, apply_scaling


def mark_no_data(
    counts: NDArray[Any],
    absent: NDArray[np.bool_] | None,
    info: SceneInfo,
    units: BandUnits | None = None,
) -> NDArray[Any]:
    """Turn decoded counts into samples, and give those without data the no-data value of the scene.

    Parameters
    ----------
    counts : ndarray of an integer type, shape (bands, lines, samples)
        As decoded, of type ``info.coded_dtype``.
    absent : ndarray of bool, same shape, or None
        Samples without data; None if all have data.
    info : SceneInfo
        Says the sample type, the scaling and the no-data value; one that the sample type cannot hold marks
        nothing.
    units : BandUnits, optional
        What counts of these bands are worth; by default what the scaling says of the first ones.

    Returns
    -------
    ndarray, same shape
        Samples of type ``info.dtype``. A present one that was decoded to the no-data value lies one count
        beside it or, where a count is too small to see, at the next value of the type.
    """
    samples = apply_scaling(counts, info, units)
    marker = info.no_data
    if marker is None:
        return samples
    mistaken = samples == marker
    if absent is not None:
        mistaken &= ~absent
    if mistaken.any():
        moved = counts.copy()
        highest = np.iinfo(info.coded_dtype.name).max
        moved[mistaken] += np.where(moved[mistaken] < highest, 1, -1).astype(moved.dtype)
        samples = apply_scaling(moved, info, units)
        mistaken &= samples == marker
        if mistaken.any():
            samples[mistaken] = _next_value(samples[mistaken][0])
    if absent is not None and absent.any():
        # An encoder never marks what the type cannot hold; a stream that does may have any value there.
        with np.errstate(invalid="ignore", over="ignore"):
            samples[absent] = np.array(marker).astype(info.dtype)
    return samples


def _next_value(value: Any) -> Any:
    """The next larger value of its type, or the next smaller one of the largest."""
    limits: Any = np.finfo(value.dtype) if value.dtype.kind == "f" else np.iinfo(value.dtype)
    if value.dtype.kind == "f":
        return np.nextafter(value, limits.min if value >= limits.max else limits.max, dtype=value.dtype)
    return value - 1 if value == limits.max else value + 1
