"""Where samples come from: a scene is read block by block, so that memory does not grow with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.errors import SceneError
from bandfold.bitstream.scene import MetadataValue, Scaling, SceneInfo, native


class SceneSource(Protocol):
    """A scene that can be read piece by piece, more than once and in any order."""

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata."""

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block of the scene.

        Parameters
        ----------
        bands, lines : slice
            Half-open ranges with explicit bounds inside the scene and no step.

        Returns
        -------
        ndarray, shape (bands, lines, samples)
            Samples of type ``info.dtype`` (native byte order, before any scaling).
        """


class ArraySource:
    """A scene held in memory.

    Parameters
    ----------
    cube : ndarray, shape (bands, lines, samples)
        Samples; any byte order.
    metadata : mapping, optional
        ENVI header fields to carry along, keys in lower case.
    scaling : Scaling, optional
        Required for 32-bit integers and floats.
    no_data : float, optional
        Value that marks absent data.

    Raises
    ------
    SceneError
        If the array is not three-dimensional, is empty, or has a type that cannot be coded.
    """

    def __init__(
        self,
        cube: NDArray[Any],
        *,
        metadata: Mapping[str, MetadataValue] | None = None,
        scaling: Scaling | None = None,
        no_data: float | None = None,
    ) -> None:
        cube = np.asarray(cube)
        if cube.ndim != 3:
            raise SceneError(f"array has {cube.ndim} dimensions: give (bands, lines, samples)")
        bands, lines, samples = cube.shape
        self._cube = cube
        self._info = SceneInfo(
            bands,
            lines,
            samples,
            native(cube.dtype),
            scaling=scaling,
            no_data=no_data,
            metadata=dict(metadata or {}),
        )

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata."""
        return self._info

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block; see `SceneSource.read`."""
        return self._cube[bands, lines].astype(self._info.dtype, copy=False)
