"""Scenes in NetCDF files and Zarr stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bandfold.common.input_files import begins_with
from bandfold.formats.block_source import BlockSource, reading
from bandfold.formats.file_formats import format_of
from bandfold.formats.scene_options import SceneOptions
from bandfold.formats.unpacked_chunks import unpacked

from .container_source import container_source
from .variables import Variable

_AS_STORED: dict[str, Any] = dict.fromkeys(
    ("mask_and_scale", "decode_times", "decode_timedelta", "concat_characters", "decode_coords"), False
)
"""What xarray is to leave alone. (`open_groups` does not heed ``decode_cf=False``.)"""


def open_xarray(path: Path, options: SceneOptions) -> BlockSource:
    """Open a scene in a NetCDF file (3 or 4) or a Zarr store.

    Parameters
    ----------
    path : Path
        The file, of Zarr the folder.
    options : SceneOptions
        Which array is the scene, which of its axes are the bands, scaling and no-data value.

    Returns
    -------
    BlockSource
        Reads what is asked for.

    Raises
    ------
    SceneError
        If the file cannot be read or it is not clear what in it is the scene.
    """
    import h5py
    import xarray

    with reading(path):
        # As stored: the codec sees counts, and absent samples as they are marked.
        if format_of(path) == "zarr":
            # Stores with and without consolidated metadata are read the same way, and without a warning.
            groups = xarray.open_groups(path, engine="zarr", chunks=None, consolidated=False, **_AS_STORED)
        elif begins_with(path, b"CDF"):
            groups = {"/": xarray.open_dataset(path, engine="scipy", **_AS_STORED)}
        else:
            # What HDF5 cannot open, h5netcdf leaves half made, which prints errors when it is collected.
            with h5py.File(path, "r"):
                pass
            groups = xarray.open_groups(path, engine="h5netcdf", chunks=None, phony_dims="sort", **_AS_STORED)
        found = [
            Variable(
                f"{group.strip('/')}/{name}".strip("/"),
                unpacked(item),
                tuple(map(str, item.dims)),
                item.attrs,
            )
            for group, content in groups.items()
            for name, item in content.variables.items()
        ]
        about = dict(groups["/"].attrs)
    return container_source(path, found, about, options)
