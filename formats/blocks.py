"""A scene in an array of any order of axes, read block by block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import (
    INTERLEAVES,
    SCALED_DTYPES,
    MetadataValue,
    NoData,
    Scaling,
    SceneInfo,
    native,
)


@dataclass(frozen=True)
class Wanted:
    """What the user says of a scene beyond the name of its file.

    Parameters
    ----------
    variable : str or None
        Name of the array, in files that hold several.
    band_axis : str or None
        Which axis of the array are the bands: its number or its name.
    scaling : Scaling or None
        Map to 16-bit counts; required for 32-bit integers and floats, refused for other types.
    no_data : float, NoData or None
        Value that marks absent data; by default the one that the file gives.
    for_coding : bool
        False opens a scene to look at, before its scaling is known, as in
        `bandfold.formats.envi.reader.open_envi`.
    """

    variable: str | None = None
    band_axis: str | None = None
    scaling: Scaling | None = None
    no_data: float | NoData | None = NoData.HEADER
    for_coding: bool = True

    def info(
        self,
        shape: tuple[int, int, int],
        dtype: np.dtype[Any],
        metadata: Mapping[str, MetadataValue],
        marker: float | None,
        interleave: str = "bsq",
    ) -> SceneInfo:
        """Describe a scene as its file and the user say.

        Parameters
        ----------
        shape : tuple of int
            Bands, lines and samples.
        dtype : numpy.dtype
            Any byte order.
        metadata : mapping
        marker : float or None
            No-data value that the file gives.
        interleave : str

        Returns
        -------
        SceneInfo

        Raises
        ------
        SceneError
            As `SceneInfo`.
        """
        scaling = self.scaling
        if scaling is None and not self.for_coding and native(dtype) in SCALED_DTYPES:
            scaling = Scaling(1.0)
        big = dtype.byteorder == ">" or (dtype.byteorder == "=" and not np.little_endian)
        return SceneInfo(
            *shape,
            native(dtype),
            interleave=interleave,
            byte_order="big" if big else "little",
            scaling=scaling,
            no_data=marker if isinstance(self.no_data, NoData) else self.no_data,
            metadata=dict(metadata),
        )


@dataclass(frozen=True)
class Axes:
    """Which axes of an array are the bands, lines and samples; all others have length 1.

    Parameters
    ----------
    bands : int or None
        None if the array holds one band and has no axis for it.
    lines, samples : int
    count : int
        Axes of the array.
    """

    bands: int | None
    lines: int
    samples: int
    count: int

    @property
    def interleave(self) -> str:
        """The layout in which a file would have this order."""
        if self.bands is None:
            return "bsq"
        return INTERLEAVES[sorted((self.bands, self.lines, self.samples)).index(self.bands)]

    def shape(self, shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Bands, lines and samples of an array of that shape."""
        return 1 if self.bands is None else shape[self.bands], shape[self.lines], shape[self.samples]

    def mirrored(self) -> Axes:
        """The same for the array with its axes in reverse order."""
        last = self.count - 1
        bands = None if self.bands is None else last - self.bands
        return Axes(bands, last - self.lines, last - self.samples, self.count)


class BlockSource:
    """A scene in an array that gives up parts of itself when it is indexed.

    Parameters
    ----------
    path : Path
        What error messages call it.
    data : array_like
        Indexed with slices; what comes back is given to `numpy.asarray`. Nothing is read before.
    axes : Axes
    info : SceneInfo
    """

    def __init__(self, path: Path, data: Any, axes: Axes, info: SceneInfo) -> None:
        self.path = path
        self._data = data
        self._axes = axes
        self._info = info

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata."""
        return self._info

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block; see `bandfold.onboard.samples.source.SceneSource.read`.

        Raises
        ------
        SceneError
            If a range lies outside the scene or the file cannot be read.
        """
        check_range("bands", bands, self._info.bands)
        check_range("lines", lines, self._info.lines)
        axes = self._axes
        index: list[Any] = [0] * axes.count
        index[axes.lines], index[axes.samples] = lines, slice(None)
        if axes.bands is not None:
            index[axes.bands] = bands
        try:
            block = np.asarray(self._data[tuple(index)])
        except (OSError, RuntimeError, ValueError) as error:
            raise SceneError(f"cannot read {self.path}: {error}; check the file and its medium") from error
        order = [axis for axis in (axes.bands, axes.lines, axes.samples) if axis is not None]
        # Axes of length 1 are gone: what is left keeps its order.
        block = block.transpose([sorted(order).index(axis) for axis in order])
        if axes.bands is None:
            block = block[None, :, :][bands]
        return np.ascontiguousarray(block, dtype=self._info.dtype)


def check_range(name: str, part: slice, size: int) -> None:
    """Refuse a range that is not inside a scene.

    Parameters
    ----------
    name : str
        ``bands`` or ``lines``.
    part : slice
    size : int

    Raises
    ------
    SceneError
        If it is not.
    """
    if part.step not in (None, 1) or not 0 <= part.start <= part.stop <= size:
        raise SceneError(
            f"{name} {part.start}:{part.stop} are not in the scene, which has {name} 0:{size}: "
            "give a half-open range inside"
        )
