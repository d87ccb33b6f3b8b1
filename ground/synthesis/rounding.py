"""From real numbers to integer counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import SceneInfo


def round_to_counts(values: NDArray[np.float64], info: SceneInfo) -> NDArray[Any]:
    """Round to the integers that an encoder was given.

    Parameters
    ----------
    values : ndarray of float64, any shape
        In counts.
    info : SceneInfo
        Says the integer type of the counts.

    Returns
    -------
    ndarray, same shape
        Of type ``info.coded_dtype``: rounded half to even and clipped to its range.
    """
    limits = np.iinfo(info.coded_dtype.name)
    # Where a band is one number all over, that one is enough.
    source = values[:, :1, :1] if values.ndim == 3 and values.strides[1:] == (0, 0) else values
    counts = np.empty(source.shape, dtype=info.coded_dtype)
    # Plane by plane: float64 takes four times the memory of the counts.
    for plane, out in zip(source, counts, strict=True):
        out[...] = np.clip(np.rint(plane), limits.min, limits.max)
    return counts if counts.shape == values.shape else np.array(np.broadcast_to(counts, values.shape))
