"""Scenes in MATLAB's files: up to version 7 through SciPy, 7.3 (which is HDF5) through h5py."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bandfold.formats.block_source import BlockSource, reading
from bandfold.formats.scene_options import SceneOptions
from bandfold.formats.unpacked_chunks import unpacked

from .container_source import container_source
from .hdf5_reader import datasets
from .variables import Variable, choose_variable

_BANDS = -1
"""MATLAB's scenes are lines x samples x bands."""


def open_matlab(path: Path, options: SceneOptions) -> BlockSource:
    """Open a scene in a ``.mat`` file.

    Parameters
    ----------
    path : Path
        The file.
    options : SceneOptions
        Axes count as MATLAB shows them, from 0; the last one are the bands if nothing else is said.

    Returns
    -------
    BlockSource
        Of version 7.3 parts are read when they are needed; older files, which are compressed as a whole, are
        loaded.

    Raises
    ------
    SceneError
        If the file cannot be read, or it is not clear what in it is the scene.
    """
    import h5py

    with reading(path):
        if h5py.is_hdf5(path):
            return _open_new(path, options)
        return _open_old(path, options)


def _open_new(path: Path, options: SceneOptions) -> BlockSource:
    import h5py

    # References and their targets (cells, structures) lie in a group of their own.
    found = [
        Variable(name, unpacked(item), ("",) * len(item.shape))
        for name, item in datasets(h5py.File(path, "r"))
        if not name.startswith("#")
    ]
    return container_source(path, found, {}, options, usual=_BANDS, mirrored=True)


def _open_old(path: Path, options: SceneOptions) -> BlockSource:
    from scipy.io import loadmat, whosmat

    listed = whosmat(path)
    shapes = [Variable(name, _Listed(shape, kind), ("",) * len(shape)) for name, shape, kind in listed]
    # Only what is needed is unpacked: the scene and lists.
    scene = choose_variable(path, shapes, options.variable)
    names = [one.name for one in shapes if one is scene or (one.numeric and one.extent <= 1)]
    arrays = loadmat(path, variable_names=names)
    found = [Variable(name, np.asarray(arrays[name]), ("",) * np.ndim(arrays[name])) for name in names]
    return container_source(path, found, {}, options, usual=_BANDS)


class _Listed:
    """Shape and type of an array that is not loaded."""

    def __init__(self, shape: tuple[int, ...], kind: str) -> None:
        self.shape = shape
        names = {"double": "float64", "single": "float32", "logical": "bool"}
        try:
            self.dtype = np.dtype(names.get(kind, kind))
        except TypeError:
            # Cells, structures, text.
            self.dtype = np.dtype(object)
