"""Strips whose bands were predicted from bands: what was left of each is added to what was predicted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.container.segment_layout import ChunkedSegment
from bandfold.bitstream.container.stream_budget import PREDICTED_FACTOR, PREDICTED_SHARE
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.segments.predicted_codec import PredictedCodec
from bandfold.bitstream.segments.segment import Segment, read_segment
from bandfold.bitstream.transforms.band_order import Hierarchy
from bandfold.bitstream.transforms.band_prediction import SAMPLE_UNIT
from bandfold.bitstream.transforms.predicted_bands import PredictedBands, needed_bands
from bandfold.ground.stream.parsed_stream import ParsedStream
from bandfold.ground.stream.spectral_transforms import SpectralTransform

from .latent_bits import component_bits
from .rounding import round_to_counts
from .strip_decoder import BandPlanes, StripDecoder


class PredictedStripDecoder(StripDecoder):
    """Decodes strips of a trained model that codes what prediction leaves of bands.

    Parameters
    ----------
    stream : ParsedStream
        The stream.
    codec : PredictedCodec
        The trained model that the stream names.
    tables : Tables
        Statistics of the format; latents have those of the model.
    """

    work_factor = PREDICTED_FACTOR

    def __init__(self, stream: ParsedStream, codec: PredictedCodec, tables: Tables) -> None:
        super().__init__(stream, tables)
        self._codec = codec
        self._latent_tables = codec.tables(tables)
        self._mode = self._latent_tables.modes["banded"]

    def synthesise(self, segment: ChunkedSegment, bands: slice, height: int) -> BandPlanes:
        """From the chunks of a segment to bands: those wanted, and those that they are predicted from.

        Parameters
        ----------
        segment : ChunkedSegment
            The segment, or its first chunks: nothing is left of the bands of the others.
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
        MemoryLimitError
            If the strip would take too much memory.
        """
        header, place = self._stream.header, segment.place
        transform = self._stream.transform(place)
        fold = transform.fold
        order = (fold.prediction or Hierarchy()).bands(fold.bands)
        # Entropy decoding: weights of the predictions, levels, and the contexts that they were coded in.
        levels = self.read(segment, transform)
        self._charge_samples(slice(0, fold.bands), height, PREDICTED_SHARE)
        step_code = round(self._stream.step(place) * STEP_UNIT)
        strip = PredictedBands(
            fold, self._codec.kernels, self._codec.points, step_code, levels.quantised.shape[2:]
        )
        wanted = needed_bands(order, bands)
        for number, (one, prediction) in enumerate(zip(order, levels.predictions, strict=True)):
            if one.band in wanted:
                strip.reconstruct(one, prediction, levels.quantised[:, number], levels.classes[:, number])
        counts = strip.planes(bands)[:, :height, : header.info.samples] / SAMPLE_UNIT
        absent = None if levels.absent is None else levels.absent[bands]
        return BandPlanes(round_to_counts(counts, header.info), absent, levels.escapes, place.doublings)

    def read(self, segment: ChunkedSegment, transform: SpectralTransform) -> Segment:
        """Entropy decoding; see `StripDecoder.read`."""
        fold, header = transform.fold, self._stream.header
        order = (fold.prediction or Hierarchy()).bands(fold.bands)
        levels = read_segment(segment, header, fold.bands, 0, self._latent_tables, order, self._work)
        if self.count_bits is not None:
            bits: NDArray[np.float64] = np.empty(fold.bands)
            bits[[one.band for one in order]] = component_bits(levels, self._mode)
            self.count_bits(bits, fold)
        return levels
