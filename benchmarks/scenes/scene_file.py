"""Scenes in and out of files, as the benchmarks need them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import SCALED_DTYPES, MetadataValue, SceneSource
from bandfold.formats.envi.reader import DTYPES, open_envi
from bandfold.formats.envi.writer import EnviWriter
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions
from bandfold.onboard.samples.samples import ArraySource, Samples

_SCALED_CODES = frozenset(str(code) for code, dtype in DTYPES.items() if dtype in SCALED_DTYPES)
_PIECE = 16
"""Bands held in memory while a scene is written."""


def read_whole(source: SceneSource) -> NDArray[Any]:
    """Read all samples of a scene.

    Parameters
    ----------
    source : SceneSource
        The scene.

    Returns
    -------
    ndarray, shape (bands, lines, samples)
        In memory, native byte order.
    """
    info = source.info
    return np.ascontiguousarray(source.read(slice(0, info.bands), slice(0, info.lines)))


def read_scene(path: Path) -> NDArray[Any]:
    """Read an ENVI scene as the integers that codecs see.

    Parameters
    ----------
    path : Path
        ENVI header. Floats and 32-bit integers go through an automatic scaling to 16-bit counts, and all
        errors are then in counts.

    Returns
    -------
    ndarray, shape (bands, lines, samples)
        8 or 16 bit integers.

    Raises
    ------
    SceneError
        If the scene is unreadable or is marked to have absent data, which other codecs do not know of.
    """
    source: SceneSource = open_envi(path, no_data=None)
    return _as_counts(read_whole(source), path)


def read_any_scene(path: Path) -> tuple[NDArray[Any], Mapping[str, MetadataValue]]:
    """Read a scene in any format that the encoder reads, as the integers that codecs see.

    Parameters
    ----------
    path : Path
        The scene; floats and 32-bit integers are scaled as by `read_scene`.

    Returns
    -------
    cube : ndarray, shape (bands, lines, samples)
        8 or 16 bit integers.
    metadata : mapping
        Header fields, among them wavelengths where the file tells them.

    Raises
    ------
    SceneError
        As `read_scene`.
    SettingsError
        If a library that the format needs is not installed.
    """
    source = open_scene(path, SceneOptions(no_data=None, for_coding=False))
    return _as_counts(read_whole(source), path), source.info.metadata


def _as_counts(cube: NDArray[Any], path: Path) -> NDArray[Any]:
    if cube.dtype not in SCALED_DTYPES:
        return cube
    if not np.isfinite(cube).all():
        raise SceneError(
            f"{path} holds NaN or infinite samples: a benchmark against other codecs cannot use it"
        )
    counts = read_whole(Samples.of(ArraySource(cube), seek_fills=False).counts)
    # Other codecs take numbers without a sign.
    return (counts.astype(np.int32) + (1 << 15)).astype(np.uint16)


def is_scaled(path: Path) -> bool:
    """Say whether an ENVI header announces floats or 32-bit integers.

    Parameters
    ----------
    path : Path
        ENVI header.

    Returns
    -------
    bool
        True if the samples have to be scaled before they can be coded.
    """
    for line in path.read_text(encoding="latin-1").splitlines():
        key, _, value = line.partition("=")
        if key.strip().lower() == "data type":
            return value.strip() in _SCALED_CODES
    return False


def write_scene(header: Path, scene: NDArray[Any] | SceneSource) -> None:
    """Write a scene as ENVI: band sequential, little endian, samples in a file beside that ends in .img.

    Parameters
    ----------
    header : Path
        File to write, ending in .hdr.
    scene : ndarray or SceneSource
        Samples; a source is read a few bands at a time.
    """
    source = ArraySource(scene) if isinstance(scene, np.ndarray) else scene
    info = source.info
    lines = slice(0, info.lines)
    with EnviWriter(header, info, interleave="bsq", byte_order="little") as writer:
        for first in range(0, info.bands, _PIECE):
            bands = slice(first, min(first + _PIECE, info.bands))
            writer.write(bands, lines, source.read(bands, lines))
