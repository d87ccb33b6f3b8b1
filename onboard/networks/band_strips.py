"""The pipeline of a model: band after band through its network, strip by strip."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.entropy.rans import PRECISION
from bandfold.bitstream.entropy.tokens import TOKENS, to_tokens, token_base
from bandfold.bitstream.segments.band_codec import latent_rows
from bandfold.bitstream.segments.band_segment import BandSegment, write_band_segment
from bandfold.bitstream.segments.planes import PlaneTables, zigzag
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.common import exact
from bandfold.common.geometry import strips
from bandfold.common.scene import SceneSource
from bandfold.onboard.coding.strip_coder import Coded, Plan, absent_samples, whole_place
from bandfold.onboard.quantisation.rdoq import RATE_WEIGHT
from bandfold.onboard.transform.fold import BAND_GROUP

from . import NetworkEngine


class BandPipeline:
    """The strips of a scene under one plan and a model.

    Parameters
    ----------
    source : SceneSource
        Integer samples, absent ones already filled.
    original : SceneSource
        The scene as given, for the mask of absent samples.
    plan : Plan
        Unfolded, with an engine for each interval.
    engine : NetworkEngine
    tables : PlaneTables
    strip_lines : int
    """

    def __init__(
        self,
        source: SceneSource,
        original: SceneSource,
        plan: Plan,
        engine: NetworkEngine,
        tables: PlaneTables,
        strip_lines: int,
    ) -> None:
        self.plan = plan
        self.pixels = source.info.lines * source.info.samples
        self.bands = source.info.bands
        self._source = source
        self._original = original
        self._engine = engine
        self._tables = tables
        self._lines = strips(source.info.lines, strip_lines)
        self._strip_lines = strip_lines
        lengths = np.diff(plan.fold.ends, prepend=0)
        self._engine_of = np.repeat(plan.fold.engines, lengths).tolist()
        # Of a token and its raw bits, shape (engines, channels, TOKENS).
        raw = token_base(np.arange(TOKENS, dtype=np.int32))[1]
        self._bits = PRECISION + raw - exact.log2(tables.planes.astype(np.float64))

    def __len__(self) -> int:
        """Number of strips."""
        return len(self._lines)

    def code(self, index: int, step: float, *, errors: bool, weight: float = RATE_WEIGHT) -> Coded:
        """Analyse and code one strip.

        Parameters
        ----------
        index : int
        step : float
        errors : bool
            Whether to measure the error too, which takes the synthesis of every band.
        weight : float
            Distortion, in steps squared, that one bit must save: a band that saves less is sent as its mean.

        Returns
        -------
        Coded
        """
        lines = self._lines[index]
        height, samples = lines.stop - lines.start, self._source.info.samples
        place = (self._engine.codec.channels, latent_rows(height), latent_rows(samples))
        quantised = np.zeros((self.bands, *place), dtype=np.int32)
        total = 0.0
        for start in range(0, self.bands, BAND_GROUP):
            group = slice(start, min(start + BAND_GROUP, self.bands))
            # Several bands are read at once, because files interleave them; one at a time is analysed.
            for band, counts in enumerate(self._source.read(group, lines), start=start):
                plane = (counts - self.plan.fold.means[band] / FRACTION) / step
                total += self._code_band(plane, band, weight, quantised[band], errors=errors)
        absent = absent_samples(self._original, lines)
        segment = BandSegment(quantised, absent)
        where = whole_place(index, lines, self._strip_lines)
        payload = write_band_segment(where, segment, self._tables, self.plan.fold)
        return Coded(payload, total * step * step if errors else math.nan)

    def _code_band(
        self, plane: NDArray[np.float64], band: int, weight: float, out: NDArray[np.int32], *, errors: bool
    ) -> float:
        """Latents of a band, if they are worth their bits; the squared error in steps squared."""
        energy = float((plane * plane).sum())
        # No latents cost less than a bit.
        if energy <= weight:
            return energy
        engine = self._engine_of[band]
        latents = self._engine.analyse(plane, engine)
        if not latents.any() or weight * self._cost(latents, engine) >= energy:
            return energy
        out[:] = latents
        if not errors:
            return math.nan
        error = self._engine.synthesise(latents, engine, *plane.shape) - plane
        return float((error * error).sum())

    def _cost(self, latents: NDArray[np.int32], engine: int) -> float:
        """Bits of the latents of a band."""
        tokens = to_tokens(zigzag(latents).ravel())[0].reshape(len(latents), -1)
        return float(np.take_along_axis(self._bits[engine], tokens, axis=1).sum())
