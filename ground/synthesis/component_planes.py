"""Planes of components from the levels of a strip: inverse transforms, some components at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.bitstream.segments.memory_estimate import COMPONENTS_AT_ONCE
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.coding_weights import weights_of
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.strip_memory import StripMemory

from .inverse_transforms import dequantise, inverse_cosine_transform, inverse_rotation


class ComponentPlanes:
    """The latents of a strip, ready to become planes.

    Parameters
    ----------
    levels : Segment
        As entropy decoding gives them.
    restored : ndarray of float32, shape (64, components, rows, columns), or None
        Latents in steps, in place of the reconstruction points of the levels.
    mode : Mode
        Statistics that the levels are coded with.
    step : float
        Quantiser step in counts.
    rotations : tuple of Vectors
        The matrices that blocks choose from.
    """

    def __init__(
        self,
        levels: Segment,
        restored: NDArray[np.float32] | None,
        mode: Mode,
        step: float,
        rotations: tuple[Vectors, ...],
    ) -> None:
        self._levels = levels
        self._restored = restored
        self._mode = mode
        self._step = step
        self._rotations = rotations if levels.chosen is not None else ()

    def planes(
        self, components: NDArray[np.int64], shape: tuple[int, int], memory: StripMemory
    ) -> NDArray[np.float64]:
        """Planes of some components.

        Parameters
        ----------
        components : ndarray of int64, shape (count,)
            Their numbers, in rising order; all of those that are rotated are among them.
        shape : tuple of int
            Lines and samples.
        memory : StripMemory
            Memory of the planes, which are overwritten by the next call with it, and to work in.

        Returns
        -------
        ndarray of float64, shape (count, lines, samples)
            In counts.
        """
        planes = memory.array("planes", (len(components), *shape), np.float64)
        for part in self._parts(len(components)):
            blocks = (
                self._levels.quantised.shape[0],
                part.stop - part.start,
                *self._levels.quantised.shape[2:],
            )
            latents = memory.array("latents", blocks, np.float64)
            self._latents(components[part], latents)
            if part.start == 0:
                inverse_rotation(latents, self._levels.chosen, self._rotations)
            if self._levels.block_codes is not None:
                latents /= weights_of(self._levels.block_codes)
            spare = memory.array("blocks", blocks, np.float64)
            inverse_cosine_transform(latents, *shape, out=planes[part], spare=spare)
        return planes

    def _parts(self, count: int) -> Iterator[slice]:
        """Components that are worked on together, so as to stay in the cache; all rotated ones are."""
        start = 0
        rotated = max((matrix.count for matrix in self._rotations), default=0)
        while start < count:
            end = min(count, max(start + COMPONENTS_AT_ONCE, rotated))
            yield slice(start, end)
            start = end

    def _latents(self, components: NDArray[np.int64], latents: NDArray[np.float64]) -> None:
        """Write latents of some components, in counts."""
        if self._restored is None:
            dequantise(self._levels, self._mode, self._step, components, latents)
        else:
            np.multiply(self._restored[:, components], self._step, out=latents, dtype=np.float64)
