"""Blocks of a scene read from the file of a stream, decoded strip by strip when they are asked for."""

from __future__ import annotations

import os
import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SettingsError, StreamError
from bandfold.common.scene import SceneInfo, range_inside
from bandfold.ground.decoder import ALL, DEFAULT_MEMORY_LIMIT, Decoder
from bandfold.ground.restoration.restoration_model import AUTO
from bandfold.ground.stream.byte_source import StreamPlace
from bandfold.ground.stream.stream_part import StreamPart

from .stream_file import StreamFile

DEFAULT_CACHE = 256 << 20
"""Bytes of decoded strips that are kept where nothing else is asked for."""


class DamageWarning(UserWarning):
    """Lines of a scene are damaged and filled with the means of the bands."""


@dataclass(frozen=True)
class ReaderOptions:
    """How strips are decoded and kept.

    Parameters
    ----------
    memory_limit : int
        Bytes that decoding may take.
    models : tuple of path_like
        Package files to look in before those that are shipped or on the search path.
    restore : str or path_like
        ``auto``, ``off``, or a restoration package by name or file; see `bandfold.ground.decoder.Decoder`.
    cache : int
        Bytes of decoded strips to keep.
    damage : {"warn", "raise"}
        What to do about strips that are damaged.
    trusted : bool
        Whether the stream may claim far more samples than its bytes make likely.
    layers : {"all", "base"}
        Whether errors are bounded where the stream holds what that takes, or its base is decoded alone.

    Raises
    ------
    SettingsError
        If `damage` is something else.
    """

    memory_limit: int = DEFAULT_MEMORY_LIMIT
    models: tuple[str | os.PathLike[str], ...] = ()
    restore: str | os.PathLike[str] = AUTO
    cache: int = DEFAULT_CACHE
    damage: str = "warn"
    trusted: bool = False
    layers: str = ALL

    def __post_init__(self) -> None:
        if self.damage not in ("warn", "raise"):
            raise SettingsError(f"damage {self.damage!r} is unknown: use warn or raise")

    def decoder(self, stream: bytes, nbytes: int) -> Decoder:
        """Open a stream.

        Parameters
        ----------
        stream : bytes
            The stream, or a part of it.
        nbytes : int
            Bytes of the whole stream.

        Returns
        -------
        Decoder
            That follows these options.
        """
        return Decoder(
            StreamPart(stream, nbytes),
            memory_limit=self.memory_limit,
            models=self.models,
            restore=self.restore,
            trusted=self.trusted,
            layers=self.layers,
        )


