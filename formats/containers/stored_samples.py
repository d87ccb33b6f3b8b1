"""Samples of an array whose attributes give its elements another meaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import native


class StoredSamples:
    """An array whose elements are read as what they stand for.

    Parameters
    ----------
    data : array_like
        Has a shape, and is read by indexing.
    dtype : numpy.dtype
        Type of the samples: that of the elements, or the unsigned one of as many bytes.
    markers : sequence of float
        Values that mark absent data. A scene has one: the others are read as the first.
    """

    def __init__(self, data: Any, dtype: np.dtype[Any], markers: Sequence[float]) -> None:
        self._data = data
        self.shape = tuple(data.shape)
        self.dtype = native(dtype)
        self._markers = markers

    def __getitem__(self, key: Any) -> NDArray[Any]:
        stored = np.asarray(self._data[key])
        samples = stored.astype(native(stored.dtype), copy=False)
        if samples.dtype != self.dtype:
            samples = samples.view(self.dtype)
        for other in self._markers[1:]:
            marked = np.isnan(samples) if np.isnan(other) else samples == np.array(other)
            if marked.any():
                samples = np.where(marked, np.array(self._markers[0]).astype(self.dtype), samples)
        return samples
