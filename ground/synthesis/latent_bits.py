"""What the latents of each component cost in the tables that code them, estimated from their levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import TOKEN_COST_UNIT, Mode
from bandfold.bitstream.entropy.ans import PRECISION, TOKENS, to_tokens, token_base
from bandfold.bitstream.segments.band_segment import BandSegment
from bandfold.bitstream.segments.planes import PlaneTables, zigzag
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.klt import Fold
from bandfold.common import exact


def component_bits(segment: Segment, mode: Mode) -> NDArray[np.float64]:
    """Bits of each component of a segment of the transform codec.

    Parameters
    ----------
    segment : Segment
        Levels, and the context that each was coded in.
    mode : Mode
        Statistics of these contexts.

    Returns
    -------
    ndarray of float64, shape (components,)
        Raw bits and signs count.
    """
    tokens = to_tokens(np.abs(segment.quantised.ravel()).astype(np.int64))[0]
    costs = mode.costs[segment.classes.ravel(), tokens].reshape(segment.quantised.shape)
    bits: NDArray[np.float64] = costs.sum(axis=(0, 2, 3)) / TOKEN_COST_UNIT
    return bits


def band_bits(segment: BandSegment, fold: Fold, tables: PlaneTables) -> NDArray[np.float64]:
    """Bits of each band of a segment of a trained model.

    Parameters
    ----------
    segment : BandSegment
        Latents of all bands.
    fold : Fold
        The engine of each interval of bands.
    tables : PlaneTables
        Statistics of each engine and channel.

    Returns
    -------
    ndarray of float64, shape (bands,)
        Raw bits and signs count.
    """
    raw = token_base(np.arange(TOKENS, dtype=np.int32))[1]
    bits = PRECISION + raw - exact.log2(tables.planes.astype(np.float64))
    channels = np.arange(segment.quantised.shape[1])[:, None]
    engines = np.repeat(fold.engines, np.diff(fold.ends, prepend=0))
    found = np.zeros(len(segment.quantised))
    for band in np.flatnonzero(segment.quantised.any(axis=(1, 2, 3))):
        tokens = to_tokens(zigzag(segment.quantised[band]).ravel())[0].reshape(len(channels), -1)
        found[band] = bits[engines[band]][channels, tokens].sum()
    return found
