"""Levels that come component by component, held in the narrowest integers until they are written."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.features import DIAGONAL_BOUNDS
from bandfold.common.scene import CHANNELS
from bandfold.common.strip_memory import StripMemory

from .latents import LatentStatistics

COMPONENTS_AT_ONCE = 8
"""Components that are unpacked together: few, so that they stay in the cache."""

_WIDEST = 4
"""Bytes of a level at most."""

_TYPES = tuple(np.dtype(name) for name in ("i1", "i2", "i4"))

_LARGEST = tuple(int(np.iinfo(one).max) for one in _TYPES)


@dataclass(frozen=True)
class _Place:
    """Where a component is.

    Parameters
    ----------
    levels, classes : int
        Where they begin, in bytes.
    channels : int
        Those that are held, up to the last diagonal with a level that is not zero.
    dtype : data type
        Of the levels.
    """

    levels: int
    classes: int
    channels: int
    dtype: np.dtype[np.signedinteger]


class PackedLevels:
    """Levels and classes of components up to the last diagonal that is coded: few of them at low rates.

    Parameters
    ----------
    shape : tuple of int
        Components, rows and columns of blocks.
    memory : StripMemory, optional
        Where room for all of them is taken from. What is not needed of it is not touched.
    """

    def __init__(self, shape: tuple[int, int, int], memory: StripMemory | None = None) -> None:
        components, *self._extent = shape
        self._positions = shape[1] * shape[2]
        most = components * (CHANNELS * self._positions * (_WIDEST + 1) + _WIDEST)
        self._room = (memory or StripMemory()).array("levels", (most,), np.uint8)
        self._counts = np.zeros((4, components), np.int64)
        self._places: list[_Place] = []
        self._end = 0

    @property
    def components(self) -> int:
        """Number of components that there is room for."""
        return self._counts.shape[1]

    @property
    def statistics(self) -> LatentStatistics:
        """Of all components that were added."""
        return LatentStatistics(*self._counts)

    def add(self, levels: NDArray[np.int32], classes: NDArray[np.uint8]) -> None:
        """Add the next components.

        Parameters
        ----------
        levels : ndarray of int32, shape (64, components, rows, columns)
            Contiguous.
        classes : ndarray of uint8, same shape
            Of the tables that code them.
        """
        found = LatentStatistics.of(levels)
        first = len(self._places)
        counts = (found.nonzero, found.energy, found.bits, found.extents)
        self._counts[:, first : first + levels.shape[1]] = counts
        for one, (extent, energy) in enumerate(zip(found.extents, found.energy, strict=True)):
            channels = int(DIAGONAL_BOUNDS[extent])
            self._add(levels[:channels, one], classes[:channels, one], int(energy))

    def pieces(self, components: slice) -> Iterator[tuple[NDArray[np.int32], NDArray[np.uint8]]]:
        """Take components out again.

        Parameters
        ----------
        components : slice
            With explicit bounds and no step.

        Yields
        ------
        levels : ndarray of int32, shape (64, components, rows, columns)
            Some of them, in their order. Behind the last diagonal that is coded of each they may be anything.
        classes : ndarray of uint8, same shape
            The same. Both are overwritten by what comes next.
        """
        shape = (CHANNELS, min(COMPONENTS_AT_ONCE, components.stop - components.start), *self._extent)
        levels, classes = np.empty(shape, np.int32), np.empty(shape, np.uint8)
        for start in range(components.start, components.stop, COMPONENTS_AT_ONCE):
            places = self._places[start : min(start + COMPONENTS_AT_ONCE, components.stop)]
            for one, place in enumerate(places):
                held = place.channels, *self._extent
                levels[: place.channels, one] = self._held(place.levels, held, place.dtype)
                classes[: place.channels, one] = self._held(place.classes, held, np.dtype(np.uint8))
            yield levels[:, : len(places)], classes[:, : len(places)]

    def _add(self, levels: NDArray[np.int32], classes: NDArray[np.uint8], energy: int) -> None:
        # Squares of a sum that is small are small.
        largest = math.isqrt(energy)
        if largest > _LARGEST[0]:
            largest = max(int(levels.max()), -int(levels.min()))
        dtype = _TYPES[bisect_left(_LARGEST, largest)]
        start = -(-self._end // _WIDEST) * _WIDEST
        middle = start + levels.size * dtype.itemsize
        self._end = middle + levels.size
        self._held(start, levels.shape, dtype)[...] = levels
        self._held(middle, levels.shape, np.dtype(np.uint8))[...] = classes
        self._places.append(_Place(start, middle, len(levels), dtype))

    def _held(self, start: int, shape: tuple[int, ...], dtype: np.dtype[np.integer]) -> NDArray[np.integer]:
        size = math.prod(shape) * dtype.itemsize
        return self._room[start : start + size].view(dtype).reshape(shape)