class StripReader:
    """Reads blocks of a scene; several threads may use one, which then take turns.

    Decoding takes a strip at a time, nearly as long for one band as for all of them. So the first block of a
    strip is decoded as it is asked for, and if another one of the same strip follows, all of its bands are
    decoded and kept. It can be pickled: it is opened anew where it arrives, once for all readers of a
    process.

    Parameters
    ----------
    place : path_like, str, fsspec.core.OpenFile or binary file object
        What holds a stream (.bf): a path, an address such as ``s3://bucket/scene.bf``, what ``fsspec.open``
        gives for one, or an open file; see `bandfold.ground.stream.byte_source.open_bytes`.
    memory_limit : int
        Bytes that decoding may take.
    models : tuple of path_like
        Package files to look in before those that are shipped or on the search path.
    restore : str or path_like
        ``auto``, ``off``, or a restoration package by name or file; see `bandfold.ground.decoder.Decoder`.
    cache : int
        Bytes of decoded strips to keep.
    damage : {"warn", "raise"}
        Whether damaged strips are filled with the means of the bands under a `DamageWarning`, or are an
        error.
    trusted : bool
        Whether the stream may claim far more samples, and take more memory, than its bytes make likely.
    layers : {"all", "base"}
        Whether errors are bounded where the stream holds what that takes, or its base is decoded alone.

    Raises
    ------
    StreamError
        If the file cannot be read, or is corrupt or truncated in what all strips need.
    ModelError
        If it needs a package that is not at hand, or the restoration asked for is none.
    MemoryLimitError
        If a strip would take too much memory.
    SettingsError
        If `damage` or `layers` is something else, or a library for the address is not installed.
    """

    def __init__(
        self,
        place: StreamPlace,
        *,
        memory_limit: int = DEFAULT_MEMORY_LIMIT,
        models: tuple[str | os.PathLike[str], ...] = (),
        restore: str | os.PathLike[str] = AUTO,
        cache: int = DEFAULT_CACHE,
        damage: str = "warn",
        trusted: bool = False,
        layers: str = ALL,
    ) -> None:
        self._options = ReaderOptions(memory_limit, tuple(models), restore, cache, damage, trusted, layers)
        self._file = StreamFile(place)
        try:
            self._decoder = self._open(())
        except StreamError:
            # Segments may be needed to make sense of what all strips share.
            self._file.read_whole()
            self._decoder = self._open(())
        self._info = self._decoder.info
        self._strip_lines = self._decoder.strip_lines
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._seen: set[int] = set()

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata of the scene."""
        return self._info

    @property
    def strip_lines(self) -> int:
        """Lines of a strip."""
        return self._strip_lines

    @property
    def ends(self) -> tuple[int, ...]:
        """Where the intervals of bands end."""
        return self._decoder.fold.ends

    @property
    def step(self) -> float:
        """Quantiser step in counts, that of the first strip where it changes."""
        return self._decoder.step

    @property
    def name(self) -> str:
        """Path or address of the stream, or what else messages call it."""
        return self._file.name

    @property
    def stream_bytes(self) -> int:
        """Bytes of the whole stream."""
        return self._file.size

    @property
    def bytes_read(self) -> int:
        """Bytes that were read from the file so far."""
        return self._file.bytes_read

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Decode a block.

        Parameters
        ----------
        bands, lines : slice
            Half-open ranges inside the scene, without a step; ends that are not given are those of the scene.

        Returns
        -------
        ndarray, shape (bands, lines, samples)
            Of type ``info.dtype``.

        Raises
        ------
        SettingsError
            If a range lies outside the scene.
        StreamError
            If a strip is damaged and that is to be raised.
        """
        info = self._info
        bands = range_inside("bands", bands, info.bands, empty=True)
        lines = range_inside("lines", lines, info.lines, empty=True)
        shape = (bands.stop - bands.start, lines.stop - lines.start, info.samples)
        result = np.empty(shape, info.dtype)
        if not result.size:
            return result
        height = self._strip_lines
        with self._lock:
            for strip in range(lines.start // height, -(-lines.stop // height)):
                low, high = max(strip * height, lines.start), min((strip + 1) * height, lines.stop)
                block = self._strip(strip, bands)
                result[:, low - lines.start : high - lines.start] = block[
                    :, low - strip * height : high - strip * height
                ]
        return result

    def _open(self, strips: tuple[int, ...]) -> Decoder:
        """A decoder of some strips, whose budget is that of the whole file."""
        return self._options.decoder(self._file.stream(strips), self._file.size)

    def _strip(self, strip: int, bands: slice) -> NDArray[Any]:
        """Some bands of a strip, out of what is kept if it is."""
        info = self._info
        if strip in self._kept:
            self._kept.move_to_end(strip)
            return self._kept[strip][bands]
        everything = bands.stop - bands.start == info.bands
        size = info.bands * self._strip_lines * info.samples * info.dtype.itemsize
        if size > self._options.cache or (strip not in self._seen and not everything):
            self._seen.add(strip)
            return self._decode(strip, bands)
        self._kept[strip] = self._decode(strip, slice(0, info.bands))
        while sum(block.nbytes for block in self._kept.values()) > self._options.cache:
            self._kept.popitem(last=False)
        return self._kept[strip][bands]

    def _decode(self, strip: int, bands: slice) -> NDArray[Any]:
        first = strip * self._strip_lines
        lines = slice(first, min(first + self._strip_lines, self._info.lines))
        decoder = self._decoder
        # Its sections that all strips need, which take a while to read, are read once.
        decoder.replace_segments(self._file.stream((strip,)))
        block = decoder.decode(bands, lines)
        if decoder.damage:
            # What can be made of a damaged segment is found by the usual way.
            decoder = self._open((strip,))
            block = decoder.decode(bands, lines)
        for damage in decoder.damage:
            message = f"{self.name}: lines {lines.start}:{lines.stop} are damaged: {damage.reason}"
            if self._options.damage == "raise":
                raise StreamError(message)
            warnings.warn(DamageWarning(message), stacklevel=2)
        return block

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self._file.reopening, self._file.stamp, self._options)


@lru_cache(maxsize=32)
def _reopened(place: Any, stamp: tuple[Any, ...], options: ReaderOptions) -> StripReader:
    """The reader of this process for a file."""
    reader = StripReader(place, **vars(options))
    if reader._file.stamp != stamp:
        raise StreamError(f"{reader.name} has changed since it was opened: open it again")
    return reader
