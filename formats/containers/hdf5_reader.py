"""Scenes in HDF5 files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bandfold.formats.block_source import BlockSource
from bandfold.formats.scene_options import SceneOptions

from .container_source import container_source, reading
from .variables import Variable

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
        found: list[Variable] = []

        def visit(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.shape is not None:
                dims = tuple(_scale_name(item, axis) for axis in range(len(item.shape)))
                found.append(Variable(name, item, dims, dict(item.attrs)))

        file.visititems(visit)
        about = dict(file.attrs)
    return container_source(path, found, about, options)


def _scale_name(dataset: Any, axis: int) -> str:
    """Name of an axis: its label, or the dimension scale that is attached to it."""
    dimension = dataset.dims[axis]
    name = dimension.label or (dimension[0].name if len(dimension) else "")
    return str(name).rpartition("/")[2]
