"""Strips of the transform codec: the inverse of each step of the encoder, one after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.segment_layout import ChunkedSegment
from bandfold.bitstream.container.stream_budget import StreamBudget
from bandfold.bitstream.contexts.tables import Mode, Tables
from bandfold.bitstream.segments.segment import Segment, mode_name, read_segment
from bandfold.bitstream.transforms.coding_weights import weights_of
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.ground.stream.memory_budget import MemoryBudget
from bandfold.ground.stream.parsed_stream import ParsedStream
from bandfold.ground.stream.spectral_transforms import SpectralTransform

from .decoded_latents import DecodedLatents, LatentRestorer
from .inverse_transforms import dequantise, inverse_cosine_transform, inverse_rotation, unfold
from .latent_bits import component_bits
from .strip_decoder import BandPlanes, StripDecoder


class FoldedStripDecoder(StripDecoder):
    """Decodes strips whose bands were folded into components, and cosine transformed in 8 x 8 blocks.

    A stream without a spectral transform has folds that make each band a component.

    Parameters
    ----------
    stream : ParsedStream
        The stream.
    tables : Tables
        Statistics that it is coded with.
    restorer : LatentRestorer or None
        What moves reconstruction points nearer to the latents that were quantised; None leaves them.
    budget : MemoryBudget
        Checked again before a strip is restored: its fold may have more components than those known before.
    """

    def __init__(
        self, stream: ParsedStream, tables: Tables, restorer: LatentRestorer | None, budget: MemoryBudget
    ) -> None:
        super().__init__(stream, tables)
        self._mode: Mode = tables.modes[mode_name(spectral=stream.header.spectral)]
        self._restorer = restorer
        self._budget = budget

    def open(self, threads: int, budget: StreamBudget) -> None:
        """Open the restoration network, if there is one.

        Parameters
        ----------
        threads : int
            Processor threads of the network.
        budget : StreamBudget
            What this pass over the strips may cost.
        """
        super().open(threads, budget)
        if self._restorer is not None:
            self._restorer.open(threads)

    def synthesise(self, segment: ChunkedSegment, bands: slice, height: int) -> BandPlanes:
        """From the chunks of a segment to bands, by the inverse of each step of the encoder.

        Parameters
        ----------
        segment : ChunkedSegment
            The segment, or its first chunks: components of the others are zero.
        bands : slice
            Bands wanted: a half-open range with explicit bounds and no step.
        height : int
            Lines of the strip.

        Returns
        -------
        BandPlanes
            Counts that are not rounded yet, and which samples are absent.

        Raises
        ------
        StreamError
            If the segment or what it names is corrupt.
        ModelError
            If the restoration network cannot be run.
        MemoryLimitError
            If the strip would take too much memory.
        """
        header, place = self._stream.header, segment.place
        transform = self._stream.transform(place)
        rotations = transform.rotations
        # Entropy decoding: levels, and the contexts that they were coded in.
        levels = self.read(segment, transform)
        absent = None if levels.absent is None else levels.absent[bands]
        if not levels.quantised.any():
            means = self._means(transform.fold, bands, height)
            return BandPlanes(means, absent, levels.escapes, place.doublings)
        self._charge_samples(bands, height)
        # Dequantisation: latents, in steps and then in counts.
        latents = dequantise(levels, self._mode)
        if self._restorer is not None:
            latents = self._restored(self._restorer, levels, latents, rotations)
        latents *= self._stream.step(place)
        # The inverse transforms: within blocks, of blocks, and across bands.
        inverse_rotation(latents, levels.chosen, rotations)
        if levels.block_codes is not None:
            latents /= weights_of(levels.block_codes)
        planes = inverse_cosine_transform(latents, height, header.info.samples)
        counts = unfold(transform.fold, planes, bands)
        return BandPlanes(counts, absent, levels.escapes, place.doublings)

    def read(self, segment: ChunkedSegment, transform: SpectralTransform) -> Segment:
        """Entropy decoding; see `StripDecoder.read`."""
        fold, rotations = transform.fold, transform.rotations
        levels = read_segment(
            segment, self._stream.header, fold.components, len(rotations), self._tables, budget=self._work
        )
        if self.count_bits is not None:
            self.count_bits(component_bits(levels, self._mode), fold)
        return levels

    def _restored(
        self,
        restorer: LatentRestorer,
        levels: Segment,
        latents: NDArray[np.float64],
        rotations: tuple[Vectors, ...],
    ) -> NDArray[np.float64]:
        self._budget.check(self._stream)
        points = latents.astype(np.float32)
        decoded = DecodedLatents(levels.quantised, levels.classes, points, levels.chosen, rotations)
        return restorer.restore(decoded).astype(np.float64)
