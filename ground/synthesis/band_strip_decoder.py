"""Strips of a trained model: every band by the synthesis network of its spectral interval."""

from __future__ import annotations

from bandfold.bitstream.container.segment_layout import ChunkedSegment
from bandfold.bitstream.container.stream_budget import NETWORK_FACTOR, NETWORK_WORK
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.segments.band_segment import read_band_segment
from bandfold.bitstream.segments.planes import PlaneTables
from bandfold.bitstream.segments.segment import Segment
from bandfold.common.errors import StreamError
from bandfold.ground.stream.parsed_stream import ParsedStream
from bandfold.ground.stream.spectral_transforms import SpectralTransform

from .latent_bits import band_bits
from .network_synthesis import NetworkSynthesis
from .rounding import round_to_counts
from .strip_decoder import BandPlanes, StripDecoder


class BandStripDecoder(StripDecoder):
    """Decodes strips whose bands were coded one by one with the networks of a trained model.

    Parameters
    ----------
    stream : ParsedStream
        The stream.
    codec : BandCodec
        The trained model that the stream names.
    tables : Tables
        Statistics of the format; those of the model follow behind them.
    """

    work_factor = NETWORK_FACTOR

    def __init__(self, stream: ParsedStream, codec: BandCodec, tables: Tables) -> None:
        super().__init__(stream, tables)
        self._planes: PlaneTables = codec.tables(tables)
        self._networks = NetworkSynthesis(codec)

    def synthesise(self, segment: ChunkedSegment, bands: slice, height: int) -> BandPlanes:
        """From the chunks of a segment to bands, by the networks of the model.

        Parameters
        ----------
        segment : ChunkedSegment
            The segment, which has one chunk.
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
        ModelError
            If a network cannot be opened or run.
        MemoryLimitError
            If the strip would take too much memory.
        """
        header, place = self._stream.header, segment.place
        fold = self._stream.transform(place).fold
        # Entropy decoding: the latents of all bands, in steps.
        levels = read_band_segment(segment, header, self._planes, fold, self._work)
        if self.count_bits is not None:
            self.count_bits(band_bits(levels, fold, self._planes), fold)
        networked = int(levels.quantised[bands].any(axis=(1, 2, 3)).sum())
        self._work.work(NETWORK_WORK * networked * height * header.info.samples, "latents")
        self._charge_samples(bands, height)
        # The networks turn latents into planes; step and band means turn these into counts.
        counts = self._networks.bands(
            levels.quantised, fold, self._stream.step(place), bands, (height, header.info.samples)
        )
        absent = None if levels.absent is None else levels.absent[bands]
        return BandPlanes(round_to_counts(counts, header.info), absent, levels.escapes, place.doublings)

    def read(self, segment: ChunkedSegment, transform: SpectralTransform) -> Segment:
        """Refuse: networks compute in floating point, which is not the same on every machine."""
        raise StreamError(
            f"segment {segment.place.index} is coded by networks in floating point: nothing can refine it"
        )
