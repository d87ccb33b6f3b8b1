"""Large arrays that one strip after the other takes: what is freed and taken again leaves gaps in memory."""

from __future__ import annotations

import math
from threading import local
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class StripMemory:
    """Arrays by name, kept from strip to strip; for one thread."""

    def __init__(self) -> None:
        self._kept: dict[str, NDArray[Any]] = {}

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


class StripMemories:
    """The arrays of each thread that codes strips."""

    def __init__(self) -> None:
        self._local = local()

    def own(self) -> StripMemory:
        """Those of the thread that asks."""
        if not hasattr(self._local, "memory"):
            self._local.memory = StripMemory()
        memory: StripMemory = self._local.memory
        return memory
