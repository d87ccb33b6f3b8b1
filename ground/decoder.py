"""The ground decoder: bytes in, samples out, damaged strips filled and reported."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.segment_layout import ChunkedSegment
from bandfold.bitstream.contexts.tables import load_tables, needed_tables
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.segments.band_segment import read_band_segment
from bandfold.bitstream.segments.planes import PlaneTables
from bandfold.bitstream.segments.segment import Segment, mode_name, read_segment
from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.errors import MemoryLimitError, SettingsError, StreamError
from bandfold.common.scene import SceneInfo
from bandfold.common.workers import Workers
from bandfold.ground.restoration.evidence import Decoded
from bandfold.ground.restoration.restoration_model import AUTO, find_restoration
from bandfold.ground.restoration.restorer import BYTES_PER_RESTORED, Restorer
from bandfold.ground.stream.parsed_stream import Stream
from bandfold.ground.synthesis.absent_samples import mark_absent
from bandfold.ground.synthesis.inverse import dequantise, synthesise, unfold, unrotate
from bandfold.ground.synthesis.network_synthesis import NetworkSynthesis
from bandfold.ground.synthesis.physical_units import apply_scaling

DEFAULT_MEMORY_LIMIT = 4 << 30
"""Bytes that decoding may take where no limit is given."""


@dataclass(frozen=True)
class Damage:
    """A strip that could not be decoded, or not as it was encoded.

    Parameters
    ----------
    lines : slice
        Lines of the scene.
    reason : str
    filled : bool
        Whether they were filled with band means. Otherwise the strongest components were intact, and the
        lines are what these give.
    """

    lines: slice
    reason: str
    filled: bool = True


class Decoder:
    """Decodes one stream.

    Parameters
    ----------
    source : bytes or path_like
        A stream, or the file that holds it.
    memory_limit : int, optional
        Bytes that decoding may take, checked against what the header asks for before anything is allocated.
    tables : path_like, optional
        Tables to use in place of the shipped ones.
    models : sequence of path_like, optional
        Package files to look in before those that are shipped or on the search path.
    restore : str or path_like
        ``auto`` restores folded scenes (`bandfold.ground.restoration.restorer`) where ONNX Runtime is
        installed; ``off`` gives the reconstruction points that the format describes; else a package, by name
        or file.
    threads : int
        Processor threads: as many strips are decoded at a time. Of a single strip only the restoration is
        shared.

    Raises
    ------
    StreamError
        If the stream is corrupt or truncated in what all segments need.
    ModelError
        If it needs tables or a model that are not at hand, or the restoration asked for is none.

    Attributes
    ----------
    damage : list of Damage
        Strips that the last call could not decode, or not as they were encoded.
    """

    def __init__(
        self,
        source: bytes | str | os.PathLike[str],
        *,
        memory_limit: int = DEFAULT_MEMORY_LIMIT,
        tables: str | os.PathLike[str] | None = None,
        models: Sequence[str | os.PathLike[str]] = (),
        restore: str | os.PathLike[str] = AUTO,
        threads: int = 1,
    ) -> None:
        data = source if isinstance(source, bytes) else _read(Path(source))
        named = None if tables is None else load_tables(Path(tables))
        registry = Registry(models)
        self._stream = Stream.parse(data, named, memory_limit, registry)
        self._tables = needed_tables(self._stream.header.tables, named)
        codec = self._stream.codec
        self._networks = None if codec is None else _Networks(codec, codec.tables(self._tables))
        self._mode = self._tables.modes[mode_name(spectral=self._stream.header.spectral)]
        self._model = find_restoration(restore, registry) if self._stream.header.spectral else None
        self._workers = Workers(threads)
        self._restorer: Restorer | None = None
        self._limit = memory_limit
        self.damage: list[Damage] = []

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata of the scene."""
        return replace(self._stream.header.info, metadata=self._stream.metadata)

    @property
    def complete(self) -> bool:
        """Whether the stream tells how many lines there are: one that was cut off does not."""
        return self._stream.complete

    @property
    def restoration(self) -> str | None:
        """Package that restores the scene, if one does."""
        return None if self._model is None else self._model.name

    @property
    def fold(self) -> Fold:
        """How the bands of the scene become components; the first one where there are several."""
        return self._stream.fold

    def report(self) -> dict[str, Any]:
        """What is in the stream and where its bytes went, ready for JSON; see `Stream.report`."""
        return self._stream.report()

    @property
    def strip_lines(self) -> int:
        """Lines of a strip, the last one of a scene left out."""
        return self._stream.header.strip_lines

    @property
    def step(self) -> float:
        """Quantiser step in counts, that of the first strip where it changes."""
        return self._stream.header.step

    def replace_segments(self, data: bytes) -> None:
        """Take the segments of another stream of the same scene; see `Stream.replace_segments`."""
        self._stream.replace_segments(data)

    def decode(
        self,
        bands: slice | None = None,
        lines: slice | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> NDArray[Any]:
        """Decode the scene or a part of it.

        Parameters
        ----------
        bands, lines : slice, optional
            0-based half-open ranges without step; everything if not given.
        progress : callable, optional
            Called with a stage and the fraction done.

        Returns
        -------
        ndarray, shape (bands, lines, samples)
            Of type ``info.dtype``.

        Raises
        ------
        MemoryLimitError
            If the result and one strip exceed the memory limit.
        SettingsError
            If a range is empty or has a step.
        """
        info = self._stream.header.info
        bands, lines = _range(bands, info.bands, "bands"), _range(lines, info.lines, "lines")
        shape = (bands.stop - bands.start, lines.stop - lines.start, info.samples)
        self._check_memory(shape[0] * shape[1] * shape[2] * info.dtype.itemsize)
        result = np.empty(shape, dtype=info.dtype)
        for part, block in self.strips(bands, lines, progress):
            result[:, part.start - lines.start : part.stop - lines.start] = block
        return result

    def strips(
        self,
        bands: slice | None = None,
        lines: slice | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Decode strip by strip, so that memory does not grow with the number of lines.

        Parameters
        ----------
        bands, lines, progress
            As in `decode`.

        Yields
        ------
        lines : slice
            Lines of the scene.
        block : ndarray, shape (bands, lines, samples)

        Raises
        ------
        MemoryLimitError
            If one strip exceeds the memory limit.
        SettingsError
            If a range is empty or has a step.
        """
        header = self._stream.header
        bands = _range(bands, header.info.bands, "bands")
        lines = _range(lines, header.info.lines, "lines")
        self._check_memory(0)
        self.damage = []
        first, last = lines.start // header.strip_lines, -(-lines.stop // header.strip_lines)
        if self._model is not None:
            self._open_restorer(several=last - first > 1)

        def decode(index: int) -> tuple[slice, NDArray[Any], Damage | None]:
            return header.strip(index), *self._strip(header.strip(index), bands)

        for index, (strip, block, damage) in enumerate(self._workers.map(decode, range(first, last)), first):
            if damage is not None:
                self.damage.append(damage)
            low, high = max(strip.start, lines.start), min(strip.stop, lines.stop)
            yield slice(low, high), block[:, low - strip.start : high - strip.start]
            if progress is not None:
                progress("decode", (index + 1 - first) / (last - first))

    def _strip(self, strip: slice, bands: slice) -> tuple[NDArray[Any], Damage | None]:
        """Decode one strip, or fill it and tell the damage."""
        stream, info = self._stream, self._stream.header.info
        index = strip.start // stream.header.strip_lines
        height = strip.stop - strip.start
        marked: NDArray[np.bool_] | None = None
        damage: Damage | None = None
        try:
            segmented = stream.segment(index)
            planes, marked = self._planes(segmented, bands, height)
            if segmented.lost:
                kept, whole = len(segmented.chunks), len(segmented.chunks) + segmented.lost
                reason = f"segment {index} has a wrong checksum: decoded from {kept} of {whole} chunks"
                damage = Damage(strip, reason, filled=False)
        except StreamError as error:
            damage = Damage(strip, str(error))
            means = stream.fold_near(index).means[bands] / FRACTION
            planes = np.broadcast_to(means[:, None, None], (len(means), height, info.samples))
        absent = np.zeros(planes.shape, dtype=np.bool_) if marked is None else marked[bands]
        limits = np.iinfo(info.coded_dtype.name)
        counts = np.clip(np.rint(planes), limits.min, limits.max).astype(info.coded_dtype)
        if info.no_data is None:
            return apply_scaling(counts, info), damage
        return mark_absent(counts, absent, info), damage

    def _open_restorer(self, *, several: bool) -> None:
        """Open the restoration where the first strip is decoded: many who open a stream only look at it."""
        if self._restorer is None and self._model is not None:
            threads = 1 if several else self._workers.threads
            self._restorer = Restorer(self._model, self._mode, threads)

    def _planes(
        self, segmented: ChunkedSegment, bands: slice, height: int
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
        """Bands of a strip in counts, not rounded, and which samples of all bands are absent."""
        stream = self._stream
        header, place = stream.header, segmented.place
        step = stream.step(place)
        basis = stream.basis(place.fold, place.rotation)
        if self._networks is not None:
            found = read_band_segment(segmented, header, self._networks.tables, basis.fold)
            planes = self._networks.synthesis.bands(
                found.quantised, basis.fold, step, bands, height, header.info.samples
            )
            return planes, found.absent
        segment = read_segment(segmented, header, basis.fold.components, len(basis.rotations), self._tables)
        planes = self._reconstruct(segment, basis.fold, basis.rotations, bands, height, step)
        return planes, segment.absent

    def _reconstruct(
        self,
        segment: Segment,
        fold: Fold,
        rotations: tuple[Vectors, ...],
        bands: slice,
        height: int,
        step: float,
    ) -> NDArray[np.float64]:
        header = self._stream.header
        latents = dequantise(segment, self._mode)
        if self._restorer is not None:
            # This strip's fold may have more components than those known before.
            self._check_memory(0)
            points = latents.astype(np.float32)
            decoded = Decoded(segment.quantised, segment.classes, points, segment.chosen, rotations)
            latents = self._restorer.restore(decoded).astype(np.float64)
        latents *= step
        if segment.chosen is not None:
            unrotate(latents, segment.chosen, rotations)
        return unfold(fold, synthesise(latents, height, header.info.samples), bands)

    def _check_memory(self, result: int) -> None:
        strip = self._stream.strip_memory
        if self._model is not None:
            strip += self._stream.strip_latents * BYTES_PER_RESTORED
        # Besides those that are decoded, one is with the caller.
        threads = self._workers.threads
        count = min(threads + (threads > 1), self._stream.header.strip_count)
        need = result + strip * count
        if need > self._limit:
            raise MemoryLimitError(
                f"decoding takes about {need / 2**30:.1f} GiB, the limit is {self._limit / 2**30:.1f} GiB: "
                "raise the limit (--memory-limit) or decode fewer lines or bands"
            )


class _Networks:
    """The model of a stream: its tables, and its networks, which are opened when they are needed."""

    def __init__(self, codec: BandCodec, tables: PlaneTables) -> None:
        self.tables = tables
        self.synthesis = NetworkSynthesis(codec)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StreamError(f"stream {path} cannot be read: {error.strerror}") from error


def _range(wanted: slice | None, size: int, name: str) -> slice:
    if wanted is None:
        return slice(0, size)
    start, stop, stride = wanted.indices(size)
    if stride != 1 or start >= stop:
        raise SettingsError(f"{name} {wanted.start}:{wanted.stop} are not a range within 0:{size}")
    return slice(start, stop)
