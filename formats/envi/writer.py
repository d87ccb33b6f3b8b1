"""Scenes as ENVI files, written block by block."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.atomic_files import AtomicFile, output_errors
from bandfold.common.errors import SettingsError
from bandfold.common.scene import BYTE_ORDERS, INTERLEAVES, SceneInfo
from bandfold.formats.scene_writer import SceneWriter

from .header_text import file_dtype, header_text

_RAW_SUFFIXES = (".img", ".dat", ".raw", ".bsq", ".bil", ".bip", ".bin")


def raw_path(header: Path) -> Path:
    """The raw file that is written with a header.

    Parameters
    ----------
    header : Path
        Ending in ``.hdr``.

    Returns
    -------
    Path
        ``NAME.img`` for ``NAME.hdr``, and ``NAME.raw`` (or another usual suffix) for ``NAME.raw.hdr``.

    Raises
    ------
    SettingsError
        If the path has no name: it is a folder.
    """
    if not header.name:
        raise SettingsError(f"output {header} is not named like an ENVI header: end it in .hdr")
    stem = header.with_suffix("")
    return stem if stem.suffix.lower() in _RAW_SUFFIXES else stem.with_name(stem.name + ".img")


class EnviWriter(SceneWriter):
    """Write a scene as an ENVI header and raw file, which appear together or not at all.

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
    header_path : pathlib.Path
        The header; `path` is the raw file.

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
        interleave, order = interleave or info.interleave, byte_order or info.byte_order
        if interleave not in INTERLEAVES:
            raise SettingsError(f"interleave {interleave!r} is unknown: use bsq, bil or bip")
        if order not in BYTE_ORDERS:
            raise SettingsError(f"byte order {order!r} is unknown: use little or big")
        self._stored = file_dtype(info.dtype).newbyteorder("<" if order == "little" else ">")
        self._folder = folder
        super().__init__(
            raw_path(self.header_path), replace(info, interleave=interleave, byte_order=order), folder=folder
        )

    @property
    def file_dtype(self) -> np.dtype[np.generic]:
        """Type that the samples are stored in, native byte order."""
        return file_dtype(self.info.dtype)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are written, the one that the user named first."""
        return self.header_path, self.path

    def _open(self, temporary: Path) -> None:
        self._header = AtomicFile(self.header_path, self._folder)
        try:
            with output_errors(self.header_path):
                self._header.file.write(header_text(self.info).encode(errors="replace"))
            self._file = open(temporary, "x+b")  # noqa: SIM115 - closed by _close
        except BaseException:
            self._header.discard()
            raise

    def _put(self, bands: slice, lines: slice, block: NDArray[Any]) -> None:
        put = {"bsq": self._put_bsq, "bil": self._put_bil, "bip": self._put_bip}
        put[self.info.interleave](block, bands, lines)

    def _close(self) -> None:
        self._file.close()

    def _publish(self) -> None:
        # A full disk is noticed before either file has its name.
        self._header.finish()
        super()._publish()
        self._header.publish()

    def _discard(self) -> None:
        self._header.discard()
        super()._discard()

    def _put_bsq(self, block: NDArray[Any], bands: slice, lines: slice) -> None:
        for band, plane in enumerate(block, bands.start):
            self._store((band * self.info.lines + lines.start) * self.info.samples, plane)

    def _put_bil(self, block: NDArray[Any], bands: slice, lines: slice) -> None:
        for line in range(lines.start, lines.stop):
            first = line * self.info.bands + bands.start
            self._store(first * self.info.samples, block[:, line - lines.start])

    def _put_bip(self, block: NDArray[Any], bands: slice, lines: slice) -> None:
        info = self.info
        whole = block.shape[0] == info.bands
        for line in range(lines.start, lines.stop):
            row = np.zeros((info.samples, info.bands), self._stored)
            first = line * info.samples * info.bands
            if not whole:
                # Other bands of these pixels may be there already.
                self._file.seek(first * self._stored.itemsize)
                there = np.frombuffer(self._file.read(row.nbytes), np.uint8)
                row.reshape(-1).view(np.uint8)[: there.size] = there
            row[:, bands] = block[:, line - lines.start].T
            self._store(first, row)

    def _store(self, position: int, samples: NDArray[Any]) -> None:
        self._file.seek(position * self._stored.itemsize)
        self._file.write(np.ascontiguousarray(samples, self._stored).reshape(-1).view(np.uint8).data)


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
