"""Large arrays that one strip after the other takes: what is freed and taken again leaves gaps in memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class StripMemory:
    """Arrays by name, kept from strip to strip; for one strip at a time."""

    def __init__(self) -> None:
        self._kept: dict[str, NDArray[Any]] = {}
        self._reserved: set[str] = set()

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Take an array, whose values may be anything.

        Parameters
        ----------
        name : str
            What it is for: who takes that name next gets the same memory.
        shape : tuple of int
            Its shape.
        dtype : data type
            Of its elements, the same for all arrays of a name.

        Returns
        -------
        ndarray, shape `shape`
            Contiguous.
        """
        size = math.prod(shape)
        kept = self._kept.get(name)
        if kept is None or kept.size < size:
            # The smaller one goes before the larger one is taken.
            self._kept.pop(name, None)
            del kept
            kept = self._kept[name] = np.zeros(size, dtype)
        return kept[:size].reshape(shape)

    def reserve(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        """Take an array that is never given back; parameters as of `array`."""
        self.array(name, shape, dtype)
        self._reserved.add(name)

    def give_back(self, name: str) -> None:
        """Keep an array no longer, unless it was reserved: what comes next may need the memory for others."""
        if name not in self._reserved:
            self._kept.pop(name, None)
