"""The raw file of an ENVI scene, read block by block in any interleave and byte order."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import SceneInfo
from bandfold.formats.block_source import BlockSource

_PIECE_BYTES = 4 << 20
"""Largest scratch buffer for a block that has to be transposed (at least one line of the scene)."""


class EnviSource(BlockSource):
    """An ENVI raw file; made by `bandfold.formats.envi.reader.open_envi`.

    Blocks are read with plain reads of just the bytes they need: the pages of a memory map would stay
    resident and count against the memory budget on board.

    Parameters
    ----------
    path : pathlib.Path
        The raw file.
    offset : int
        Position of the first sample, in bytes.
    info : SceneInfo
        Geometry, type, interleave and byte order of the file.
    notes : sequence of str, optional
        As for `BlockSource`.
    """

    def __init__(self, path: Path, offset: int, info: SceneInfo, notes: Sequence[str] = ()) -> None:
        super().__init__(path, info, notes)
        self._offset = offset
        self._stored = info.dtype.newbyteorder("<" if info.byte_order == "little" else ">")

    def _block(self, bands: slice, lines: slice) -> NDArray[Any]:
        info = self._info
        shape = (bands.stop - bands.start, lines.stop - lines.start, info.samples)
        if info.interleave == "bil" and shape[0] == info.bands:
            # As it lies in the file: nothing needs to be moved.
            block = np.empty((shape[1], shape[0], shape[2]), self._stored).transpose(1, 0, 2)
        else:
            block = np.empty(shape, self._stored)
        if block.size:
            fill = {"bsq": self._fill_bsq, "bil": self._fill_bil, "bip": self._fill_bip}
            try:
                # Unbuffered: the reads are large, and a buffer would fetch bytes that nobody asked for.
                with open(self.path, "rb", buffering=0) as file:
                    fill[info.interleave](file, block, bands, lines)
            except OSError as error:
                raise SceneError(
                    f"cannot read {self.path}: {error.strerror or error}; check the file and its medium"
                ) from error
        if not self._stored.isnative:
            block = block.byteswap(inplace=True).view(info.dtype)
        return block

    def _fill_bsq(self, file: io.FileIO, block: NDArray[Any], bands: slice, lines: slice) -> None:
        info = self._info
        if block.shape[1] == info.lines:
            self._fetch(file, bands.start * info.lines * info.samples, block)
            return
        for plane, band in zip(block, range(bands.start, bands.stop), strict=True):
            self._fetch(file, (band * info.lines + lines.start) * info.samples, plane)

    def _fill_bil(self, file: io.FileIO, block: NDArray[Any], bands: slice, lines: slice) -> None:
        info = self._info
        if block.shape[0] == info.bands:
            self._fetch(file, lines.start * info.bands * info.samples, block.transpose(1, 0, 2))
            return
        rows = np.empty((block.shape[0], info.samples), self._stored)
        for index, line in enumerate(range(lines.start, lines.stop)):
            self._fetch(file, (line * info.bands + bands.start) * info.samples, rows)
            block[:, index] = rows

    def _fill_bip(self, file: io.FileIO, block: NDArray[Any], bands: slice, lines: slice) -> None:
        for part, piece in self._pieces(file, lines, (self._info.samples, self._info.bands)):
            block[:, part] = piece[:, :, bands].transpose(2, 0, 1)

    def _pieces(
        self, file: io.FileIO, lines: slice, line_shape: tuple[int, int]
    ) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Read whole lines, a few at a time: yields their place in the block and samples in file order."""
        line_size = line_shape[0] * line_shape[1]
        height = max(1, min(lines.stop - lines.start, _PIECE_BYTES // (line_size * self._stored.itemsize)))
        scratch = np.empty((height, *line_shape), self._stored)
        for start in range(lines.start, lines.stop, height):
            stop = min(start + height, lines.stop)
            piece = scratch[: stop - start]
            self._fetch(file, start * line_size, piece)
            yield slice(start - lines.start, stop - lines.start), piece

    def _fetch(self, file: io.FileIO, position: int, target: NDArray[Any]) -> None:
        """Fill the contiguous `target` with the samples from `position` (counted in samples) on."""
        file.seek(self._offset + position * self._stored.itemsize)
        rest = target.reshape(-1).view(np.uint8).data
        while rest:
            # One read moves 2 GiB at most on Linux, and less when a signal comes in.
            size = file.readinto(rest)
            if not size:
                raise SceneError(
                    f"{self.path} ends {len(rest)} bytes too early at byte {file.tell()}: "
                    "it has become shorter since it was opened, do not change it meanwhile"
                )
            rest = rest[size:]
