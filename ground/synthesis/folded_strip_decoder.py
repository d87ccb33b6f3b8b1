"""Strips of the transform codec: the inverse of each step of the encoder, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.segment_layout import ChunkedSegment
from bandfold.bitstream.container.stream_budget import (
    LIVE_SHARE,
    PRODUCT_SHARE,
    ROTATED_COMPONENTS,
    StreamBudget,
)
from bandfold.bitstream.contexts.tables import Mode, Tables
from bandfold.bitstream.segments.memory_estimate import COMPONENTS_AT_ONCE
from bandfold.bitstream.segments.segment import Segment, mode_name, read_segment
from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.strip_memory import StripMemory
from bandfold.common.workers import ObjectPool
from bandfold.ground.stream.memory_budget import MemoryBudget
from bandfold.ground.stream.parsed_stream import ParsedStream
from bandfold.ground.stream.spectral_transforms import SpectralTransform

from .band_synthesis import BandSynthesis
from .component_planes import ComponentPlanes
from .decoded_latents import DecodedLatents, LatentRestorer, RestoredLatents
from .inverse_transforms import live_components
from .latent_bits import component_bits
from .rounding import round_bands
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
        # Strips that are decoded at the same time have memory of their own.
        self._memory = ObjectPool(StripMemory)

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
            Counts, and which samples are absent.

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
        # Reconstruction points, nearer to what was quantised.
        restored = None if self._restorer is None else self._restored(self._restorer, levels, rotations)
        present = levels.quantised.any(axis=(0, 2, 3)) if restored is None else restored.live
        live = live_components(np.asarray(present), levels.chosen, rotations)
        if levels.chosen is not None:
            rotated = max((matrix.count for matrix in rotations), default=0)
            latent_work = 1 + rotated // ROTATED_COMPONENTS
            self._work.work(latent_work * rotated * height * header.info.samples, "rotated latents")
        # The inverse transforms: within blocks, of blocks, and across bands.
        with self._memory.lent() as memory:
            shape = (height, header.info.samples)
            moved = None if restored is None else restored.latents
            planes = ComponentPlanes(levels, moved, self._mode, self._stream.step(place), rotations)
            synthesis = partial(planes.planes, shape=shape, memory=memory)
            if transform.fold.second is None:
                counts = self._unfolded(
                    transform.fold, synthesis, live, bands, height, rotated=levels.chosen is not None
                )
            else:
                self._charge_components(len(live), bands, height)
                counts = BandSynthesis(transform.fold, live, bands).counts(synthesis(live), header.info)
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

    def _unfolded(
        self,
        fold: Fold,
        planes: Callable[[NDArray[np.int64]], NDArray[np.float64]],
        live: NDArray[np.int64],
        bands: slice,
        height: int,
        *,
        rotated: bool,
    ) -> NDArray[Any]:
        """Counts of bands that are components, some at a time."""
        counts = self._means(fold, bands, height)
        if rotated:
            groups = [live]
        else:
            live = live[slice(*np.searchsorted(live, (bands.start, bands.stop)))]
            groups = [live[at : at + COMPONENTS_AT_ONCE] for at in range(0, len(live), COMPONENTS_AT_ONCE)]
        for group in groups:
            self._charge_components(len(group), slice(0, 1), height)
            means = fold.means / FRACTION
            for band, plane in zip(group.tolist(), planes(group), strict=True):
                if bands.start <= band < bands.stop:
                    to = counts[band - bands.start]
                    round_bands(plane.reshape(1, -1), means[band : band + 1], to.reshape(1, -1))
        return counts

    def _charge_components(self, components: int, bands: slice, height: int) -> None:
        """Charge the inverse transforms of components, before they are done."""
        latents = components * height * self._stream.header.info.samples
        products = latents * (bands.stop - bands.start)
        self._work.work(latents // LIVE_SHARE + products // PRODUCT_SHARE, "latents")

    def _restored(
        self, restorer: LatentRestorer, levels: Segment, rotations: tuple[Vectors, ...]
    ) -> RestoredLatents | None:
        """Latents of all components, where they are better than their reconstruction points."""
        self._budget.check(self._stream)
        return restorer.restore(
            DecodedLatents(levels.quantised, levels.classes, self._mode.points, levels.chosen, rotations)
        )
