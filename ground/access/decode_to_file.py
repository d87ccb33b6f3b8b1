"""Decodes a stream into a file of any format that is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bandfold.common.errors import SettingsError
from bandfold.common.scene import SceneInfo
from bandfold.formats.compression import UNCOMPRESSED, Compression
from bandfold.formats.opening import open_writer
from bandfold.ground.decoder import Decoder
from bandfold.ground.synthesis.strip_decoder import Damage

from .scene_subset import ScenePart, subset_info


@dataclass(frozen=True)
class FileLayout:
    """Format of a file, and how samples lie in it.

    Parameters
    ----------
    kind : str
        One of `bandfold.formats.file_formats.WRITTEN`.
    interleave : str, optional
        ``bsq``, ``bil`` or ``bip`` of an ENVI file; a GeoTIFF takes ``bsq`` or ``bip``. Default: as the scene
        was.
    byte_order : str, optional
        ``little`` or ``big``, of an ENVI file. Default: as the scene was.
    compression : Compression
        Lossless compression within a GeoTIFF or NetCDF file.
    """

    kind: str = "zarr"
    interleave: str | None = None
    byte_order: str | None = None
    compression: Compression = UNCOMPRESSED


@dataclass(frozen=True)
class DecodedFile:
    """A decoded scene in a file.

    Parameters
    ----------
    paths : tuple of Path
        What was written, the one that the user named first.
    info : SceneInfo
        Geometry, type and metadata of what was written.
    file_dtype : numpy.dtype
        Type that the samples are stored in.
    damage : tuple of Damage
        Strips that could not be decoded; lines of the whole scene.
    """

    paths: tuple[Path, ...]
    info: SceneInfo
    file_dtype: np.dtype[np.generic]
    damage: tuple[Damage, ...]


def decode_to_file(
    decoder: Decoder,
    output: Path,
    layout: FileLayout,
    part: ScenePart,
    *,
    folder: str | os.PathLike[str] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> DecodedFile:
    """Decode strip by strip into a file, so that memory does not grow with the number of lines.

    Parameters
    ----------
    decoder : Decoder
        Of the stream.
    output : Path
        File to write; of an ENVI scene the header, of Zarr the folder.
    layout : FileLayout
        Format of the file.
    part : ScenePart
        What is decoded.
    folder : path_like, optional
        Where temporary files lie, on the same file system. Default: beside `output`.
    progress : callable, optional
        Called with a stage and the fraction done.

    Returns
    -------
    DecodedFile
        What was written.

    Raises
    ------
    SettingsError
        If a layout is given that the format does not have, or a library is not installed.
    OutputError
        If the file cannot be written; and what `Decoder.strips` raises.
    """
    kind, interleave, byte_order = layout.kind, layout.interleave, layout.byte_order
    info = subset_info(decoder.info, part)
    if kind != "envi" and (byte_order is not None or (interleave is not None and kind != "geotiff")):
        option = "--byte-order" if byte_order is not None else "--interleave"
        raise SettingsError(f"{option} is not for {kind}: leave it out")
    if kind == "geotiff" and interleave == "bil":
        raise SettingsError("GeoTIFF has no interleave 'bil': use bsq or bip")
    stored = replace(info, interleave=interleave or info.interleave, byte_order=byte_order or info.byte_order)
    writer = open_writer(kind, output, stored, decoder.strip_lines, folder, layout.compression)
    with writer:
        for strip, block in decoder.strips(bands=part.bands, lines=part.lines, samples=part.samples):
            rows = slice(strip.start - part.lines.start, strip.stop - part.lines.start)
            writer.write(slice(0, info.bands), rows, block)
            if progress is not None:
                progress("decoding", rows.stop / info.lines)
    return DecodedFile(writer.paths, info, writer.file_dtype, tuple(decoder.damage))
