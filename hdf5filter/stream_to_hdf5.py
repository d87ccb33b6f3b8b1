"""A stream as an HDF5 file whose chunks are its strips: nothing is decoded, and nothing coded again."""

from __future__ import annotations

import io
from pathlib import Path

import h5py

from bandfold.common.atomic_files import AtomicPath
from bandfold.common.errors import SettingsError, StreamError
from bandfold.common.scene import SceneInfo
from bandfold.formats.containers.cf_conventions import variable_name
from bandfold.formats.containers.netcdf_writer import described_file
from bandfold.formats.file_formats import need_libraries
from bandfold.formats.scene_writer import writing
from bandfold.ground import Decoder
from bandfold.ground.access.stream_file import StreamFile
from bandfold.ground.stream.byte_source import StreamPlace, open_bytes
from bandfold.zarrcodec import ChunkSettings

from .filter_options import FILTER_ID, FilterOptions

LARGEST_CHUNK = (1 << 32) - 1
"""Bytes of a decoded chunk that HDF5 allows."""


def stream_to_hdf5(place: StreamPlace, output: Path, *, trusted: bool = False) -> SceneInfo:
    """Write an HDF5 file, also a NetCDF 4 file, that holds the strips of a stream.

    Each chunk is a stream of its own, of one strip with all that strips share; so the file is larger than the
    stream by what they share, for each strip but the first.

    Parameters
    ----------
    place : path_like, str, fsspec.core.OpenFile or binary file object
        What holds the stream.
    output : Path
        File to write. Whoever reads it imports `bandfold.hdf5filter` first.
    trusted : bool
        Whether the stream may claim far more samples than its bytes make likely.

    Returns
    -------
    SceneInfo
        Of the scene.

    Raises
    ------
    StreamError
        If the stream is damaged: as chunks go into other files, nothing can be filled in later.
    SettingsError
        If a library is not installed, or a strip is larger than HDF5 allows.
    OutputError
        If the file cannot be written.
    """
    need_libraries("netcdf", "writing HDF5")
    data = open_bytes(place).read_all()
    decoder = Decoder(data, restore="off", trusted=trusted)
    _refuse_damaged(decoder)
    info = decoder.info
    height = min(decoder.strip_lines, info.lines)
    chunk = (info.bands, height, info.samples)
    if info.bands * height * info.samples * info.dtype.itemsize > LARGEST_CHUNK:
        raise SettingsError(
            f"a strip of {height} lines is larger than a chunk of HDF5, 4 GiB: encode with --strip-lines"
        )
    words = FilterOptions(ChunkSettings(lossless=True), chunk, info.dtype.str).words()
    strips = StreamFile(io.BytesIO(data))
    target = AtomicPath(output)
    try:
        with writing(output):
            file, _ = described_file(
                target.temporary, info, chunks=chunk, compression=FILTER_ID, compression_opts=words
            )
            file.close()
            with h5py.File(target.temporary, "r+") as opened:
                cube = opened[variable_name(info)]
                for strip, first in enumerate(range(0, info.lines, height)):
                    cube.id.write_direct_chunk((0, first, 0), strips.stream((strip,)))
        target.publish()
    finally:
        target.discard()
    return info


def _refuse_damaged(decoder: Decoder) -> None:
    report = decoder.report()
    lost = [one["lines"] for one in report["segments"] if not one["intact"]]
    if lost or report["damaged_bytes"] or not report["complete"]:
        where = f"lines {lost[0][0]}:{lost[0][1]} are" if lost else "it is"
        raise StreamError(f"stream cannot be put into HDF5: {where} damaged; decode it instead")
