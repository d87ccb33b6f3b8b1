"""Arrays that are stored in compressed chunks, each of which is unpacked once."""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from itertools import product
from threading import Lock
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import native

_IN_MEMORY = 64 << 20
"""Largest array that is kept in memory once it is unpacked; others go to a temporary file."""

_UNIT_BYTES = 2 << 20
"""Small chunks are unpacked together, about as many bytes at a time."""


class UnpackedChunks:
    """An array in compressed chunks, which are unpacked when they are first needed, and kept.

    An encoder goes through a scene several times, strip by strip, and libraries unpack every chunk that a
    strip touches anew. Here each chunk is unpacked once: up to 64 MiB of samples are kept in memory, larger
    arrays in a temporary file without a name, which is gone when nobody reads the array any more. Where there
    is no room for that, parts are read from the array itself: slowly, and `notes` tells it.

    Parameters
    ----------
    data : array_like
        Has a shape and a dtype, and is read by indexing with slices.
    chunks : sequence of int
        Length of a chunk along each axis.
    """

    def __init__(self, data: Any, chunks: Sequence[int]) -> None:
        self._data = data
        self.shape = tuple(int(length) for length in data.shape)
        self.dtype = native(np.dtype(data.dtype))
        self._unit = _units(self.shape, chunks, self.dtype.itemsize)
        self._grid = tuple(-(-length // step) for length, step in zip(self.shape, self._unit, strict=True))
        self._slot = math.prod(self._unit) * self.dtype.itemsize
        self._lock = Lock()
        self._reserved = False
        self._roomless = False
        self._kept = np.empty(0, np.uint8)
        self._file: IO[bytes] | None = None
        self._done = np.zeros(self._grid, bool)

    @property
    def notes(self) -> tuple[str, ...]:
        """A line that says why reading will be slow, if it will."""
        folder = tempfile.gettempdir()
        if self.nbytes <= _IN_MEMORY or self._has_room(folder):
            return ()
        return (
            f"no room in {folder} for {self.nbytes >> 20} MiB of unpacked chunks: they are unpacked anew for "
            "every strip, which is slow; set TMPDIR to a folder with room",
        )

    @property
    def nbytes(self) -> int:
        """Bytes of all chunks, the last ones along each axis as long as the others."""
        return self._slot * math.prod(self._grid)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        given = index if isinstance(index, tuple) else (index,)
        given = (*given, *[slice(None)] * (len(self.shape) - len(given)))
        bounds = [_bounds(one, length) for one, length in zip(given, self.shape, strict=True)]
        out = np.empty([max(stop - start, 0) for start, stop in bounds], self.dtype)
        if out.size:
            with self._lock:
                self._unpack(bounds)
            if self._roomless:
                return np.asarray(self._data[index], self.dtype)
            self._collect(bounds, out)
        return out[tuple(0 if isinstance(one, (int, np.integer)) else slice(None) for one in given)]

    def _touched(self, bounds: Sequence[tuple[int, int]]) -> Iterator[tuple[int, ...]]:
        """Places in the grid of the units that hold part of a range."""
        return product(
            *(
                range(start // step, (stop - 1) // step + 1)
                for (start, stop), step in zip(bounds, self._unit, strict=True)
            )
        )

    def _inside(self, place: tuple[int, ...]) -> tuple[slice, ...]:
        """The part of the array that a unit holds."""
        return tuple(
            slice(at * step, min((at + 1) * step, length))
            for at, step, length in zip(place, self._unit, self.shape, strict=True)
        )

    def _offset(self, place: tuple[int, ...]) -> int:
        return int(np.ravel_multi_index(place, self._grid)) * self._slot

    def _unpack(self, bounds: Sequence[tuple[int, int]]) -> None:
        """Make sure that the units that hold part of a range are kept."""
        if not self._reserved:
            self._reserve()
        for place in self._touched(bounds):
            if self._roomless:
                return
            if self._done[place]:
                continue
            block = np.ascontiguousarray(self._data[self._inside(place)], self.dtype)
            stored = block.reshape(-1).view(np.uint8)
            offset = self._offset(place)
            if self._file is None:
                self._kept[offset : offset + stored.size] = stored
            else:
                self._write(self._file, offset, stored)
            self._done[place] = True

    def _reserve(self) -> None:
        self._reserved = True
        if self.nbytes <= _IN_MEMORY:
            self._kept = np.empty(self.nbytes, np.uint8)
        elif self._has_room(tempfile.gettempdir()):
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the array
            weakref.finalize(self, self._file.close)
            # A hole, so that all of it can be mapped.
            self._file.truncate(self.nbytes)
        else:
            self._roomless = True

    def _has_room(self, folder: str) -> bool:
        return shutil.disk_usage(folder).free >= self.nbytes

    def _write(self, file: IO[bytes], offset: int, stored: NDArray[np.uint8]) -> None:
        # Written rather than mapped: a disk that gets full is an error then, and not a signal.
        try:
            file.seek(offset)
            file.write(stored.data)
            file.flush()
        except OSError:
            self._roomless = True

    def _collect(self, bounds: Sequence[tuple[int, int]], out: NDArray[Any]) -> None:
        """Copy a range out of the units that hold it."""
        # Mapped anew for each part that is read: pages of a map that stays count as memory.
        kept = self._kept if self._file is None else np.memmap(self._file, np.uint8, "r")
        for place in self._touched(bounds):
            inside = self._inside(place)
            shape = [part.stop - part.start for part in inside]
            offset = self._offset(place)
            unit = kept[offset : offset + math.prod(shape) * self.dtype.itemsize].view(self.dtype)
            common = [
                (max(part.start, start), min(part.stop, stop))
                for part, (start, stop) in zip(inside, bounds, strict=True)
            ]
            target = tuple(
                slice(low - start, high - start)
                for (low, high), (start, _) in zip(common, bounds, strict=True)
            )
            source = tuple(
                slice(low - part.start, high - part.start)
                for (low, high), part in zip(common, inside, strict=True)
            )
            out[target] = unit.reshape(shape)[source]


def unpacked(data: Any) -> Any:
    """Let an array of compressed chunks unpack each of them once.

    Parameters
    ----------
    data : h5py.Dataset, xarray.Variable or array_like
        An array in a file.

    Returns
    -------
    array_like
        `UnpackedChunks` where the array has two axes at least and is compressed; else the array itself.
    """
    if len(data.shape) < 2 or not all(data.shape) or np.dtype(data.dtype).kind not in "iufb":
        return data
    encoding = getattr(data, "encoding", {})
    chunks = getattr(data, "chunks", None) or encoding.get("chunksizes") or encoding.get("chunks")
    if (
        not chunks
        or len(chunks) != len(data.shape)
        or not all(isinstance(one, (int, np.integer)) for one in chunks)
    ):
        return data
    return UnpackedChunks(data, chunks) if _is_compressed(data, encoding) else data


def _is_compressed(data: Any, encoding: dict[str, Any]) -> bool:
    if hasattr(data, "id") and hasattr(data.id, "get_create_plist"):
        return bool(data.id.get_create_plist().get_nfilters())
    names = (
        "compression",
        "compressor",
        "compressors",
        "filters",
        "serializer",
        "zlib",
        "shuffle",
        "fletcher32",
    )
    return any(bool(encoding.get(name)) for name in names)


def _bounds(index: Any, length: int) -> tuple[int, int]:
    """First element of a range, and the one behind its last."""
    if isinstance(index, slice):
        start, stop, step = index.indices(length)
        if step != 1:
            raise IndexError(f"slices with a step of {step} are not read")
        return start, stop
    return int(index), int(index) + 1


def _units(shape: Sequence[int], chunks: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Lengths of what is unpacked at once: a chunk, or several small ones beside each other."""
    units = [min(int(step), length) for step, length in zip(chunks, shape, strict=True)]
    for axis in reversed(range(len(shape))):
        while units[axis] < shape[axis] and math.prod(units) * itemsize * 2 <= _UNIT_BYTES:
            units[axis] = min(units[axis] * 2, shape[axis])
    return tuple(units)
