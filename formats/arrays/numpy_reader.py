"""Scenes in NumPy's files: ``.npy``, with a description beside it, and ``.npz``."""

from __future__ import annotations

import json
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import MetadataValue
from bandfold.formats.block_source import ArrayBlockSource, BlockSource, reading
from bandfold.formats.containers.container_source import container_source
from bandfold.formats.containers.variables import Variable, choose_axes
from bandfold.formats.scene_options import SceneOptions

_LOCAL_HEADER = 30
"""Bytes of the header of a ZIP member before its name."""


def description_path(path: Path) -> Path:
    """File beside an ``.npy`` file that holds what it cannot: header fields and the no-data value."""
    return path.with_name(path.name + ".json")


class MappedArray:
    """An array in a file, mapped anew for each part that is read: pages of a map that stays count as memory.

    Parameters
    ----------
    path : Path
        The file.
    dtype : numpy.dtype
        Type of the elements, with their byte order.
    shape : tuple of int
        Length of each axis.
    offset : int
        Position of the first element in the file, in bytes.
    fortran : bool
        Whether the first axis runs fastest.
    """

    def __init__(
        self, path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], offset: int, fortran: bool
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self._open = partial(np.memmap, path, dtype, "r", offset, shape, "F" if fortran else "C")

    def __getitem__(self, index: Any) -> NDArray[Any]:
        return np.array(self._open()[index])


def open_npy(path: Path, options: SceneOptions) -> BlockSource:
    """Open a scene in an ``.npy`` file, which is mapped into memory, not loaded.

    Parameters
    ----------
    path : Path
        The file.
    options : SceneOptions
        The first axis are the bands if nothing else is said.

    Returns
    -------
    BlockSource
        With the header fields and no-data value of the JSON file beside it, if there is one.

    Raises
    ------
    SceneError
        If the file cannot be read or holds no scene.
    """
    with reading(path):
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        data = (
            MappedArray(path, found.dtype, found.shape, found.offset, np.isfortran(found))
            if found.size
            else found
        )
    variable = Variable(path.name, data, ("",) * found.ndim)
    if found.ndim < 2 or not found.size or not variable.numeric:
        raise SceneError(f"{path} holds an array of {data.shape} {data.dtype}: give bands, lines and samples")
    axes = choose_axes(path, variable, options.band_axis, 0)
    metadata, no_data = _description(path)
    info = options.scene_info(axes.shape(data.shape), data.dtype, metadata, no_data, axes.interleave)
    told = options.band_axis is not None or description_path(path).is_file()
    return ArrayBlockSource(path, data, axes, info, () if told else _doubt(found.shape))


def open_npz(path: Path, options: SceneOptions) -> BlockSource:
    """Open a scene in an ``.npz`` file: arrays that are stored are mapped, compressed ones are loaded.

    Parameters
    ----------
    path : Path
        The file.
    options : SceneOptions
        The first axis are the bands if nothing else is said.

    Returns
    -------
    BlockSource
        With the wavelengths, widths and bad bands that arrays of these names hold.

    Raises
    ------
    SceneError
        If the file cannot be read, or it is not clear what in it is the scene.
    """
    with reading(path), np.load(path, allow_pickle=False) as archive, zipfile.ZipFile(path) as members:
        found = [
            Variable(name, data, ("",) * len(data.shape))
            for name, data in ((name, _member(path, archive, members, name)) for name in archive.files)
            if data is not None
        ]
    return container_source(path, found, {}, options, usual=0)


def _member(
    path: Path, archive: Any, members: zipfile.ZipFile, name: str
) -> NDArray[Any] | MappedArray | None:
    """Map an array where it lies as it is in the archive; None for objects, which are pickles."""
    key = name if name in members.NameToInfo else f"{name}.npy"
    entry = members.getinfo(key)
    with members.open(entry) as file:
        version = np.lib.format.read_magic(file)
        if version > (2, 0):
            return np.asarray(archive[name])
        read_header = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = read_header(file)
        start = file.tell()
    if dtype.hasobject:
        return None
    if entry.compress_type != zipfile.ZIP_STORED or not all(shape):
        return np.asarray(archive[name])
    with open(path, "rb") as raw:
        raw.seek(entry.header_offset)
        head = raw.read(_LOCAL_HEADER)
    lengths = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    offset = entry.header_offset + _LOCAL_HEADER + lengths + start
    return MappedArray(path, dtype, shape, offset, fortran)


def _doubt(shape: tuple[int, ...]) -> tuple[str, ...]:
    """Note where axes look as if pixels were stored one by one, as many programs do."""
    if len(shape) != 3 or shape[2] >= min(shape[:2]):
        return ()
    return (
        f"the first of the axes {shape} is taken for the bands: if it is the last one, say --band-axis 2 "
        "(--band-axis 0 if it is not)",
    )


def _description(path: Path) -> tuple[dict[str, MetadataValue], float | None]:
    """Header fields and the no-data value of the file beside, if there is one."""
    beside = description_path(path)
    if not beside.is_file():
        return {}, None
    try:
        content = json.loads(beside.read_text(encoding="utf-8"))
        no_data = content.get("no_data")
        metadata: dict[str, MetadataValue] = {
            str(key): tuple(map(str, value)) if isinstance(value, list) else str(value)
            for key, value in content.get("metadata", {}).items()
        }
        return metadata, None if no_data is None else float(no_data)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SceneError(f"cannot read {beside}: {error}; repair or remove it") from error
