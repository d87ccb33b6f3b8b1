"""No-data: samples that are absent are found, and filled before coding so that their edges cost no bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import SceneInfo, SceneSource


class FilledSource:
    """Counts of a scene in which absent samples take the value of the nearest present one on their line.

    Parameters
    ----------
    counts : SceneSource
        Integer samples, to be filled.
    original : SceneSource
        The scene as given, with its no-data value.
    """

    def __init__(self, counts: SceneSource, original: SceneSource) -> None:
        self._counts = counts
        self._original = original

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata."""
        return self._counts.info

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block; see `SceneSource.read`."""
        block = self._counts.read(bands, lines)
        mask = no_data_mask(self._original.read(bands, lines), self._original.info.no_data)
        return fill(block, mask) if mask.any() else block


def no_data_mask(block: NDArray[Any], no_data: float | None) -> NDArray[np.bool_]:
    """Find the samples that mark absent data.

    Parameters
    ----------
    block : ndarray
        Samples of any real type, before any scaling.
    no_data : float or None
        The marking value, possibly NaN; None marks nothing. It is compared in the type of `block`, so that
        ``0.1`` finds the float32 nearest to it; a value that the type cannot hold marks nothing.

    Returns
    -------
    ndarray of bool, same shape
        True where data is absent.
    """
    nothing = np.zeros(block.shape, np.bool_)
    if no_data is None:
        return nothing
    if block.dtype.kind == "f":
        with np.errstate(over="ignore"):
            marker = block.dtype.type(no_data)
        if np.isinf(marker) and np.isfinite(no_data):
            return nothing
        return np.asarray(np.isnan(block) if np.isnan(marker) else block == marker, np.bool_)
    limits = np.iinfo(block.dtype)
    if not float(no_data).is_integer() or not limits.min <= no_data <= limits.max:
        return nothing
    return np.asarray(block == block.dtype.type(int(no_data)), np.bool_)


def fill(block: NDArray[Any], absent: NDArray[np.bool_]) -> NDArray[Any]:
    """Fill absent samples along their lines.

    Parameters
    ----------
    block : ndarray, shape (..., samples)
        Samples.
    absent : ndarray of bool, same shape
        True where data is absent.

    Returns
    -------
    ndarray, same shape and type
        Absent samples hold the last present one before them, else the first after them, else zero.
    """
    place = np.arange(block.shape[-1])
    before = np.maximum.accumulate(np.where(absent, -1, place), axis=-1)
    after = np.minimum.accumulate(np.where(absent, block.shape[-1], place)[..., ::-1], axis=-1)[..., ::-1]
    source = np.where(before >= 0, before, after)
    present = source < block.shape[-1]
    filled = np.take_along_axis(block, np.where(present, source, 0), axis=-1)
    filled[~present] = 0
    return filled
