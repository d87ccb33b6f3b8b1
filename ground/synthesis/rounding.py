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
    values : ndarray of float64, shape (bands, lines, samples) or that of a plane
        In counts.
    info : SceneInfo
        Says the integer type of the counts.

    Returns
    -------
    ndarray, same shape
        Of type ``info.coded_dtype``: rounded half to even and clipped to its range.
    """
    if values.ndim > 2 and values.size > values.shape[0]:
        counts = np.empty(values.shape, dtype=info.coded_dtype)
        # Plane by plane: float64 takes four times the memory of the counts.
        for plane, out in zip(values, counts, strict=True):
            out[...] = round_to_counts(plane, info)
        return counts
    real = values.astype(np.float64)
    round_in_place(real, info)
    return real.astype(info.coded_dtype)


def round_in_place(values: NDArray[np.float64], info: SceneInfo) -> None:
    """As `round_to_counts`, of numbers that stay where they are.

    Parameters
    ----------
    values : ndarray of float64, any shape
        In counts; changed.
    info : SceneInfo
        Says the integer type of the counts.
    """
    limits = np.iinfo(info.coded_dtype.name)
    np.clip(values, limits.min, limits.max, out=values)
    np.rint(values, out=values)


def mean_counts(means: NDArray[np.float64], shape: tuple[int, int], info: SceneInfo) -> NDArray[Any]:
    """Planes of one number each.

    Parameters
    ----------
    means : ndarray of float64, shape (bands,)
        In counts.
    shape : tuple of int
        Lines and samples of a plane.
    info : SceneInfo
        Says the integer type of the counts.

    Returns
    -------
    ndarray, shape (bands, lines, samples)
        Of type ``info.coded_dtype``.
    """
    rounded = round_to_counts(means[:, None, None], info)
    return np.array(np.broadcast_to(rounded, (len(means), *shape)))
