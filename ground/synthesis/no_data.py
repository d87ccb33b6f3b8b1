"""Samples without data: they come back exactly, and no other sample passes for one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import SceneInfo

from .physical_units import apply_scaling


def mark_no_data(counts: NDArray[Any], absent: NDArray[np.bool_] | None, info: SceneInfo) -> NDArray[Any]:
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

    Returns
    -------
    ndarray, same shape
        Samples of type ``info.dtype``. A present one that was decoded to the no-data value lies one count
        beside it.
    """
    samples = apply_scaling(counts, info)
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
        samples = apply_scaling(moved, info)
    if absent is not None and absent.any():
        # An encoder never marks what the type cannot hold; a stream that does may have any value there.
        with np.errstate(invalid="ignore", over="ignore"):
            samples[absent] = np.array(marker).astype(info.dtype)
    return samples
