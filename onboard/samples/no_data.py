"""No-data: samples that are absent are found, and filled before coding so that their edges cost no bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import SceneInfo, SceneSource
from bandfold.common.values.fill_values import no_data_mask


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
