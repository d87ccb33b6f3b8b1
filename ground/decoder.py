"""The ground decoder: bytes in, samples out, damaged strips filled and reported.

What a strip goes through is in `bandfold.ground.synthesis`: `StripDecoder.decode` finds its segment, has it
turned into bands and rounds these to samples; `FoldedStripDecoder.synthesise` and, for trained models,
`PredictedStripDecoder.synthesise` and `BandStripDecoder.synthesise` spell out the steps between.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.stream_budget import PLANE_WORK, SCALED_PLANE_WORK, StreamBudget
from bandfold.bitstream.contexts.tables import load_tables, needed_tables
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.segments.predicted_codec import PredictedCodec
from bandfold.bitstream.segments.segment import mode_name
from bandfold.bitstream.transforms.klt import Fold
from bandfold.common.errors import SettingsError
from bandfold.common.scene import SceneInfo, range_inside
from bandfold.common.workers import Workers, one_blas_thread
from bandfold.ground.restoration.restoration_model import AUTO, find_restoration
from bandfold.ground.restoration.restorer import BYTES_PER_RESTORED, Restorer
from bandfold.ground.stream.byte_source import StreamPlace, open_bytes
from bandfold.ground.stream.memory_budget import MemoryBudget
from bandfold.ground.stream.parsed_stream import ParsedStream
from bandfold.ground.stream.stream_part import StreamPart
from bandfold.ground.stream.stream_report import stream_report
from bandfold.ground.stream.strip_bound import StripBound
from bandfold.ground.synthesis.band_strip_decoder import BandStripDecoder
from bandfold.ground.synthesis.folded_strip_decoder import FoldedStripDecoder
from bandfold.ground.synthesis.predicted_strip_decoder import PredictedStripDecoder
from bandfold.ground.synthesis.strip_decoder import Damage, DecodedStrip, StripDecoder

ALL, BASE = LAYERS = ("all", "base")
"""Values of ``layers``."""

DEFAULT_MEMORY_LIMIT = 4 << 30
"""Bytes that decoding may take where no limit is given."""


class Decoder:
    """Decodes one stream.

    Parameters
    ----------
    source : bytes, StreamPart, path_like, str, fsspec.core.OpenFile or binary file object
        A stream, a part of it, or what holds it: a file, an address such as ``s3://bucket/scene.bf``, or an
        open file; see `bandfold.ground.stream.byte_source.open_bytes`. All of it is read;
        `bandfold.ground.access.strip_reader.StripReader` reads what is needed.
    memory_limit : int, optional
        Bytes that decoding may take, checked against what the header asks for before anything is allocated.
    tables : path_like, optional
        File of trained statistics to use in place of the shipped ones; it must be what the stream names.
    models : sequence of path_like, optional
        Package files to look in before those that are shipped or on the search path.
    restore : str or path_like
        ``auto`` restores folded scenes (`bandfold.ground.restoration.restorer`); ``off`` gives the
        reconstruction points that the format describes; else a package, by name or file.
    threads : int
        Processor threads: as many strips are decoded at a time. Of a single strip only the restoration is
        shared.
    trusted : bool
        Whether the stream may claim far more samples, and take more memory, than its bytes make likely:
        see `bandfold.bitstream.container.stream_budget`.
    layers : {"all", "base"}
        Whether errors are bounded where the stream holds what that takes, or its base is decoded alone.

    Raises
    ------
    StreamError
        If the stream is corrupt or truncated in what all segments need.
    ModelError
        If it needs tables or a model that are not at hand, or the restoration asked for is none.
    MemoryLimitError
        If a strip would take more than the memory limit, or the stream claims far more than streams of its
        size do and is not trusted.
    SettingsError
        If `layers` is something else, or a library for the address is not installed.

    Attributes
    ----------
    damage : list of Damage
        Strips that the last call could not decode, or not as they were encoded.
    bounds : list of StripBound
        Of each strip that the last call decoded, which error its samples have at most.
    restoration : str or None
        Name of the package that restores the scene, if one does.
    unrestored : bool
        Whether the scene is not restored only because a stream of few bytes may not cost so much; `trusted`,
        or a package that is named, restores it.
    """

    def __init__(
        self,
        source: bytes | StreamPart | StreamPlace,
        *,
        memory_limit: int = DEFAULT_MEMORY_LIMIT,
        tables: str | os.PathLike[str] | None = None,
        models: Sequence[str | os.PathLike[str]] = (),
        restore: str | os.PathLike[str] = AUTO,
        threads: int = 1,
        trusted: bool = False,
        layers: str = ALL,
    ) -> None:
        if layers not in LAYERS:
            raise SettingsError(f"layers {layers!r} are unknown: use {' or '.join(LAYERS)}")
        if isinstance(source, StreamPart):
            data, whole = source.data, source.whole
        else:
            data = source if isinstance(source, bytes) else open_bytes(source).read_all()
            whole = len(data)
        named = None if tables is None else load_tables(Path(tables))
        registry = Registry(models)
        budget = StreamBudget(whole, memory_limit, trusted=trusted)
        self._stream = stream = ParsedStream.parse(data, named, budget, registry)
        statistics = needed_tables(stream.header.tables, named)
        model = find_restoration(restore, registry) if stream.header.spectral else None
        latents = stream.transforms.strip_latents * stream.header.strip_count
        self.unrestored = model is not None and restore == AUTO and not budget.allows_restoration(latents)
        if self.unrestored:
            model = None
        restorer = None
        if model is not None:
            restorer = Restorer(model, statistics.modes[mode_name(spectral=True)])
        self.restoration = None if model is None else model.name
        self._workers = Workers(threads)
        self._budget = MemoryBudget(threads, 0 if model is None else BYTES_PER_RESTORED)
        self._strip_decoder: StripDecoder
        if stream.codec is None:
            self._strip_decoder = FoldedStripDecoder(stream, statistics, restorer, self._budget)
        elif isinstance(stream.codec, PredictedCodec):
            self._strip_decoder = PredictedStripDecoder(stream, stream.codec, statistics)
        else:
            self._strip_decoder = BandStripDecoder(stream, stream.codec, statistics)
        self._strip_decoder.base_only = layers == BASE
        self.damage: list[Damage] = []
        self.bounds: list[StripBound] = []

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata of the scene."""
        return replace(self._stream.header.info, metadata=self._stream.metadata)

    @property
    def complete(self) -> bool:
        """Whether the number of lines is known: a stream that was cut off may lack some."""
        return self._stream.complete

    @property
    def fold(self) -> Fold:
        """How the bands of the scene become components; the first fold where there are several."""
        return self._stream.fold

    def report(self) -> dict[str, Any]:
        """What is in the stream and where its bytes went, ready for JSON; see `stream_report`."""
        return stream_report(self._stream)

    @property
    def strip_lines(self) -> int:
        """Lines of a strip, the last one of a scene left out."""
        return self._stream.header.strip_lines

    @property
    def step(self) -> float:
        """Quantiser step in counts, that of the first strip where it changes."""
        return self._stream.header.step

    def replace_segments(self, data: bytes) -> None:
        """Take the segments of another stream, and their refinements, in place of those that are there.

        Parameters
        ----------
        data : bytes
            A stream of the same scene; all that it holds but intact segments and refinements is ignored.
        """
        self._stream.replace_segments(data)

    def decode(
        self,
        bands: slice | None = None,
        lines: slice | None = None,
        progress: Callable[[str, float], None] | None = None,
        samples: slice | None = None,
    ) -> NDArray[Any]:
        """Decode the scene or a part of it.

        Parameters
        ----------
        bands, lines : slice, optional
            0-based half-open ranges without step; everything if not given.
        progress : callable, optional
            Called with a stage and the fraction done.
        samples : slice, optional
            As `bands` and `lines`. Strips are decoded whole, and cut.

        Returns
        -------
        ndarray, shape (bands, lines, samples)
            Of type ``info.dtype``.

        Raises
        ------
        MemoryLimitError
            If the result and one strip exceed the memory limit, or what is claimed exceeds what a stream of
            its size may take.
        SettingsError
            If a range is empty, has a step or is not inside the scene.
        """
        info = self._stream.header.info
        bands, lines = range_inside("bands", bands, info.bands), range_inside("lines", lines, info.lines)
        samples = range_inside("samples", samples, info.samples)
        shape = (bands.stop - bands.start, lines.stop - lines.start, samples.stop - samples.start)
        self._budget.check(self._stream, shape[0] * shape[1] * shape[2] * info.dtype.itemsize)
        result = np.empty(shape, dtype=info.dtype)
        for part, block in self.strips(bands, lines, progress, samples):
            result[:, part.start - lines.start : part.stop - lines.start] = block
        return result

    def _bound(self, index: int, strip: DecodedStrip, bands: slice) -> StripBound:
        if strip.bound is None:
            return StripBound(strip.lines)
        return self._stream.strip_bound(index, strip.bound, bands, strip.doublings)

    def strips(
        self,
        bands: slice | None = None,
        lines: slice | None = None,
        progress: Callable[[str, float], None] | None = None,
        samples: slice | None = None,
    ) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Decode strip by strip, so that memory does not grow with the number of lines.

        Parameters
        ----------
        bands, lines : slice, optional
            0-based half-open ranges without step; everything if not given.
        progress : callable, optional
            Called with a stage and the fraction done.
        samples : slice, optional
            As `bands` and `lines`. Strips are decoded whole, and cut.

        Yields
        ------
        lines : slice
            Lines of the scene.
        block : ndarray, shape (bands, lines, samples)
            Samples of these lines, of type ``info.dtype``.

        Raises
        ------
        MemoryLimitError
            If one strip exceeds the memory limit, or what is claimed exceeds what a stream of its size may
            take.
        SettingsError
            If a range is empty, has a step or is not inside the scene.
        """
        info, height = self._stream.header.info, self.strip_lines
        bands, lines = range_inside("bands", bands, info.bands), range_inside("lines", lines, info.lines)
        samples = range_inside("samples", samples, info.samples)
        self._budget.check(self._stream)
        self.damage, self.bounds = [], []
        first, last = lines.start // height, -(-lines.stop // height)
        budget = self._stream.budget.again(self._strip_decoder.work_factor)
        count = bands.stop - bands.start
        plane_work = PLANE_WORK if info.scaling is None else SCALED_PLANE_WORK
        budget.work(plane_work * count * (last - first), "strips")
        budget.samples(count * (lines.stop - lines.start) * info.samples, info)
        # Threads take a strip each; where there is only one strip, its network may have them all.
        self._strip_decoder.open(1 if last - first > 1 else self._workers.threads, budget)
        decode = one_blas_thread()(partial(self._strip_decoder.decode, bands=bands))
        for index, strip in enumerate(self._workers.map(decode, range(first, last)), first):
            if strip.damage is not None:
                self.damage.append(strip.damage)
            self.bounds.append(self._bound(index, strip, bands))
            low, high = max(strip.lines.start, lines.start), min(strip.lines.stop, lines.stop)
            rows = slice(low - strip.lines.start, high - strip.lines.start)
            yield slice(low, high), strip.samples[:, rows, samples]
            if progress is not None:
                progress("decode", (index + 1 - first) / (last - first))
