"""Scenes in HDF5 files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bandfold.formats.block_source import BlockSource, reading
from bandfold.formats.scene_options import SceneOptions
from bandfold.formats.unpacked_chunks import unpacked

from .container_source import container_source
from .prisma import chosen, with_prisma_cubes
from .variables import Variable

if TYPE_CHECKING:
    import h5py

_CHUNK_CACHE = 64 << 20
"""Bytes of decompressed chunks that HDF5 keeps: blocks of a scene cut across chunks."""


def open_hdf5(path: Path, options: SceneOptions) -> BlockSource:
    """Open a scene in an HDF5 file.

    Parameters
    ----------
    path : Path
        The file.
    options : SceneOptions
        The axis of the bands has to be named where neither names of axes nor wavelengths tell it.

    Returns
    -------
    BlockSource
        Reads chunks when they are needed.

    Raises
    ------
    SceneError
        If the file cannot be read or it is not clear what in it is the scene.
    """
    import h5py

    with reading(path):
        file = h5py.File(path, "r", rdcc_nbytes=_CHUNK_CACHE)
        found = [
            Variable(name, unpacked(item), tuple(map(_axis_name, item.dims)), dict(item.attrs))
            for name, item in datasets(file)
        ]
        about = dict(file.attrs)
        found = with_prisma_cubes(found, about)
    return container_source(path, found, about, replace(options, variable=chosen(found, options.variable)))


def datasets(file: h5py.File) -> list[tuple[str, Any]]:
    """List the arrays of a file.

    Parameters
    ----------
    file : h5py.File
        An open HDF5 file.

    Returns
    -------
    list of (str, h5py.Dataset)
        Name with groups, and what gives up parts of the array; empty ones are left out.
    """
    import h5py

    found: list[tuple[str, Any]] = []
    file.visititems(lambda name, item: found.append((name, item)))
    return [(name, item) for name, item in found if isinstance(item, h5py.Dataset) and item.shape is not None]


def _axis_name(dimension: Any) -> str:
    """Name of an axis: its label, or the dimension scale that is attached to it."""
    name = dimension.label or (dimension[0].name if len(dimension) else "")
    return str(name).rpartition("/")[2]
