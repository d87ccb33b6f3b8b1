"""Bands from component planes, rounded to counts while they are in the cache of the processor."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.common.scene import SceneInfo

from .rounding import round_bands

TILE_BYTES = 1 << 19
"""Bytes of the real numbers that are worked on together: as many as the cache of a core holds."""


class BandSynthesis:
    """The inverse of a fold: of the second KLT, then of the KLT of each interval, and the means added.

    What it costs grows with the components that are there, and not with those of the fold.

    Parameters
    ----------
    fold : Fold
        The vectors of both KLTs, and the band means; a spectral transform is needed.
    live : ndarray of int64, shape (components,)
        Numbers of the components that are not zero, in rising order.
    bands : slice
        Bands wanted: a half-open range with explicit bounds and no step.
    """

    def __init__(self, fold: Fold, live: NDArray[np.int64], bands: slice) -> None:
        self._fold = fold
        self._live = live
        self._bands = bands
        self._means = fold.means[bands] / FRACTION

    def counts(self, planes: NDArray[np.float64], info: SceneInfo) -> NDArray[Any]:
        """Turn component planes into counts.

        Parameters
        ----------
        planes : ndarray of float64, shape (live components, lines, samples)
            In counts.
        info : SceneInfo
            Says the integer type of the counts.

        Returns
        -------
        ndarray, shape (wanted bands, lines, samples)
            Of type ``info.coded_dtype``: rounded half to even and clipped to its range.
        """
        shape = (len(self._means), *planes.shape[1:])
        flat = planes.reshape(len(planes), shape[1] * shape[2])
        counts = np.empty((shape[0], flat.shape[1]), dtype=info.coded_dtype)
        width = max(64, TILE_BYTES // (8 * shape[0]))
        tile = np.empty((shape[0], width))
        for start in range(0, flat.shape[1], width):
            part = flat[:, start : start + width]
            values = tile[:, : part.shape[1]]
            self._mix(part, values)
            round_bands(values, self._means, counts[:, start : start + width])
        return counts.reshape(shape)

    def _mix(self, planes: NDArray[np.float64], values: NDArray[np.float64]) -> None:
        """Bands of some pixels, less their means, into an array of shape (wanted bands, pixels)."""
        if self._direct is not None:
            np.matmul(self._direct, planes, out=values)
        else:
            first = self._first(planes)
            for rows, columns, basis in self._intervals:
                np.matmul(basis, first[columns], out=values[rows])

    def _first(self, planes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Undo the second KLT: all components of all intervals, in their order."""
        merging, inside, outside = self._merging
        first = np.zeros((len(self._fold.split[0]) + len(self._fold.split[1]), planes.shape[1]))
        first[inside] = merging @ planes[: merging.shape[1]]
        first[outside] = planes[merging.shape[1] :]
        return first

    @cached_property
    def _merging(self) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
        """What undoes the second KLT, and where merged components lie, and others that are live."""
        second, (inside, outside) = self._fold.second, self._fold.split
        if second is None:
            raise ValueError("without a spectral transform components are bands")
        merged = int(np.searchsorted(self._live, second.count))
        return second.inverse[:, self._live[:merged]], inside, outside[self._live[merged:] - second.count]

    @cached_property
    def _intervals(self) -> tuple[tuple[slice, slice, NDArray[np.float64]], ...]:
        """Rows of the wanted bands of each interval, rows of its components, and what undoes its KLT."""
        found, position = [], 0
        for start, end, vectors in zip(self._fold.starts, self._fold.ends, self._fold.first, strict=True):
            low, high = max(start, self._bands.start), min(end, self._bands.stop)
            if low < high:
                rows = slice(low - self._bands.start, high - self._bands.start)
                columns = slice(position, position + vectors.count)
                found.append((rows, columns, vectors.inverse[low - start : high - start]))
            position += vectors.count
        return tuple(found)

    @cached_property
    def _direct(self) -> NDArray[np.float64] | None:
        """Both KLTs in one, shape (wanted bands, live components), where that takes fewer products."""
        merging = self._merging[0]
        staged = merging.size + sum(basis.size for _, _, basis in self._intervals)
        if len(self._means) * len(self._live) > staged:
            return None
        first = self._first(np.eye(len(self._live)))
        return np.concatenate([basis @ first[columns] for _, columns, basis in self._intervals])
