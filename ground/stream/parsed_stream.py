"""A parsed stream: what all strips need, and the segment and the spectral transform of each strip."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from bandfold.bitstream.container.header import LARGEST_DIMENSION, PREDICTED, STEP_UNIT, Header
from bandfold.bitstream.container.refinement_layout import ErrorLimits, Refinement
from bandfold.bitstream.container.sections import RawSection, Section, read_sections, read_varint
from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.container.stream_budget import STRIP_WORK, StreamBudget
from bandfold.bitstream.contexts.tables import Tables, needed_tables
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.payloads.metadata_code import read_metadata
from bandfold.bitstream.payloads.payload import PayloadReader
from bandfold.bitstream.refinement.refined_strip import refinement_bound
from bandfold.bitstream.refinement.side_information import ErrorBound
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.segments.predicted_codec import PredictedCodec, codec_of
from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.scaling import BandUnits
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.errors import ModelError, StreamError
from bandfold.common.scene import MetadataValue

from .section_index import SectionIndex, StreamSizes
from .spectral_transforms import SpectralTransform, SpectralTransforms
from .strip_bound import StripBound
from .strip_refinements import StripRefinements
from .strip_segments import StripSegments


@dataclass
class ParsedStream:
    """A parsed stream; segments are not decoded.

    Parameters
    ----------
    header : Header
        Its scene has the lines that the end section of an open stream states or, without it, those of the
        strips that are there.
    metadata : mapping of str to str or tuple of str
        Fields of the ENVI header of the scene.
    strips : StripSegments
        Segments by the number of their strip.
    refinements : StripRefinements
        What bounds the errors of strips, if the stream holds that.
    transforms : SpectralTransforms
        Folds and rotations by number.
    sizes : StreamSizes
        Where the bytes went.
    codec : BandCodec, PredictedCodec or None
        The trained model that the header names, if it names one.
    complete : bool
        Whether it is known how many lines the scene has.
    budget : StreamBudget
        What reading it may cost.
    """

    header: Header
    metadata: Mapping[str, MetadataValue]
    strips: StripSegments
    refinements: StripRefinements
    transforms: SpectralTransforms
    sizes: StreamSizes
    codec: BandCodec | PredictedCodec | None
    complete: bool
    budget: StreamBudget

    @staticmethod
    def parse(
        data: bytes,
        tables: Tables | None = None,
        budget: StreamBudget | None = None,
        registry: Registry | None = None,
    ) -> ParsedStream:
        """Read everything but the segments.

        Parameters
        ----------
        data : bytes
            The stream.
        tables : Tables, optional
            By default those shipped tables that the stream names.
        budget : StreamBudget, optional
            What reading it may cost; by default what its bytes allow.
        registry : Registry, optional
            Where packages are looked for; without one, those that are shipped or on the search path.

        Returns
        -------
        ParsedStream
            With at least one fold that can be read.

        Raises
        ------
        StreamError
            If the stream is corrupt or truncated in what all segments need.
        ModelError
            If it needs tables or a package that are not at hand.
        MemoryLimitError
            If a strip would take too much memory, or it claims more than its budget allows.
        """
        budget = budget or StreamBudget(len(data))
        index = SectionIndex.read(data)
        header = Header.unpack(index.required(Section.HEADER))
        tables = needed_tables(header.tables, tables)
        registry = registry or Registry()
        codec = None
        if header.model is not None:
            codec = codec_of(registry.need(header.model.name, header.model.hash))
            if isinstance(codec, PredictedCodec) != (header.transform == PREDICTED):
                raise StreamError(
                    f"package {header.model.name!r} is not of the kind of the stream: it is corrupt"
                )
        metadata = _metadata(index, tables, budget)
        if header.open:
            header = replace(header, info=replace(header.info, lines=_lines_of_open(index, header)))
        # Claimed strips cost, whether they are there or not: each is told of.
        budget.work(STRIP_WORK * header.strip_count, "strips")
        transforms = SpectralTransforms(header, index.numbered, tables, registry, codec, budget)
        # Something must be there to fill damaged strips with.
        transforms.first()
        complete = not header.open or Section.END in index.single
        refinements = StripRefinements(index.refinements, _limits(index, header))
        return ParsedStream(
            header, metadata, index.segments, refinements, transforms, index.sizes, codec, complete, budget
        )

    @property
    def segments(self) -> Mapping[int, RawSection]:
        """Intact segments by the number of their strip."""
        return self.strips.intact

    @property
    def fold(self) -> Fold:
        """The first fold."""
        return self.transforms.first().fold

    @property
    def rotations(self) -> tuple[Vectors, ...]:
        """The rotations of the first intact segment that has any; empty if none has."""
        for place in self.strips.places():
            if place.rotation is not None:
                with suppress(StreamError):
                    return self.transform(place).rotations
        return ()

    def transform(self, place: SegmentHeader) -> SpectralTransform:
        """The spectral transform that a segment names.

        Parameters
        ----------
        place : SegmentHeader
            What the segment says of itself.

        Returns
        -------
        SpectralTransform
            Fold and rotations.

        Raises
        ------
        StreamError
            If a section is missing or corrupt.
        MemoryLimitError
            If a strip would take too much memory.
        """
        return self.transforms.find(place.fold, place.rotation)

    def step(self, place: SegmentHeader) -> float:
        """Quantiser step of a segment, in counts.

        Parameters
        ----------
        place : SegmentHeader
            What the segment says of itself.

        Returns
        -------
        float
            Its own step, or that of the header where it names none.
        """
        return self.header.step if place.step_code is None else place.step_code / STEP_UNIT

    def usable(self, strip: int) -> bool:
        """Whether the segment of a strip and the transform that it names are intact.

        Parameters
        ----------
        strip : int
            Number of the strip, from 0.

        Returns
        -------
        bool
            The content of the segment is not looked at.
        """
        if strip not in self.segments:
            return False
        try:
            self.transform(self.strips.place(strip))
        except StreamError:
            return False
        return True

    def refinement(self, strip: int) -> Refinement | None:
        """The refinement of a strip, not decoded.

        Parameters
        ----------
        strip : int
            Number of the strip, from 0.

        Returns
        -------
        Refinement or None
            None where there is none that belongs to an intact segment.
        """
        return self.refinements.find(strip, self.segments[strip].payload) if self.usable(strip) else None

    def bound(self, strip: int) -> StripBound | None:
        """The error that the refinement of a strip allows, without decoding it.

        Parameters
        ----------
        strip : int
            Number of the strip, from 0.

        Returns
        -------
        StripBound or None
            Of all bands; None where there is no refinement that belongs to an intact segment.
        """
        refinement = self.refinement(strip)
        if refinement is None:
            return None
        bands = slice(0, self.header.info.bands)
        with suppress(StreamError, ModelError):
            bound = refinement_bound(refinement, bands.stop)
            return self.strip_bound(strip, bound, bands, self.strips.place(strip).doublings)
        return None

    @property
    def promised(self) -> StripBound | None:
        """The error that was to be kept when the stream was encoded; None without any."""
        limits = self.refinements.limits
        if limits is None:
            return None
        bands = slice(0, self.header.info.bands)
        return self.strip_bound(0, ErrorBound(limits.of_bands(bands.stop), limits.relative), bands, 0)

    def strip_bound(self, strip: int, bound: ErrorBound, bands: slice, doublings: int) -> StripBound:
        """An error in counts, in the units of the samples.

        Parameters
        ----------
        strip : int
            Number of the strip, from 0.
        bound : ErrorBound
            Of some bands, in counts.
        bands : slice
            Which bands: a half-open range.
        doublings : int
            Counts of the strip are worth ``2**doublings`` times what the scaling says.

        Returns
        -------
        StripBound

        Raises
        ------
        StreamError
            If a count would be worth more than any float64.
        """
        limits = self.refinements.limits
        units = BandUnits.of(self.header.info, bands, doublings)
        exact = bool(bound.words) or (limits is not None and limits.exact)
        return StripBound.of(self.header.strip(strip), bound, units, exact=exact)

    def fold_near(self, strip: int) -> Fold:
        """The fold of a strip that cannot be decoded, or of the nearest one before or after it.

        Parameters
        ----------
        strip : int
            Number of the strip, from 0.

        Returns
        -------
        Fold
            The first fold of the stream where the segments nearby name none that can be read.
        """
        # Its own segment may be intact, and only its rotations lost.
        for number in self.strips.nearest(strip):
            with suppress(StreamError):
                return self.transforms.find(self.strips.place(number).fold).fold
        return self.fold

    def doublings_near(self, strip: int) -> int:
        """What a count of a strip that cannot be decoded is worth, as doublings of the scaling of the header.

        Parameters
        ----------
        strip : int
            Number of the strip, from 0.

        Returns
        -------
        int
            That of its segment if it can be read so far, else of the nearest one that can.
        """
        for number in self.strips.nearest(strip):
            with suppress(StreamError):
                return self.strips.place(number).doublings
        return 0

    def replace_segments(self, data: bytes) -> None:
        """Take the segments of another stream, and their refinements, in place of those that are there.

        Parameters
        ----------
        data : bytes
            A stream of the same scene; all that it holds but intact segments and refinements is ignored.
        """
        sections = list(read_sections(data))
        segments = (section for section in sections if section.kind == Section.SEGMENT)
        self.strips = StripSegments(segments, keep_damaged=False)
        refinements = (section for section in sections if section.kind == Section.REFINEMENT)
        self.refinements = StripRefinements(refinements, self.refinements.limits)


def _metadata(index: SectionIndex, tables: Tables, budget: StreamBudget) -> Mapping[str, MetadataValue]:
    if Section.METADATA not in index.single:
        return {}
    reader = PayloadReader(tables, index.single[Section.METADATA], budget)
    metadata = read_metadata(reader)
    reader.finish()
    return metadata


def _limits(index: SectionIndex, header: Header) -> ErrorLimits | None:
    """Limits that were asked for; None without any, or where they cannot be read."""
    with suppress(StreamError):
        if Section.LIMITS in index.single:
            return ErrorLimits.unpack(index.single[Section.LIMITS], header.info.bands)
    return None


def _lines_of_open(index: SectionIndex, header: Header) -> int:
    """Lines of a scene whose length the header does not state: from the end section, or from the strips."""
    if Section.END not in index.single:
        lines = index.segments.last_line(header.strip_lines, LARGEST_DIMENSION)
        if not lines:
            raise StreamError("stream was cut off before its first segment: there is nothing to decode")
        return lines
    payload = index.single[Section.END]
    lines, position = read_varint(payload, 0)
    strips, position = read_varint(payload, position)
    if position != len(payload) or not 1 <= lines <= LARGEST_DIMENSION:
        raise StreamError("end of the stream tells an impossible number of lines: it is corrupt")
    if strips != -(-lines // header.strip_lines):
        raise StreamError(f"end of the stream tells {strips} strips for {lines} lines: it is corrupt")
    return lines
