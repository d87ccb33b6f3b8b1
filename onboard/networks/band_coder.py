"""Band by band with a trained model: each band goes through the analysis network of its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import PLANES, PackageReference
from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.entropy.ans import PRECISION, TOKENS, to_tokens, token_base
from bandfold.bitstream.segments.band_codec import latent_rows
from bandfold.bitstream.segments.band_segment import BandSegment, write_band_segment
from bandfold.bitstream.segments.planes import PlaneTables, zigzag
from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.common import exact
from bandfold.common.strip_memory import StripMemory
from bandfold.common.workers import ALONE
from bandfold.onboard.coding.strip_coder import CodedStrip, StripCoder
from bandfold.onboard.coding.verification import BANDS_CHECKED, network_fault
from bandfold.onboard.planning.plan import Basis
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER
from bandfold.onboard.samples.samples import Samples
from bandfold.onboard.transform.fold import BAND_GROUP

from .network_engine import NetworkEngine

TRIED_LINES = 64
"""Lines that stay together where a part of a scene stands for it: latents of a network look far around."""


@dataclass(frozen=True)
class BandLines:
    """Lines of a scene, to be read when their step is known: networks see samples in steps.

    Parameters
    ----------
    samples : Samples
        Of the scene.
    lines : slice
        Lines of the strip.
    """

    samples: Samples
    lines: slice


class BandStripCoder:
    """Codes strips band by band.

    Parameters
    ----------
    fold : Fold
        Unfolded: means of the bands, intervals, and which network of the model each interval takes.
    engine : NetworkEngine
        The model's networks, opened when they are first needed.
    tables : PlaneTables
        Entropy tables of the format and of the model.
    """

    latents_per_pixel = 0.0

    def __init__(self, fold: Fold, engine: NetworkEngine, tables: PlaneTables) -> None:
        self._fold = fold
        self._engine = engine
        self._tables = tables
        self._engine_of = np.repeat(fold.engines, np.diff(fold.ends, prepend=0)).tolist()
        # Of a token and its raw bits, shape (engines, channels, TOKENS).
        raw = token_base(np.arange(TOKENS, dtype=np.int32))[1]
        self._bits = PRECISION + raw - exact.log2(tables.planes.astype(np.float64))

    def analyse(self, samples: Samples, lines: slice, memory: StripMemory | None = None) -> BandLines:
        """Nothing: what networks are shown depends on the step."""
        return BandLines(samples, lines)

    def code(
        self,
        analysed: BandLines,
        place: SegmentHeader,
        step: float,
        *,
        errors: bool,
        memory: StripMemory | None = None,
    ) -> CodedStrip:
        """Analyse and code one strip; see `StripCoder.code`.

        A band whose latents save less than their bits are worth is sent as its mean. Measuring errors takes
        the synthesis of every band.
        """
        samples, lines = analysed.samples, analysed.lines
        height, width = lines.stop - lines.start, samples.info.samples
        bands = self._fold.bands
        shape = (self._engine.codec.channels, latent_rows(height), latent_rows(width))
        quantised = np.zeros((bands, *shape), dtype=np.int32)
        total = error = energy = 0.0
        exact = samples.uncounted(lines)
        mask = exact.mask if errors else None
        for start in range(0, bands, BAND_GROUP):
            group = slice(start, min(start + BAND_GROUP, bands))
            # Several bands are read at once, because files interleave them; one at a time is analysed.
            for band, counts in enumerate(samples.read(group, lines), start=start):
                plane = (counts - self._fold.means[band] / FRACTION) / step
                # Other bands in each strip, so that none is never looked at.
                checked = band % BANDS_CHECKED == place.index % min(BANDS_CHECKED, bands)
                found = self._code_band(plane, band, quantised[band], errors=errors or checked)
                counted = np.True_ if mask is None else ~mask[band]
                total += float((found * found).sum(where=counted)) if errors else 0.0
                if checked:
                    error += float((found * found).sum())
                    energy += float((plane * plane).sum())
        segment = BandSegment(quantised, exact.absent, exact.escapes, exact.shape)
        payload = write_band_segment(place, segment, self._tables, self._fold)
        fault = network_fault(error, energy, place.index)
        count = bands * height * width - (0 if mask is None else int(mask.sum()))
        return CodedStrip(payload, total * step * step if errors else math.nan, count, fault=fault)

    def _code_band(
        self,
        plane: NDArray[np.float64],
        band: int,
        out: NDArray[np.int32],
        *,
        errors: bool,
    ) -> NDArray[np.float64]:
        """Latents of a band, if they are worth their bits; the errors in steps, if they are wanted."""
        energy = float((plane * plane).sum())
        # No latents cost less than a bit.
        if energy <= LAGRANGE_MULTIPLIER:
            return plane
        engine = self._engine_of[band]
        latents = self._engine.analyse(plane, engine)
        if not latents.any() or LAGRANGE_MULTIPLIER * self._cost(latents, engine) >= energy:
            return plane
        out[:] = latents
        return self._engine.synthesise(latents, engine, *plane.shape) - plane if errors else plane

    def _cost(self, latents: NDArray[np.int32], engine: int) -> float:
        """Bits of the latents of a band."""
        tokens = to_tokens(zigzag(latents).ravel())[0].reshape(len(latents), -1)
        return float(np.take_along_axis(self._bits[engine], tokens, axis=1).sum())


class NetworkMethod:
    """Band by band through the networks of a model, which round by themselves.

    Parameters
    ----------
    engine : NetworkEngine
        The model's networks.
    tables : Tables
        Entropy tables of the format, for side information.
    """

    transform = PLANES
    trims = False
    saturates = True
    workers = ALONE
    lines_together = TRIED_LINES

    def __init__(self, engine: NetworkEngine, tables: Tables) -> None:
        self._engine = engine
        self._tables = engine.codec.tables(tables)
        self.model = PackageReference(engine.codec.name, engine.codec.identity)

    def trial_height(self, lines: int, strip_lines: int) -> int:
        """As in the whole scene."""
        return strip_lines

    def coder(self, basis: Basis, step: float) -> StripCoder:
        """See `bandfold.onboard.coding.method.Method.coder`."""
        return BandStripCoder(basis.fold, self._engine, self._tables)
