"""Decoded scenes as ENVI files, written block by block."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.atomic_files import AtomicFile, output_errors
from bandfold.common.errors import SettingsError
from bandfold.common.scene import BYTE_ORDERS, INTERLEAVES, SceneInfo
from bandfold.formats.writer import check_block, check_written

from .header_text import file_dtype, header_text

_RAW_SUFFIXES = (".img", ".dat", ".raw", ".bsq", ".bil", ".bip", ".bin")


class EnviWriter:
    """Write a scene as an ENVI header and raw file; a context manager.

    Both files appear together, complete, when the body succeeds, and neither when it fails.

    ENVI has no code for int8: such samples are stored as int16, values kept; see `file_dtype`.

    Parameters
    ----------
    path : path_like
        The header, ending in ``.hdr``. The raw file is ``NAME.img`` for ``NAME.hdr``, and ``NAME.raw`` for
        ``NAME.raw.hdr``.
    info : SceneInfo
        Geometry, type, no-data value and metadata of what is written.
    interleave : str, optional
        ``bsq``, ``bil`` or ``bip``. Default: the one that `info` remembers.
    byte_order : str, optional
        ``little`` or ``big``. Default: the one that `info` remembers.
    folder : path_like, optional
        Where temporary files lie, on the same file system. Default: beside `path`.

    Attributes
    ----------
    header_path, raw_path : pathlib.Path
        The two files.
    file_dtype : numpy.dtype
        Type that the samples are stored in, native byte order.

    Raises
    ------
    SettingsError
        If `path` does not end in ``.hdr``, or the interleave or byte order is unknown.
    OutputError
        If a file cannot be made.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        info: SceneInfo,
        *,
        interleave: str | None = None,
        byte_order: str | None = None,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self.header_path = Path(path)
        if self.header_path.suffix.lower() != ".hdr":
            raise SettingsError(f"output {path} is not named like an ENVI header: end it in .hdr")
        stem = self.header_path.with_suffix("")
        self.raw_path = stem if stem.suffix.lower() in _RAW_SUFFIXES else stem.with_name(stem.name + ".img")
        self._info = info
        self._interleave = info.interleave if interleave is None else interleave
        order = info.byte_order if byte_order is None else byte_order
        if self._interleave not in INTERLEAVES:
            raise SettingsError(f"interleave {self._interleave!r} is unknown: use bsq, bil or bip")
        if order not in BYTE_ORDERS:
            raise SettingsError(f"byte order {order!r} is unknown: use little or big")
        self.file_dtype = file_dtype(info.dtype)
        self._stored = self.file_dtype.newbyteorder("<" if order == "little" else ">")
        self._missing = info.count
        text = header_text(info, self._interleave, order)
        self._raw = AtomicFile(self.raw_path, folder)
        try:
            self._header = AtomicFile(self.header_path, folder)
        except BaseException:
            self._raw.discard()
            raise
        try:
            with output_errors(self.header_path):
                self._header.file.write(text.encode(errors="replace"))
        except BaseException:
            self._discard()
            raise

    def write(self, bands: slice, lines: slice, block: NDArray[Any]) -> None:
        """Write a block; every sample is to be written exactly once, in any order.

        Parameters
        ----------
        bands, lines : slice
            Half-open ranges with explicit bounds inside the scene and no step.
        block : ndarray, shape (bands, lines, samples)
            Samples of type ``info.dtype``.

        Raises
        ------
        OutputError
            If the disk is full or fails.
        ValueError
            If the block does not fit the ranges, or has another type than the scene.
        """
        check_block(self._info, bands, lines, block)
        if block.size:
            put = {"bsq": self._put_bsq, "bil": self._put_bil, "bip": self._put_bip}
            with output_errors(self.raw_path):
                put[self._interleave](block, bands, lines)
            self._missing -= block.size

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are written, the one that the user named first."""
        return self.header_path, self.raw_path

    def _put_bsq(self, block: NDArray[Any], bands: slice, lines: slice) -> None:
        for band, plane in enumerate(block, bands.start):
            self._put((band * self._info.lines + lines.start) * self._info.samples, plane)

    def _put_bil(self, block: NDArray[Any], bands: slice, lines: slice) -> None:
        for line in range(lines.start, lines.stop):
            first = line * self._info.bands + bands.start
            self._put(first * self._info.samples, block[:, line - lines.start])

    def _put_bip(self, block: NDArray[Any], bands: slice, lines: slice) -> None:
        info = self._info
        whole = block.shape[0] == info.bands
        for line in range(lines.start, lines.stop):
            row = np.zeros((info.samples, info.bands), self._stored)
            first = line * info.samples * info.bands
            if not whole:
                # Other bands of these pixels may be there already.
                self._raw.file.seek(first * self._stored.itemsize)
                there = np.frombuffer(self._raw.file.read(row.nbytes), np.uint8)
                row.reshape(-1).view(np.uint8)[: there.size] = there
            row[:, bands] = block[:, line - lines.start].T
            self._put(first, row)

    def _put(self, position: int, samples: NDArray[Any]) -> None:
        self._raw.file.seek(position * self._stored.itemsize)
        self._raw.file.write(np.ascontiguousarray(samples, self._stored).reshape(-1).view(np.uint8).data)

    def _discard(self) -> None:
        self._raw.discard()
        self._header.discard()

    def __enter__(self) -> EnviWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is not None:
                return
            check_written(self._missing, self._info, self.raw_path)
            # A full disk is noticed here, before either file has its name.
            self._raw.finish()
            self._header.finish()
            self._raw.publish()
            self._header.publish()
        finally:
            self._discard()


def write_envi(
    path: str | os.PathLike[str],
    cube: NDArray[Any],
    info: SceneInfo,
    *,
    interleave: str | None = None,
    byte_order: str | None = None,
) -> None:
    """Write a scene that is held in memory.

    Parameters
    ----------
    path : path_like
        The header, ending in ``.hdr``.
    cube : ndarray, shape (bands, lines, samples)
        Samples of type ``info.dtype``.
    info : SceneInfo
        Geometry, type and metadata.
    interleave, byte_order : str, optional
        As for `EnviWriter`.

    Raises
    ------
    SettingsError, OutputError, ValueError
        As for `EnviWriter`.
    """
    with EnviWriter(path, info, interleave=interleave, byte_order=byte_order) as writer:
        writer.write(slice(0, info.bands), slice(0, info.lines), cube)
