"""What each component and each interval of a stream costs, found out while it is decoded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import COST_UNIT
from bandfold.bitstream.entropy.ans import PRECISION
from bandfold.bitstream.entropy.tokens import TOKENS, to_tokens, token_base
from bandfold.bitstream.segments.planes import zigzag
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.klt import Fold
from bandfold.common import exact
from bandfold.ground.decoder import Decoder


class CountingDecoder(Decoder):
    """A decoder that adds up what the latents of each component cost in the tables that code them.

    Parameters
    ----------
    *given, **named
        As for `Decoder`.

    Attributes
    ----------
    component_bits : ndarray of float64, shape (components,)
        In all strips decoded so far. Raw bits and signs count; the masks of absent samples and the maps of
        rotations do not, and neither does the frame of a section.
    band_bits : ndarray of float64, shape (bands,)
        The same by band. A component that comes from several intervals is shared among them by the squared
        entries of its vector; what an interval takes is shared by its bands alike.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.component_bits = np.zeros(0)
        self.band_bits = np.zeros(self.info.bands)
        if self._networks is not None:
            self._networks.synthesis = _Counting(self._networks.synthesis, self)  # type: ignore[assignment]

    @property
    def interval_bits(self) -> NDArray[np.float64]:
        """Bits by interval of `Decoder.fold`, shape (intervals,): other folds may have other intervals."""
        totals = np.concatenate([[0.0], np.cumsum(self.band_bits)])
        return np.diff(totals[[0, *self.fold.ends]])

    def _reconstruct(self, segment: Segment, fold: Fold, *given: Any) -> NDArray[np.float64]:
        tokens = to_tokens(np.abs(segment.quantised.ravel()).astype(np.int64))[0]
        costs = self._mode.costs[segment.classes.ravel(), tokens].reshape(segment.quantised.shape)
        self._add(costs.sum(axis=(0, 2, 3)) / COST_UNIT, fold)
        return super()._reconstruct(segment, fold, *given)

    def _count_bands(self, quantised: NDArray[np.int32], fold: Fold) -> None:
        """Add the latents of a stream with a model, shaped (bands, channels, rows, columns)."""
        if self._networks is None:
            return
        raw = token_base(np.arange(TOKENS, dtype=np.int32))[1]
        bits = PRECISION + raw - exact.log2(self._networks.tables.planes.astype(np.float64))
        channels = np.arange(quantised.shape[1])[:, None]
        engines = np.repeat(fold.engines, np.diff(fold.ends, prepend=0))
        counted = np.zeros(len(quantised))
        for band in np.flatnonzero(quantised.any(axis=(1, 2, 3))):
            planes = zigzag(quantised[band])
            tokens = to_tokens(planes.ravel())[0].reshape(len(channels), -1)
            counted[band] = bits[engines[band]][channels, tokens].sum()
        self._add(counted, fold)

    def _add(self, bits: NDArray[np.float64], fold: Fold) -> None:
        if len(bits) > len(self.component_bits):
            self.component_bits = np.pad(self.component_bits, (0, len(bits) - len(self.component_bits)))
        self.component_bits[: len(bits)] += bits
        bands = np.diff(fold.ends, prepend=0)
        self.band_bits += np.repeat(bits @ interval_shares(fold)[: len(bits)] / bands, bands)


class _Counting:
    """Synthesis by networks, with a look at what it is given."""

    def __init__(self, synthesis: Any, decoder: CountingDecoder) -> None:
        self._synthesis = synthesis
        self._decoder = decoder

    def bands(self, quantised: NDArray[np.int32], fold: Fold, *given: Any) -> Any:
        self._decoder._count_bands(quantised, fold)
        return self._synthesis.bands(quantised, fold, *given)


def interval_shares(fold: Fold) -> NDArray[np.float64]:
    """How much of each component comes from each interval.

    Parameters
    ----------
    fold : Fold

    Returns
    -------
    ndarray of float64, shape (components, intervals)
        Rows sum to 1.
    """
    intervals = len(fold.ends)
    identity = np.eye(intervals)
    if fold.second is None:
        return np.repeat(identity, np.diff(fold.ends, prepend=0), axis=0)
    source = np.repeat(identity, [vectors.count for vectors in fold.first], axis=0)
    inside, outside = fold.split
    merged = np.square(fold.second.orthonormal).T @ source[inside]
    return np.concatenate([merged / merged.sum(axis=1, keepdims=True), source[outside]])
