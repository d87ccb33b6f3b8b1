"""A scene in an array of any order of axes, read block by block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import BandfoldError, SceneError
from bandfold.common.scene import INTERLEAVES, SceneInfo, range_inside


@contextmanager
def reading(path: Path, caught: type[Exception] = Exception) -> Iterator[None]:
    """The one boundary of readers: whatever a library raises about a file becomes a `SceneError`.

    Libraries raise nearly anything about files that are damaged: of damaged HDF5 and MATLAB files half of the
    errors are none that their documentation names.

    Parameters
    ----------
    path : Path
        The file that the body reads.
    caught : type
        What becomes a `SceneError`: all exceptions where libraries read, `OSError` where our own code does,
        whose mistakes are not to be blamed on files.

    Raises
    ------
    SceneError
        If the body raises an exception of that type which is no `BandfoldError`.
    """
    try:
        yield
    except BandfoldError:
        raise
    except caught as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SceneError(
            f"cannot read {path}: {reason}; check the file and its medium, and that it is what its suffix "
            "says"
        ) from error


@dataclass(frozen=True)
class Axes:
    """Which axes of an array are the bands, lines and samples; all others have length 1.

    Parameters
    ----------
    bands : int or None
        Axis of the bands, from 0; None if the array holds one band and has no axis for it.
    lines, samples : int
        Axes of lines and samples, from 0.
    count : int
        Number of axes of the array.
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


class BlockSource(ABC):
    """A scene in a file, read block by block.

    Parameters
    ----------
    path : Path
        What holds the samples, and what error messages call it.
    info : SceneInfo
        Geometry, type and metadata of the scene.
    notes : sequence of str, optional
        What the user should know, as of what the file holds and a stream does not carry; one line each.
    """

    def __init__(self, path: Path, info: SceneInfo, notes: Sequence[str] = ()) -> None:
        self.path = path
        self.notes = tuple(notes)
        self._info = info

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata."""
        return self._info

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block.

        Parameters
        ----------
        bands, lines : slice
            Half-open ranges inside the scene, without a step; ends that are not given are those of the scene.

        Returns
        -------
        ndarray, shape (bands, lines, samples)
            Samples of type ``info.dtype``, native byte order, C-contiguous.

        Raises
        ------
        SettingsError
            If a range lies outside the scene.
        SceneError
            If the file cannot be read or has become shorter.
        """
        bands = range_inside("bands", bands, self._info.bands, empty=True)
        lines = range_inside("lines", lines, self._info.lines, empty=True)
        with reading(self.path):
            return self._block(bands, lines)

    @abstractmethod
    def _block(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block that lies inside the scene, or is empty."""


class ArrayBlockSource(BlockSource):
    """A scene in an array that gives up parts of itself when it is indexed.

    Parameters
    ----------
    path : Path
        What error messages call it.
    data : array_like
        Indexed with slices; what comes back is given to `numpy.asarray`. Nothing is read before.
    axes : Axes
        Which axes of it are bands, lines and samples.
    info : SceneInfo
        Geometry, type and metadata of the scene.
    notes : sequence of str, optional
        As for `BlockSource`.
    """

    def __init__(self, path: Path, data: Any, axes: Axes, info: SceneInfo, notes: Sequence[str] = ()) -> None:
        super().__init__(path, info, notes)
        self._data = data
        self._axes = axes

    def _block(self, bands: slice, lines: slice) -> NDArray[Any]:
        axes = self._axes
        index: list[Any] = [0] * axes.count
        index[axes.lines], index[axes.samples] = lines, slice(None)
        if axes.bands is not None:
            index[axes.bands] = bands
        block = np.asarray(self._data[tuple(index)])
        order = [axis for axis in (axes.bands, axes.lines, axes.samples) if axis is not None]
        # Axes of length 1 are gone: what is left keeps its order.
        block = block.transpose([sorted(order).index(axis) for axis in order])
        if axes.bands is None:
            block = block[None, :, :][bands]
        return np.ascontiguousarray(block, dtype=self._info.dtype)
