"""A scene held in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import MetadataValue, Scaling, SceneInfo, native


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
