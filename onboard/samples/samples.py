"""Samples as the codec sees them: integer counts without gaps, and which of them are absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import MetadataValue, Scaling, SceneInfo, SceneSource, native

from .no_data import FilledSource, no_data_mask
from .scaling import ScaledSource
from .subsampled import SubsampledSource


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


class HeldLines:
    """Lines of a scene that are held in memory, as a scene of their own.

    Parameters
    ----------
    lines : ndarray, shape (bands, lines, samples)
        Samples of type ``info.dtype``.
    info : SceneInfo
        Of the scene that they belong to; its number of lines is not used.
    """

    def __init__(self, lines: NDArray[Any], info: SceneInfo) -> None:
        self._lines = lines
        self._info = replace(info, lines=lines.shape[1])

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata."""
        return self._info

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block; see `SceneSource.read`."""
        return self._lines[bands, lines]


@dataclass(frozen=True)
class Samples:
    """The samples of a scene as they are coded, and which of them are absent: a `SceneSource` of counts.

    Parameters
    ----------
    scene : SceneSource
        The scene as given.
    counts : SceneSource
        The same as integers of 8 or 16 bits, absent samples filled with their neighbours' values.
    """

    scene: SceneSource
    counts: SceneSource

    @staticmethod
    def of(scene: SceneSource) -> Samples:
        """Take a scene as it is coded: scaled to integers where it declares a scaling, and without gaps.

        Parameters
        ----------
        scene : SceneSource
            8 or 16 bit integers, or a type that declares a scaling.

        Returns
        -------
        Samples
        """
        counts = scene if scene.info.scaling is None else ScaledSource(scene)
        return Samples(scene, counts if scene.info.no_data is None else FilledSource(counts, scene))

    @property
    def info(self) -> SceneInfo:
        """Geometry and type of the counts."""
        return self.counts.info

    @property
    def pixels(self) -> int:
        """Pixels of a band."""
        return self.info.lines * self.info.samples

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block of counts; see `SceneSource.read`."""
        return self.counts.read(bands, lines)

    def absent(self, lines: slice) -> NDArray[np.bool_] | None:
        """Which samples of some lines are absent.

        Parameters
        ----------
        lines : slice
            Half-open range inside the scene.

        Returns
        -------
        ndarray of bool, shape (bands, lines, samples), or None
            None where the scene has no value that marks them.
        """
        info = self.scene.info
        if info.no_data is None:
            return None
        return no_data_mask(self.scene.read(slice(0, info.bands), lines), info.no_data)

    def rows(self, rows: Sequence[int], height: int) -> Samples:
        """Some rows of lines, one below the other.

        Parameters
        ----------
        rows : sequence of int
            Numbers of the rows that are kept.
        height : int
            Lines of a row.

        Returns
        -------
        Samples
        """
        return Samples(
            SubsampledSource(self.scene, rows, height), SubsampledSource(self.counts, rows, height)
        )
