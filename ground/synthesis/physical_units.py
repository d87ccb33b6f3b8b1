"""From real numbers to integer counts, and from counts to sample values."""

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
    return np.clip(np.rint(values), limits.min, limits.max).astype(info.coded_dtype)


def apply_scaling(counts: NDArray[Any], info: SceneInfo) -> NDArray[Any]:
    """Turn decoded counts into samples: ``count * scale + offset``.

    Parameters
    ----------
    counts : ndarray of int16 or uint16, shape (bands, lines, samples)
        As decoded.
    info : SceneInfo
        Says the sample type and the scaling. Without a scaling the counts are the samples.

    Returns
    -------
    ndarray, same shape
        Samples of type ``info.dtype``: computed in float64, for integers rounded half to even and clipped to
        the range of the type, for float32 clipped to the finite range.
    """
    scaling = info.scaling
    if scaling is None:
        return counts.astype(info.dtype, copy=False)
    values = np.empty(counts.shape, info.dtype)
    dtype: Any = info.dtype
    limits = np.finfo(dtype) if info.dtype.kind == "f" else np.iinfo(dtype)
    # Plane by plane: float64 takes four times the memory of the counts.
    for plane, source in zip(values, counts, strict=True):
        with np.errstate(over="ignore"):
            exact = source * np.float64(scaling.scale) + np.float64(scaling.offset)
        if info.dtype.kind != "f":
            np.rint(exact, out=exact)
        plane[...] = np.clip(exact, limits.min, limits.max)
    return values
