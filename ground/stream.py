"""A parsed stream: the sections that all strips need, and where the segments are."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bandfold.bitstream.bandcodec import REDUCTION, BandCodec, latent_rows
from bandfold.bitstream.container import VERSION, RawSection, Section, read_sections
from bandfold.bitstream.errors import MemoryLimitError, ModelError, StreamError
from bandfold.bitstream.fold import Fold, Vectors
from bandfold.bitstream.foldcode import read_fold
from bandfold.bitstream.geometry import CHANNELS, block_rows
from bandfold.bitstream.header import Header
from bandfold.bitstream.metadata import read_metadata
from bandfold.bitstream.payload import PayloadReader
from bandfold.bitstream.registry import Registry
from bandfold.bitstream.rotationcode import read_matrices
from bandfold.bitstream.scene import MetadataValue
from bandfold.bitstream.segment import segment_index
from bandfold.bitstream.selectioncode import read_selected_fold
from bandfold.bitstream.sensor import SensorBasis
from bandfold.bitstream.tables import Tables

BYTES_PER_LATENT = 64
"""Memory that decoding takes for each latent of a strip: contexts, latents and planes."""

BYTES_PER_SAMPLE = 24
"""Memory that decoding takes for each sample of a strip."""

BYTES_PER_NETWORK_SAMPLE = 256
"""Memory that networks take for each sample of one band of a strip."""


@dataclass
class Stream:
    """A parsed stream.

    Parameters
    ----------
    header : Header
    metadata : mapping
    fold : Fold
    rotations : tuple of Vectors
    segments : dict of int to RawSection
        By number of the strip; those that are not intact are absent.
    sizes : dict of Section to int
        Bytes of each kind, frames included.
    size : int
        Bytes of the stream.
    damaged : int
        Bytes in sections that are not intact.
    codec : BandCodec or None
        The model that the header names.
    """

    header: Header
    metadata: Mapping[str, MetadataValue]
    fold: Fold
    rotations: tuple[Vectors, ...]
    segments: dict[int, RawSection]
    size: int
    sizes: dict[Section, int] = field(default_factory=dict)
    damaged: int = 0
    codec: BandCodec | None = None

    @staticmethod
    def parse(data: bytes, tables: Tables, memory_limit: int, registry: Registry | None = None) -> Stream:
        """Read everything but the segments.

        Parameters
        ----------
        data : bytes
        tables : Tables
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
        single: dict[int, RawSection] = {}
        damaged = 0
        for section in read_sections(data):
            if section.kind in Section._value2member_map_:
                kind = Section(section.kind)
                sizes[kind] = sizes.get(kind, 0) + section.size
            if not section.intact:
                damaged += section.size
            elif section.kind == Section.SEGMENT:
                # One without a number is as good as absent: the strip will be missed.
                with suppress(StreamError):
                    segments.setdefault(segment_index(section.payload), section)
            else:
                single.setdefault(section.kind, section)
        header = Header.unpack(_payload(single, Section.HEADER))
        _check_tables(header, tables)
        registry = registry or Registry()
        codec = (
            BandCodec.from_package(registry.need(header.model, header.model_hash)) if header.model else None
        )
        metadata: Mapping[str, MetadataValue] = {}
        if Section.METADATA in single:
            reader = PayloadReader(tables, single[Section.METADATA].payload)
            metadata = read_metadata(reader)
            reader.finish()
        reader = PayloadReader(tables, _payload(single, Section.FOLD))
        fold = _read_fold(reader, header, registry, codec.engines if codec else 0)
        reader.finish()
        strip_memory = _strip_memory(header, fold.components, codec)
        if strip_memory > memory_limit:
            raise MemoryLimitError(
                f"one strip takes about {strip_memory / 2**30:.1f} GiB to decode, the limit is "
                f"{memory_limit / 2**30:.1f} GiB: raise the limit (--memory-limit) if you trust the stream"
            )
        rotations: tuple[Vectors, ...] = ()
        if header.rotated:
            reader = PayloadReader(tables, _payload(single, Section.ROTATION))
            rotations = read_matrices(reader, fold.components)
            reader.finish()
        return Stream(header, metadata, fold, rotations, segments, len(data), sizes, damaged, codec)

    @property
    def strip_memory(self) -> int:
        """Bytes that decoding one strip takes, roughly and at most."""
        return _strip_memory(self.header, self.fold.components, self.codec)

    @property
    def strip_latents(self) -> int:
        """Latents of the components of one strip."""
        header = self.header
        height = min(header.strip_lines, header.info.lines)
        return self.fold.components * block_rows(height) * block_rows(header.info.samples) * CHANNELS

    def segment(self, index: int) -> bytes:
        """Payload of the segment of a strip.

        Raises
        ------
        StreamError
            If it is absent or its checksum is wrong.
        """
        if index not in self.segments:
            raise StreamError(f"segment {index} is missing or its checksum is wrong")
        return self.segments[index].payload

    def replace_segments(self, data: bytes) -> None:
        """Take the segments of another stream in place of those that are there.

        Parameters
        ----------
        data : bytes
            A stream of the same scene; all that it holds but intact segments is ignored.
        """
        self.segments = {}
        for section in read_sections(data):
            if section.intact and section.kind == Section.SEGMENT:
                with suppress(StreamError):
                    self.segments.setdefault(segment_index(section.payload), section)

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
            "step": header.step,
            "transform": header.transform,
            "spectral": "auto" if header.spectral else "none",
            "intervals": list(self.fold.ends),
            "components_first": [vectors.count for vectors in self.fold.first],
            "components": self.fold.components,
            "rotations": len(self.rotations),
            "rotated_components": self.rotations[0].count if self.rotations else 0,
            "model": header.model or None,
            "model_hash": header.model_hash.hex() or None,
            "engines": list(self.fold.engines),
            "sensor": header.sensor or None,
            "sensor_hash": header.sensor_hash.hex() or None,
            "tables": header.tables.hex(),
            "bytes": by_section,
            "basis_share": basis / self.size,
            "damaged_bytes": self.damaged,
            "segments": [
                {
                    "lines": [strip.start, strip.stop],
                    "bytes": self.segments[index].size if index in self.segments else 0,
                    "intact": index in self.segments,
                }
                for index, strip in ((index, header.strip(index)) for index in range(header.strip_count))
            ],
        }


def _payload(sections: Mapping[int, RawSection], kind: Section) -> bytes:
    if kind not in sections:
        raise StreamError(
            f"{kind.name.lower()} section is missing or corrupt: nothing can be decoded without it"
        )
    return sections[kind].payload


def _read_fold(reader: PayloadReader, header: Header, registry: Registry, engines: int) -> Fold:
    if not header.sensor:
        return read_fold(reader, header.info.bands, spectral=header.spectral, engines=engines)
    sensor = SensorBasis.from_package(registry.need(header.sensor, header.sensor_hash))
    return read_selected_fold(reader, header.info.bands, sensor)


def _check_tables(header: Header, tables: Tables) -> None:
    if header.tables != tables.identity:
        raise ModelError(
            f"stream needs the tables {header.tables.hex()}, these are {tables.identity.hex()}: "
            "use the release that wrote it, or name its tables"
        )


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
    pixels = block_rows(height) * block_rows(header.info.samples) * CHANNELS
    return pixels * (components * BYTES_PER_LATENT + bands * BYTES_PER_SAMPLE)
