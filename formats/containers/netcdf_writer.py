"""Decoded scenes as NetCDF 4."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.atomic_files import reserve
from bandfold.common.scene import SceneInfo
from bandfold.formats.compressed_writer import CompressedWriter

from .cf_conventions import DIMS, cf_dataset, variable_name

_BESIDES = 1 << 20
"""Bytes of a file beside its samples, at most; long header fields are in it before room is reserved."""


class NetCdfWriter(CompressedWriter):
    """Write a NetCDF 4 file after the CF conventions.

    What it says of the scene is what `bandfold.formats.containers.cf_conventions.cf_dataset` says.
    Samples are stored band by band and not compressed, so that any part of the file can be read at once.
    Where they are compressed, the strip of each band is a chunk.

    Parameters are those of `CompressedWriter`.
    """

    def _open(self, temporary: Path) -> None:
        info = self.info
        self._temporary = temporary
        nbytes = info.count * info.dtype.itemsize + _BESIDES
        # HDF5 ends the process where the disk is full when it closes a file: it never gets so far.
        with open(temporary, "w+b") as room:
            reserve(room.fileno(), nbytes)
        self._file, self._cube = described_file(temporary, info, **self._packed())
        self._file.flush()
        with open(temporary, "r+b") as opened:
            reserve(opened.fileno(), os.fstat(opened.fileno()).st_size + nbytes)

    def _packed(self) -> dict[str, Any]:
        """Arguments of h5py for compression."""
        if self._compression.method == "none":
            return {}
        level = 4 if self._compression.level is None else self._compression.level
        chunks = (1, self._strip_lines, self.info.samples)
        return {"chunks": chunks, "compression": "gzip", "compression_opts": level, "shuffle": True}

    def _put(self, bands: slice, lines: slice, block: NDArray[Any]) -> None:
        self._cube[bands, lines, :] = block

    def _close(self) -> None:
        self._file.close()
        # HDF5 does not know of the room that was reserved behind its own end.
        os.truncate(self._temporary, _end_of_hdf5(self._temporary))


def described_file(path: Path, info: SceneInfo, **storage: Any) -> tuple[Any, Any]:
    """Make a NetCDF 4 file with all that is known of a scene, and no samples yet.

    Parameters
    ----------
    path : Path
        The file; what is there is replaced.
    info : SceneInfo
        Geometry, type, no-data value and metadata.
    **storage
        How the samples are stored, as ``h5py.Group.create_dataset`` takes it: chunks, compression.

    Returns
    -------
    file : h5netcdf.File
        Open for writing.
    cube : h5netcdf.Variable
        For the samples.
    """
    import h5netcdf

    # Nothing but the description is taken from it.
    described = cf_dataset(info, np.broadcast_to(np.zeros((), info.dtype), info.shape))
    name = variable_name(info)
    file = h5netcdf.File(path, "w")
    file.dimensions = dict(zip(DIMS, info.shape, strict=True))
    for key, coordinate in described.coords.items():
        stored = file.create_variable(str(key), coordinate.dims, coordinate.dtype, data=coordinate.values)
        stored.attrs.update(coordinate.attrs)
    attributes = dict(described[name].attrs)
    cube = file.create_variable(
        name, DIMS, info.dtype, fillvalue=attributes.pop("_FillValue", None), **storage
    )
    cube.attrs.update(attributes)
    others = [str(key) for key in described.coords if key not in DIMS]
    if others:
        cube.attrs["coordinates"] = " ".join(others)
    file.attrs.update(described.attrs)
    return file, cube


def _end_of_hdf5(path: Path) -> int:
    """Bytes of a file as its superblock tells them (HDF5 file format specification, II.A)."""
    with open(path, "rb") as file:
        head = file.read(48)
    # Versions 0 and 1, which h5py writes unless it is told otherwise, and those behind them.
    start = 40 if head[8] < 2 else 28
    return int.from_bytes(head[start : start + 8], "little")
