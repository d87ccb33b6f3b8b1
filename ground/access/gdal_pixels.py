"""Samples of a stream for GDAL, which calls `decode_band` for what it needs of a virtual raster.

See `bandfold.ground.access.gdal_vrt`. GDAL starts an interpreter for that, or takes the one that it runs in.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.ground.stream.byte_source import is_address

from .strip_reader import StripReader


def decode_band(
    sources: object,
    out: NDArray[Any],
    first_sample: int,
    first_line: int,
    samples: int,
    lines: int,
    *place: object,
    **arguments: bytes,
) -> None:
    """Decode a window of a band, as a pixel function of GDAL.

    Parameters
    ----------
    sources : sequence
        Of the virtual raster: there are none.
    out : ndarray, shape (lines or fewer, samples or fewer)
        Where the samples go. If it is smaller than the window, the nearest ones are taken.
    first_sample, first_line : int
        Corner of the window, from 0.
    samples, lines : int
        Size of the window.
    *place
        What else GDAL tells of the raster.
    **arguments
        Texts as bytes: ``stream``, a path or an address, ``band``, from 0, and what
        `bandfold.ground.access.gdal_vrt.vrt_arguments` makes of options.

    Raises
    ------
    BandfoldError
        If the stream cannot be read or decoded. GDAL passes the message on.
    """
    told = {name: text.decode() for name, text in arguments.items()}
    stream, band = told.pop("stream"), int(told.pop("band"))
    reader = _reader(stream, _stamp(stream), tuple(sorted(told.items())))
    block = reader.read_band(band, slice(first_line, first_line + lines))
    rows, columns = (_nearest(size, count) for size, count in zip((lines, samples), out.shape, strict=True))
    out[:] = block[rows][:, first_sample + columns]


class _BandReader(StripReader):
    """A reader of single bands, one after the other: all of a strip is kept from the beginning, if it may."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._met: set[int] = set()

    def read_band(self, band: int, lines: slice) -> NDArray[Any]:
        """Samples of a band, shape (lines, samples)."""
        height = self.strip_lines
        for strip in range(lines.start // height, -(-lines.stop // height)):
            if strip not in self._met:
                self._met.add(strip)
                first = strip * height
                self.read(slice(0, self.info.bands), slice(first, first + 1))
        block: NDArray[Any] = self.read(slice(band, band + 1), lines)[0]
        return block


@lru_cache(maxsize=8)
def _reader(stream: str, stamp: object, options: tuple[tuple[str, str], ...]) -> _BandReader:
    told = dict(options)
    given: dict[str, Any] = {key: told[key] for key in ("restore", "layers") if key in told}
    given |= {key: int(told[key]) for key in ("cache", "memory_limit") if key in told}
    if "models" in told:
        given["models"] = tuple(told["models"].split(os.pathsep))
    return _BandReader(stream, trusted="trusted" in told, **given)


def _stamp(stream: str) -> object:
    """What changes when a file does; an address is read as it was when it was opened."""
    if is_address(stream):
        return None
    try:
        state = os.stat(Path(stream))
    except OSError:
        # Whoever opens it says what is wrong.
        return None
    return state.st_size, state.st_mtime_ns


def _nearest(size: int, count: int) -> NDArray[np.intp]:
    """Indices of `count` lines or samples, evenly spread over `size` of them."""
    return ((np.arange(count) + 0.5) * size / count).astype(np.intp)
