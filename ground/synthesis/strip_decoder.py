"""Decodes one strip: from its segment to samples, or from the band means where the segment is damaged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.segment_layout import ChunkedSegment
from bandfold.bitstream.container.stream_budget import StreamBudget
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.payloads.escape_code import Escapes
from bandfold.bitstream.refinement.exact_base import ExactBase
from bandfold.bitstream.refinement.refined_strip import refined_counts, refined_samples, uncounted
from bandfold.bitstream.refinement.side_information import ErrorBound
from bandfold.bitstream.segments.predicted_codec import PredictedCodec
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.bitstream.transforms.scaling import BandUnits, mark_no_data
from bandfold.common.errors import ModelError, StreamError
from bandfold.ground.stream.parsed_stream import ParsedStream
from bandfold.ground.stream.spectral_transforms import SpectralTransform

from .rounding import mean_counts


@dataclass(frozen=True)
class Damage:
    """A strip that could not be decoded, or not as it was encoded.

    Parameters
    ----------
    lines : slice
        Half-open range of lines of the scene.
    reason : str
        What is wrong with the stream there, in words.
    filled : bool
        Whether the lines were filled with band means. Otherwise the strongest components were intact, and the
        lines are what these give; or all were, and only what bounds their errors is lost.
    """

    lines: slice
    reason: str
    filled: bool = True

    def __str__(self) -> str:
        return f"lines {self.lines.start}:{self.lines.stop} are damaged: {self.reason}"

    @property
    def bounds(self) -> list[int]:
        """First line, and the line behind the last one."""
        return [self.lines.start, self.lines.stop]


@dataclass(frozen=True)
class DecodedStrip:
    """A strip of the scene.

    Parameters
    ----------
    lines : slice
        Half-open range of lines of the scene.
    samples : ndarray, shape (bands, lines, samples)
        The wanted bands, of the sample type of the scene.
    damage : Damage or None
        What is wrong with it, if something is.
    bound : ErrorBound or None
        Largest error of the wanted bands, where the stream guarantees one.
    doublings : int
        Counts of that error are worth ``2**doublings`` times what the scaling of the header says.
    """

    lines: slice
    samples: NDArray[Any]
    damage: Damage | None
    bound: ErrorBound | None = None
    doublings: int = 0


@dataclass(frozen=True)
class BandPlanes:
    """Bands of a strip before counts become samples.

    Parameters
    ----------
    counts : ndarray, shape (wanted bands, lines, samples)
        Sample values in counts, rounded; of type ``info.coded_dtype``.
    absent : ndarray of bool, shape (wanted bands, lines, samples), or None
        Samples without data; None if all have data.
    escapes : Escapes or None
        Samples of the strip, of all bands, that are kept exactly.
    doublings : int
        The counts are worth ``2**doublings`` times what the scaling of the header says.
    """

    counts: NDArray[Any]
    absent: NDArray[np.bool_] | None
    escapes: Escapes | None = None
    doublings: int = 0


class StripDecoder(ABC):
    """Decodes the strips of a stream; several threads may use one.

    Parameters
    ----------
    stream : ParsedStream
        The stream.
    tables : Tables
        Statistics that it is coded with.

    Attributes
    ----------
    base_only : bool
        Whether refinements are left alone.
    count_bits : callable or None
        If set, called with the bits that the latents of each component of a segment cost, an ndarray of
        float64 of shape (components,), and with its fold.
    """

    def __init__(self, stream: ParsedStream, tables: Tables) -> None:
        self._stream = stream
        self._tables = tables
        self.base_only = False
        self.count_bits: Callable[[NDArray[np.float64], Fold], None] | None = None
        self._work = stream.budget

    work_factor = 1
    """Times the work for each byte that streams of this kind may take."""

    def open(self, threads: int, budget: StreamBudget) -> None:
        """Make ready to decode: what a stream that is only looked at does not need is opened here.

        Parameters
        ----------
        threads : int
            Processor threads that a single strip may use.
        budget : StreamBudget
            What this pass over the strips may cost.
        """
        self._work = budget

    def decode(self, index: int, bands: slice) -> DecodedStrip:
        """Decode a strip, or fill it with band means and name the damage.

        Parameters
        ----------
        index : int
            Number of the strip, from 0.
        bands : slice
            Bands wanted: a half-open range with explicit bounds and no step.

        Returns
        -------
        DecodedStrip
            All lines of the strip.
        """
        header = self._stream.header
        lines = header.strip(index)
        try:
            segment = self._stream.strips.segment(index)
            refined, damage = self._refined(segment, bands, lines)
            if refined is not None:
                return refined
            planes = self.synthesise(segment, bands, lines.stop - lines.start)
            if segment.lost:
                damage = Damage(lines, _lost_chunks(segment), filled=False)
        except StreamError as error:
            damage = Damage(lines, str(error))
            planes = self._band_means(index, bands, lines.stop - lines.start)
        units = BandUnits.of(header.info, bands, planes.doublings)
        samples = mark_no_data(planes.counts, planes.absent, header.info, units)
        if planes.escapes is not None:
            planes.escapes.put(samples, bands, lines.stop - lines.start)
        return DecodedStrip(lines, samples, damage)

    @abstractmethod
    def synthesise(self, segment: ChunkedSegment, bands: slice, height: int) -> BandPlanes:
        """From the chunks of a segment to bands: entropy decoding and the inverse of each transform.

        Parameters
        ----------
        segment : ChunkedSegment
            The segment, or its first chunks.
        bands : slice
            Bands wanted: a half-open range with explicit bounds and no step.
        height : int
            Lines of the strip.

        Returns
        -------
        BandPlanes
            Counts, and which samples are absent.

        Raises
        ------
        StreamError
            If the segment or what it names is corrupt.
        """

    @abstractmethod
    def read(self, segment: ChunkedSegment, transform: SpectralTransform) -> Segment:
        """Entropy decoding alone, and bits counted if they are to be.

        Parameters
        ----------
        segment : ChunkedSegment
            The segment, or its first chunks.
        transform : SpectralTransform
            The one that it names.

        Returns
        -------
        Segment
            Levels, their contexts, absent samples and those kept exactly.

        Raises
        ------
        StreamError
            If the segment is corrupt.
        """

    def _refined(
        self, segment: ChunkedSegment, bands: slice, lines: slice
    ) -> tuple[DecodedStrip | None, Damage | None]:
        """The strip within its limits; else, if it was to be, why it is not."""
        place, stream = segment.place, self._stream
        if self.base_only or not stream.refinements.expected(place.index):
            return None, None
        if segment.lost:
            # Which is damage enough.
            return None, None
        refinement = stream.refinements.find(place.index, stream.strips.intact[place.index].payload)
        if refinement is None:
            return None, Damage(lines, _not_refined(stream.refinements.fault(place.index)), filled=False)
        info, height = stream.header.info, lines.stop - lines.start
        try:
            transform = stream.transform(place)
            levels = self.read(segment, transform)
            self._charge_samples(slice(0, info.bands), height)
            codec = stream.codec if isinstance(stream.codec, PredictedCodec) else None
            base = ExactBase(stream.header, self._tables, codec)
            counts = base.counts(levels, place, transform.fold, transform.rotations)
            mask = uncounted(levels, counts.shape)
            refined, bound = refined_counts(refinement, counts, info, place.doublings, mask)
            samples = refined_samples(refined, bound.words, bands, levels.absent, info, place.doublings)
        except (StreamError, ModelError) as error:
            return None, Damage(lines, _not_refined(str(error)), filled=False)
        if levels.escapes is not None:
            levels.escapes.put(samples, bands, height)
        told = replace(bound, limits=bound.limits[bands])
        return DecodedStrip(lines, samples, None, told, place.doublings), None

    def _charge_samples(self, bands: slice, height: int, share: int = 1) -> None:
        """Charge samples before they are made of latents, so many for a unit of work."""
        count = (bands.stop - bands.start) * height * self._stream.header.info.samples
        self._work.work(count // share, "samples")

    def _band_means(self, index: int, bands: slice, height: int) -> BandPlanes:
        """What fills a strip that cannot be decoded."""
        means = self._means(self._stream.fold_near(index), bands, height)
        return BandPlanes(means, None, None, self._stream.doublings_near(index))

    def _means(self, fold: Fold, bands: slice, height: int) -> NDArray[Any]:
        """Band means as planes."""
        info = self._stream.header.info
        return mean_counts(fold.means[bands] / FRACTION, (height, info.samples), info)


def _lost_chunks(segment: ChunkedSegment) -> str:
    kept, whole = len(segment.chunks), len(segment.chunks) + segment.lost
    return f"segment {segment.place.index} has a wrong checksum: decoded from {kept} of {whole} chunks"


def _not_refined(reason: str) -> str:
    return f"{reason}: decoded from the base alone, no error limit holds"
