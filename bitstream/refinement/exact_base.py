"""The base of a refinement: the counts that a segment decodes to, the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.segment_layout import ChunkedSegment, SegmentHeader
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.segments.predicted_codec import PredictedCodec
from bandfold.bitstream.segments.segment import Segment, mode_name, read_segment
from bandfold.bitstream.transforms.band_order import Hierarchy
from bandfold.bitstream.transforms.band_prediction import SAMPLE_UNIT
from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.predicted_bands import PredictedBands
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.errors import StreamError
from bandfold.common.scene import BLOCK

from .exact_transforms import ComponentTransform, InverseFold


@dataclass(frozen=True)
class ExactBase:
    """Decodes segments to counts in integers, without restoration.

    Parameters
    ----------
    header : Header
        Of the stream.
    tables : Tables
        Statistics that it is coded with.
    codec : PredictedCodec or None
        The trained model of the stream, if bands are predicted from bands.
    """

    header: Header
    tables: Tables
    codec: PredictedCodec | None = None

    def read(self, segmented: ChunkedSegment, fold: Fold, rotations: tuple[Vectors, ...]) -> Segment:
        """Entropy decoding.

        Parameters
        ----------
        segmented : ChunkedSegment
            The segment, its chunks not decoded.
        fold : Fold
            How bands became components.
        rotations : tuple of Vectors
            Matrices that blocks choose from; empty without.

        Returns
        -------
        Segment

        Raises
        ------
        StreamError
            If it is corrupt.
        """
        if self.codec is None:
            return read_segment(segmented, self.header, fold.components, len(rotations), self.tables)
        order = (fold.prediction or Hierarchy()).bands(fold.bands)
        tables = self.codec.tables(self.tables)
        return read_segment(segmented, self.header, fold.bands, 0, tables, order)

    def counts(
        self, segment: Segment, place: SegmentHeader, fold: Fold, rotations: tuple[Vectors, ...]
    ) -> NDArray[np.integer]:
        """Counts of a strip.

        Parameters
        ----------
        segment : Segment
            From `read`.
        place : SegmentHeader
            Number of the strip, its step and its height.
        fold : Fold
            How bands became components.
        rotations : tuple of Vectors
            Matrices that blocks choose from; empty without.

        Returns
        -------
        ndarray of the type of the counts, shape (bands, lines, samples)
            Rounded half up and clipped to the range of the type.

        Raises
        ------
        StreamError
            If bands or blocks have weights: such streams have no refinements.
        """
        if fold.weights is not None or segment.block_codes is not None:
            raise StreamError("bands and blocks with weights have no refinement: the stream is corrupt")
        info = self.header.info
        step_code = self.header.step_code if place.step_code is None else place.step_code
        rows = segment.quantised.shape[2]
        lines = place.lines or self.header.strip_lines
        result: NDArray[np.integer] = np.empty((info.bands, lines, info.samples), dtype=info.coded_dtype)
        limits = np.iinfo(info.coded_dtype.name)
        if self.codec is not None:
            strip = PredictedBands(
                fold, self.codec.kernels, self.codec.points, step_code, segment.quantised.shape[2:]
            )
            for number, (one, prediction) in enumerate(zip(strip.order, segment.predictions, strict=True)):
                levels, classes = segment.quantised[:, number], segment.classes[:, number]
                strip.reconstruct(one, prediction, levels, classes)
            for band in range(info.bands):
                plane = strip.planes(slice(band, band + 1))[0, :lines, : info.samples]
                counts = (plane + SAMPLE_UNIT // 2) >> (SAMPLE_UNIT.bit_length() - 1)
                result[band] = np.clip(counts, limits.min, limits.max)
        else:
            mode = self.tables.modes[mode_name(spectral=self.header.spectral)]
            transform = ComponentTransform(mode, step_code, rotations)
            live = transform.live(segment)
            unfold = InverseFold(fold, live, limits)
            # Without a sign: what is below 0 is taken as it lies in memory.
            found = result.view(np.uint16) if result.itemsize == 2 else np.empty(result.shape, np.uint16)
            for row in range(rows):
                # Components and bands of a row of blocks stay in the cache from one operation to the next.
                high = slice(row * BLOCK, min((row + 1) * BLOCK, lines))
                unfold.write_counts(transform.planes(segment, row, live), found[:, high])
            if result.itemsize != 2:
                result[:] = found.astype(result.dtype)
        return result
