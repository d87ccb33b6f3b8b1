"""A scene in small: some of its block rows, on which trials of a step are quick."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.geometry import BLOCK
from bandfold.bitstream.scene import SceneInfo

from .source import SceneSource


class ThinnedSource:
    """Every n-th row of a scene, one below the other.

    Parameters
    ----------
    source : SceneSource
    stride : int
        Rows of the scene for one that is kept.
    height : int
        Lines of a row.
    """

    def __init__(self, source: SceneSource, stride: int, height: int = BLOCK) -> None:
        self._source = source
        self._height = height
        whole = source.info.lines // height
        # Only whole rows, from the middle of each stride. Single rows are coded in the contexts of
        # strangers, but groups of them would be fewer places of the scene, and that is worse.
        self._rows = list(range(stride // 2, whole, stride))
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


def thinned(source: SceneSource, pixels: int, height: int = BLOCK) -> SceneSource:
    """A scene of about so many pixels that is typical of another; itself if it is not much larger.

    Parameters
    ----------
    source : SceneSource
    pixels : int
    height : int
        Lines that stay together.

    Returns
    -------
    SceneSource
    """
    stride = source.info.lines * source.info.samples // pixels
    if stride < 2 or source.info.lines < 2 * height * stride:
        return source
    return ThinnedSource(source, stride, height)
