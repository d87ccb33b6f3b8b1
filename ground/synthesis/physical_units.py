"""From 16-bit counts back to sample values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import SceneInfo


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
