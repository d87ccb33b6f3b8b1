"""Subsampling: some rows of blocks of a scene, on which trials of a step are quick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import BLOCK, SceneInfo, SceneSource

WORTH_WHILE = 8
"""Where two rows have more pixels than asked for, they stand for a scene of so many times as many."""


class SubsampledSource:
    """Some rows of a scene, one below the other.

    Parameters
    ----------
    source : SceneSource
        The scene.
    rows : sequence of int
        Rows that are kept, whole ones.
    height : int
        Lines of a row.
    """

    def __init__(self, source: SceneSource, rows: Sequence[int], height: int = BLOCK) -> None:
        self._source = source
        self._height = height
        self._rows = rows
        self._info = replace(source.info, lines=len(self._rows) * height)

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata; fewer lines than the scene."""
        return self._info

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block; see `SceneSource.read`."""
        height = self._height
        first, last = lines.start // height, -(-lines.stop // height)
        rows = [slice(row * height, (row + 1) * height) for row in self._rows[first:last]]
        block = np.concatenate([self._source.read(bands, row) for row in rows], axis=1)
        return block[:, lines.start - first * height : lines.stop - first * height]


def typical_rows(info: SceneInfo, pixels: int, height: int = BLOCK) -> range | None:
    """Rows of a scene that stand for all of it.

    Parameters
    ----------
    info : SceneInfo
        Of the scene.
    pixels : int
        Pixels to keep, about.
    height : int
        Lines of a row.

    Returns
    -------
    range or None
        Numbers of the rows; None if the scene is not much larger.
    """
    stride = stride_for(info, pixels, height)
    # Only whole rows, from the middle of each stride. Single rows are coded in the contexts of strangers, but
    # groups of them would be fewer places of the scene, and that is worse.
    return None if stride < 2 else range(stride // 2, info.lines // height, stride)


def stride_for(info: SceneInfo, pixels: int, height: int = BLOCK) -> int:
    """Rows of a scene for each that is kept.

    Parameters
    ----------
    info : SceneInfo
        Of the scene.
    pixels : int
        Pixels to keep, about.
    height : int
        Lines of a row.

    Returns
    -------
    int
        1 if the scene is not much larger.
    """
    stride, most = info.lines * info.samples // pixels, info.lines // (2 * height)
    if stride > most:
        # Lines are long: two rows have more pixels than asked for, but far fewer than the scene.
        stride = most if most >= WORTH_WHILE else 1
    return max(stride, 1)
