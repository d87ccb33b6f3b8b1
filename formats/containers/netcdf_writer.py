"""Decoded scenes as NetCDF 4."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.formats.scene_writer import SceneWriter

from .cf_conventions import DIMS, cf_dataset, variable_name


class NetCdfWriter(SceneWriter):
    """Write a NetCDF 4 file after the CF conventions.

    What it says of the scene is what `bandfold.formats.containers.cf_conventions.cf_dataset` says.
    Samples are stored band by band and not compressed, so that any part of the file can be read at once.
    """

    def _open(self, temporary: Path) -> None:
        import h5netcdf

        info = self.info
        # Nothing but the description is taken from it.
        described = cf_dataset(info, np.broadcast_to(np.zeros((), info.dtype), info.shape))
        name = variable_name(info)
        self._file = h5netcdf.File(temporary, "w")
        self._file.dimensions = dict(zip(DIMS, info.shape, strict=True))
        for key, coordinate in described.coords.items():
            stored = self._file.create_variable(
                str(key), coordinate.dims, coordinate.dtype, data=coordinate.values
            )
            stored.attrs.update(coordinate.attrs)
        attributes = dict(described[name].attrs)
        self._cube = self._file.create_variable(
            name, DIMS, info.dtype, fillvalue=attributes.pop("_FillValue", None)
        )
        self._cube.attrs.update(attributes)
        others = [str(key) for key in described.coords if key not in DIMS]
        if others:
            self._cube.attrs["coordinates"] = " ".join(others)
        self._file.attrs.update(described.attrs)

    def _put(self, bands: slice, lines: slice, block: NDArray[Any]) -> None:
        self._cube[bands, lines, :] = block

    def _close(self) -> None:
        self._file.close()
