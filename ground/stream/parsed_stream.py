"""A parsed stream: the sections that all strips need, and where the segments are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from bandfold.bitstream.container.header import LARGEST_DIMENSION, STEP_UNIT, Header
from bandfold.bitstream.container.sections import VERSION, RawSection, Section, read_sections, read_varint
from bandfold.bitstream.container.segment_layout import (
    ChunkedSegment,
    SegmentHeader,
    read_segment_header,
    segment_index,
    split_segment,
)
from bandfold.bitstream.contexts.tables import Tables, needed_tables
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.payloads.klt_code import read_fold, read_matrices
from bandfold.bitstream.payloads.metadata_code import read_metadata
from bandfold.bitstream.payloads.payload import PayloadReader
from bandfold.bitstream.payloads.selection_code import read_selected_fold
from bandfold.bitstream.segments.band_codec import REDUCTION, BandCodec, latent_rows
from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.errors import MemoryLimitError, StreamError
from bandfold.common.scene import CHANNELS, MetadataValue, block_rows

BYTES_PER_LATENT = 64
"""Memory that decoding takes for each latent of a strip: contexts, latents and planes."""

BYTES_PER_SAMPLE = 24
"""Memory that decoding takes for each sample of a strip."""

BYTES_PER_NETWORK_SAMPLE = 256
"""Memory that networks take for each sample of one band of a strip."""


@dataclass(frozen=True)
class Basis:
    """What the segments that name it are decoded with.

    Parameters
    ----------
    fold : Fold
    rotations : tuple of Vectors
    """

    fold: Fold
    rotations: tuple[Vectors, ...] = ()


@dataclass
class Stream:
    """A parsed stream.

    Parameters
    ----------
    header : Header
        Its scene has the lines that the end of an open stream tells or, without it, those that are there.
    metadata : mapping
    segments : dict of int to RawSection
        By number of the strip; those that are not intact are absent.
    parts : dict of int to ChunkedSegment
        What is left of segments that are not intact, where chunks of them are.
    size : int
        Bytes of the stream.
    sizes : dict of Section to int
        Bytes of each kind, frames included.
    damaged : int
        Bytes in sections that are not intact.
    complete : bool
        Whether it is known how many lines the scene has.
    codec : BandCodec or None
        The model that the header names.
    """

    header: Header
    metadata: Mapping[str, MetadataValue]
    segments: dict[int, RawSection]
    parts: dict[int, ChunkedSegment]
    size: int
    sizes: dict[Section, int]
    damaged: int
    complete: bool
    codec: BandCodec | None
    _bases: _Bases
    _numbers: list[int] = field(default_factory=list)

    @staticmethod
    def parse(
        data: bytes, tables: Tables | None, memory_limit: int, registry: Registry | None = None
    ) -> Stream:
        """Read everything but the segments.

        Parameters
        ----------
        data : bytes
        tables : Tables or None
            None for those shipped tables that the stream names.
        memory_limit : int
            Bytes that one strip may take.
        registry : Registry, optional
            Where packages are looked for; without one, those that are shipped or on the search path.

        Returns
        -------
        Stream

        Raises
        ------
        StreamError, ModelError, MemoryLimitError
            See `bandfold.ground.decoder.Decoder`.
        """
        sizes: dict[Section, int] = {}
        segments: dict[int, RawSection] = {}
        parts: dict[int, ChunkedSegment] = {}
        single: dict[int, RawSection] = {}
        numbered: dict[int, dict[int, bytes]] = {Section.FOLD: {}, Section.ROTATION: {}}
        damaged = 0
        for section in read_sections(data):
            if section.kind in Section._value2member_map_:
                kind = Section(section.kind)
                sizes[kind] = sizes.get(kind, 0) + section.size
            # One without a number is as good as absent: the strip will be missed.
            with suppress(StreamError):
                if not section.intact:
                    damaged += section.size
                    if section.kind == Section.SEGMENT:
                        found = split_segment(section.payload, intact=False)
                        parts.setdefault(found.place.index, found)
                elif section.kind == Section.SEGMENT:
                    segments.setdefault(segment_index(section.payload), section)
                elif section.kind in numbered:
                    number, start = read_varint(section.payload, 0)
                    numbered[section.kind].setdefault(number, section.payload[start:])
                else:
                    single.setdefault(section.kind, section)
        header = Header.unpack(_payload(single, Section.HEADER))
        tables = needed_tables(header.tables, tables)
        registry = registry or Registry()
        codec = (
            None
            if header.model is None
            else BandCodec.from_package(registry.need(header.model.name, header.model.hash))
        )
        metadata: Mapping[str, MetadataValue] = {}
        if Section.METADATA in single:
            reader = PayloadReader(tables, single[Section.METADATA].payload)
            metadata = read_metadata(reader)
            reader.finish()
        complete = not header.open or Section.END in single
        if header.open:
            lines = (
                _told_lines(single[Section.END].payload, header)
                if Section.END in single
                else _found_lines(header, segments, parts.values())
            )
            header = replace(header, info=replace(header.info, lines=lines))
        bases = _Bases(header, numbered, tables, registry, codec, memory_limit)
        # Something must be there to fill damaged strips with.
        bases.first()
        return Stream(
            header,
            metadata,
            segments,
            parts,
            len(data),
            sizes,
            damaged,
            complete,
            codec,
            bases,
            sorted(segments),
        )

    @property
    def fold(self) -> Fold:
        """The first fold."""
        return self._bases.first().fold

    @property
    def rotations(self) -> tuple[Vectors, ...]:
        """The rotations of the first intact segment that has any; empty if none has."""
        for index in self._numbers:
            with suppress(StreamError):
                place, _ = read_segment_header(self.segments[index].payload)
                if place.rotation is not None:
                    return self.basis(place.fold, place.rotation).rotations
        return ()

    @property
    def strip_memory(self) -> int:
        """Bytes that decoding one strip takes, roughly and at most."""
        return self._bases.strip_memory

    @property
    def strip_latents(self) -> int:
        """Latents of one strip, under the fold of most components that was read so far."""
        return self._bases.components * _strip_pixels(self.header)

    def basis(self, fold: int, rotation: int | None = None) -> Basis:
        """What segments that name these numbers are decoded with.

        Parameters
        ----------
        fold : int
        rotation : int or None

        Returns
        -------
        Basis

        Raises
        ------
        StreamError
            If a section is missing or corrupt.
        MemoryLimitError
            If a strip would take too much memory.
        """
        return self._bases.find(fold, rotation)

    def segment(self, index: int) -> ChunkedSegment:
        """The segment of a strip, or what is left of it.

        Parameters
        ----------
        index : int

        Returns
        -------
        ChunkedSegment

        Raises
        ------
        StreamError
            If it is absent or damaged in its first chunk.
        """
        if index in self.segments:
            return split_segment(self.segments[index].payload)
        if index in self.parts:
            return self.parts[index]
        raise StreamError(f"segment {index} is missing or its checksum is wrong")

    def usable(self, index: int) -> bool:
        """Whether the segment of a strip is intact, and what it is to be decoded with at hand.

        Parameters
        ----------
        index : int

        Returns
        -------
        bool
        """
        if index not in self.segments:
            return False
        try:
            place, _ = read_segment_header(self.segments[index].payload)
            self.basis(place.fold, place.rotation)
        except StreamError:
            return False
        return True

    def fold_near(self, index: int) -> Fold:
        """The fold of a strip that cannot be decoded, or of the nearest one before or after it.

        Parameters
        ----------
        index : int

        Returns
        -------
        Fold
        """
        place = bisect_left(self._numbers, index)
        near = (*self._numbers[max(place - 1, 0) : place], *self._numbers[place : place + 1])
        # Its own segment may be intact, and only its rotations lost.
        for number in sorted(near, key=lambda number: number != index):
            with suppress(StreamError):
                return self.basis(read_segment_header(self.segments[number].payload)[0].fold).fold
        return self.fold

    def step(self, place: SegmentHeader) -> float:
        """Quantiser step of the segment of a place, in counts."""
        return self.header.step if place.step_code is None else place.step_code / STEP_UNIT

    def replace_segments(self, data: bytes) -> None:
        """Take the segments of another stream in place of those that are there.

        Parameters
        ----------
        data : bytes
            A stream of the same scene; all that it holds but intact segments is ignored.
        """
        self.segments, self.parts = {}, {}
        for section in read_sections(data):
            if section.intact and section.kind == Section.SEGMENT:
                with suppress(StreamError):
                    self.segments.setdefault(segment_index(section.payload), section)
        self._numbers = sorted(self.segments)

    def report(self) -> dict[str, Any]:
        """What is in the stream and where its bytes went.

        Returns
        -------
        dict
            Ready for JSON.
        """
        header, info = self.header, self.header.info
        basis = self.sizes.get(Section.FOLD, 0)
        by_section = {kind.name.lower(): self.sizes.get(kind, 0) for kind in Section}
        by_section["segments"] = by_section.pop("segment")
        by_section["basis"] = by_section.pop("fold")
        by_section["other"] = self.size - sum(by_section.values())
        return {
            "format_version": VERSION,
            "file_bytes": self.size,
            "bps": self.size * 8 / info.count,
            "bands": info.bands,
            "lines": info.lines,
            "samples": info.samples,
            "dtype": str(info.dtype),
            "scaling": None
            if info.scaling is None
            else {"scale": info.scaling.scale, "offset": info.scaling.offset},
            "no_data": None if info.no_data is None else str(info.no_data),
            "open": header.open,
            "complete": self.complete,
            "step": header.step,
            "transform": header.transform,
            "spectral": "auto" if header.spectral else "none",
            "intervals": list(self.fold.ends),
            "components_first": [vectors.count for vectors in self.fold.first],
            "components": self.fold.components,
            "rotations": len(self.rotations),
            "rotated_components": self.rotations[0].count if self.rotations else 0,
            "folds": self._bases.count(Section.FOLD),
            "rotation_sets": self._bases.count(Section.ROTATION),
            "model": None if header.model is None else header.model.name,
            "model_hash": None if header.model is None else header.model.hash.hex(),
            "engines": list(self.fold.engines),
            "sensor": None if header.sensor is None else header.sensor.name,
            "sensor_hash": None if header.sensor is None else header.sensor.hash.hex(),
            "quantiser": header.quantiser,
            "tables": header.tables.hex(),
            "bytes": by_section,
            "basis_share": basis / self.size,
            "damaged_bytes": self.damaged,
            "segments": [self._describe(index) for index in range(header.strip_count)],
        }

    def _describe(self, index: int) -> dict[str, Any]:
        strip = self.header.strip(index)
        known: dict[str, Any] = dict.fromkeys(("fold", "step", "components", "chunks"))
        with suppress(StreamError):
            found = self.segment(index)
            known = {
                "fold": found.place.fold,
                "step": self.step(found.place),
                "components": found.components,
                "chunks": len(found.chunks),
            }
        return {
            "lines": [strip.start, strip.stop],
            "bytes": self.segments[index].size if index in self.segments else 0,
            "intact": self.usable(index),
            **known,
        }


class _Bases:
    """Folds and rotations by number, read when they are needed."""

    def __init__(
        self,
        header: Header,
        payloads: Mapping[int, Mapping[int, bytes]],
        tables: Tables,
        registry: Registry,
        codec: BandCodec | None,
        memory_limit: int,
    ) -> None:
        self._header = header
        self._payloads = payloads
        self._tables = tables
        self._registry = registry
        self._codec = codec
        self._limit = memory_limit
        self._folds: dict[int, Fold | StreamError] = {}
        self._rotations: dict[tuple[int, int], tuple[Vectors, ...] | StreamError] = {}
        self.strip_memory = self.components = 0

    def count(self, kind: Section) -> int:
        """Number of intact sets of a kind, repetitions not counted."""
        return len(self._payloads[kind])

    def first(self) -> Basis:
        """The fold of the lowest number that can be read."""
        failed: StreamError | None = None
        for number in sorted(self._payloads[Section.FOLD]):
            try:
                return self.find(number)
            except StreamError as error:
                failed = failed or error
        raise failed or StreamError("fold section is missing or corrupt: nothing can be decoded without it")

    def find(self, number: int, rotation: int | None = None) -> Basis:
        """See `Stream.basis`."""
        if number not in self._folds:
            self._folds[number] = self._read_fold(number)
        fold = self._folds[number]
        if isinstance(fold, StreamError):
            raise fold
        if rotation is None:
            return Basis(fold)
        key = (rotation, fold.components)
        if key not in self._rotations:
            self._rotations[key] = self._read_rotations(*key)
        rotations = self._rotations[key]
        if isinstance(rotations, StreamError):
            raise rotations
        return Basis(fold, rotations)

    def _read_fold(self, number: int) -> Fold | StreamError:
        if number not in self._payloads[Section.FOLD]:
            return StreamError(f"fold section {number} is missing or its checksum is wrong")
        header = self._header
        try:
            reader = PayloadReader(self._tables, self._payloads[Section.FOLD][number])
            fold = _read_fold(reader, header, self._registry, self._codec.engines if self._codec else 0)
            reader.finish()
        except StreamError as error:
            return error
        memory = _strip_memory(header, fold.components, self._codec)
        if memory > self._limit:
            raise MemoryLimitError(
                f"one strip takes about {memory / 2**30:.1f} GiB to decode, the limit is "
                f"{self._limit / 2**30:.1f} GiB: raise the limit (--memory-limit) if you trust the stream"
            )
        self.strip_memory = max(self.strip_memory, memory)
        self.components = max(self.components, fold.components)
        return fold

    def _read_rotations(self, number: int, components: int) -> tuple[Vectors, ...] | StreamError:
        if number not in self._payloads[Section.ROTATION]:
            return StreamError(f"rotation section {number} is missing or its checksum is wrong")
        try:
            reader = PayloadReader(self._tables, self._payloads[Section.ROTATION][number])
            rotations = read_matrices(reader, components)
            reader.finish()
        except StreamError as error:
            return error
        return rotations


def _told_lines(payload: bytes, header: Header) -> int:
    """Lines that the end of an open stream tells."""
    lines, position = read_varint(payload, 0)
    strips, position = read_varint(payload, position)
    if position != len(payload) or not 1 <= lines <= LARGEST_DIMENSION:
        raise StreamError("end of the stream tells an impossible number of lines: it is corrupt")
    if strips != -(-lines // header.strip_lines):
        raise StreamError(f"end of the stream tells {strips} strips for {lines} lines: it is corrupt")
    return lines


def _found_lines(header: Header, segments: Mapping[int, RawSection], parts: Iterable[ChunkedSegment]) -> int:
    """Lines up to the end of the last strip that is there."""
    places = [part.place for part in parts]
    for section in segments.values():
        with suppress(StreamError):
            places.append(read_segment_header(section.payload)[0])
    ends = [place.index * header.strip_lines + (place.lines or header.strip_lines) for place in places]
    lines = max((end for end in ends if end <= LARGEST_DIMENSION), default=0)
    if not lines:
        raise StreamError("stream was cut off before its first segment: there is nothing to decode")
    return lines


def _payload(sections: Mapping[int, RawSection], kind: Section) -> bytes:
    if kind not in sections:
        raise StreamError(
            f"{kind.name.lower()} section is missing or corrupt: nothing can be decoded without it"
        )
    return sections[kind].payload


def _read_fold(reader: PayloadReader, header: Header, registry: Registry, engines: int) -> Fold:
    if header.sensor is None:
        return read_fold(reader, header.info.bands, spectral=header.spectral, engines=engines)
    sensor = SensorBasis.from_package(registry.need(header.sensor.name, header.sensor.hash))
    return read_selected_fold(reader, header.info.bands, sensor)


def _strip_memory(header: Header, components: int, codec: BandCodec | None) -> int:
    bands, height = header.info.bands, min(header.strip_lines, header.info.lines)
    if codec is not None:
        places = latent_rows(height) * latent_rows(header.info.samples)
        pixels = places * REDUCTION * REDUCTION
        # Networks get one band at a time.
        networks = pixels * BYTES_PER_NETWORK_SAMPLE
        return (
            places * codec.channels * bands * BYTES_PER_LATENT + pixels * bands * BYTES_PER_SAMPLE + networks
        )
    return _strip_pixels(header) * (components * BYTES_PER_LATENT + bands * BYTES_PER_SAMPLE)


def _strip_pixels(header: Header) -> int:
    """Pixels of the whole blocks of a strip."""
    height = min(header.strip_lines, header.info.lines)
    return block_rows(height) * block_rows(header.info.samples) * CHANNELS
