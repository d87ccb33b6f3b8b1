"""From real numbers to integer counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import compiled
from bandfold.common.scene import CODED_DTYPES, SceneInfo


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
    limits = np.iinfo(info.coded_dtype.name)
    real = np.clip(values.astype(np.float64), limits.min, limits.max)
    rounded: NDArray[Any] = np.rint(real, out=real).astype(info.coded_dtype)
    return rounded


def round_bands(values: NDArray[np.float64], means: NDArray[np.float64], counts: NDArray[Any]) -> None:
    """Add the means of bands, and round as `round_to_counts` does.

    Parameters
    ----------
    values : ndarray of float64, shape (bands, pixels)
        In counts, less the mean of each band; may have gaps between bands.
    means : ndarray of float64, shape (bands,)
        In counts.
    counts : ndarray of uint8, int8, uint16 or int16, shape (bands, pixels)
        Where counts are written; may have gaps between bands.
    """
    limits = np.iinfo(counts.dtype)
    kind = CODED_DTYPES.index(counts.dtype)
    _round(values, means, float(limits.min), float(limits.max), kind, counts)


@compiled(
    "bf_round(values: float64[bands:value_stride, pixels], value_stride: int64, means: float64[bands],"
    " bands: int64, pixels: int64, low: float64, high: float64, kind: int32,"
    " counts: out(any[bands:count_stride, pixels]), count_stride: int64)"
)
def _round(
    values: NDArray[np.float64],
    means: NDArray[np.float64],
    low: float,
    high: float,
    kind: int,
    counts: NDArray[Any],
) -> None:
    """Write counts, of a type that `kind` tells."""
    real = values + means[:, None]
    np.clip(real, low, high, out=real)
    counts[...] = np.rint(real, out=real)


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
