"""Material for the tables of refinement: what contexts know of samples, and the tokens that follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.entropy.ans import TOKENS, to_tokens
from bandfold.bitstream.refinement.band_prediction import Bounds
from bandfold.bitstream.refinement.contexts import ABSENT, LineContexts, Past, band_classes
from bandfold.bitstream.refinement.residual_codec import CodedBand, code_bands
from bandfold.bitstream.refinement.scales import CLASSES, MEAN, OCTAVE, UNIT_SCALE, raw_bits, weight_group
from bandfold.bitstream.refinement.side_information import NOTHING, ErrorBound
from bandfold.bitstream.refinement.tables import FEATURES, RefinementTables
from bandfold.common.scene import SceneSource, strips
from bandfold.ground.decoder import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.settings import STRIP_LINES

Integers = NDArray[np.int32]

CASES = (
    (0.0, (0, 8)),
    (0.1, (0, 16)),
    (0.25, (0, 1, 4, 16, 64)),
    (0.5, (0, 8)),
)
"""Rates of the base in bits per sample, 0 for band means, and limits of the error at each, in counts."""

_EVERY = 5
_SAMPLES = 12000


@dataclass(frozen=True)
class RefinedStrip:
    """Samples of a strip, and a base of them.

    Parameters
    ----------
    samples, base : ndarray of int32, shape (bands, lines, samples)
        Both in counts.
    bounds : Bounds
        Range of the samples.
    limit : int
        Largest error in counts.
    """

    samples: Integers
    base: Integers
    bounds: Bounds
    limit: int

    def bands(self, tables: RefinementTables) -> Iterator[CodedBand]:
        """Code the bands with some tables."""
        limits = np.full(len(self.samples), self.limit, dtype=np.int32)
        return code_bands(self.samples, self.base, ErrorBound(limits), self.bounds, None, tables)


def decoded_base(source: SceneSource, rate: float) -> Integers:
    """Encode and decode a scene at a rate.

    Parameters
    ----------
    source : SceneSource
        Integer samples.
    rate : float
        Bits per sample; at 0 the base is the mean of each band.

    Returns
    -------
    ndarray of int32, shape (bands, lines, samples)
    """
    info = source.info
    whole = source.read(slice(0, info.bands), slice(0, info.lines))
    if rate == 0.0:
        means = np.rint(whole.mean(axis=(1, 2))).astype(np.int32)
        return np.ascontiguousarray(np.broadcast_to(means[:, None, None], whole.shape))
    decoded = Decoder(Encoder(bps=rate).encode(source), restore="off").decode()
    return decoded.astype(np.int32)


def refined_strips(
    source: SceneSource, base_of: Callable[[SceneSource, float], Integers] = decoded_base
) -> Iterator[RefinedStrip]:
    """Cut a scene into strips, with all bases and limits of `CASES`.

    Parameters
    ----------
    source : SceneSource
        Integer samples without gaps.
    base_of : callable
        Gives the base at a rate.

    Yields
    ------
    RefinedStrip
    """
    info = source.info
    reach: np.iinfo[Any] = np.iinfo(info.coded_dtype)
    bounds = Bounds(int(reach.min), int(reach.max))
    cuts = list(strips(info.lines, STRIP_LINES))
    parts = [source.read(slice(0, info.bands), lines).astype(np.int32) for lines in cuts]
    for rate, limits in CASES:
        base = base_of(source, rate)
        for lines, samples in zip(cuts, parts, strict=True):
            cut = np.ascontiguousarray(base[:, lines])
            for limit in limits:
                yield RefinedStrip(samples, cut, bounds, limit)


@dataclass(frozen=True)
class ContextExamples:
    """What is known around samples, and how large they are.

    Parameters
    ----------
    features : ndarray of float64, shape (n, FEATURES)
        Features of `bandfold.bitstream.refinement.contexts`.
    magnitudes : ndarray of float64, shape (n,)
        Magnitudes of the samples, in sixteenths of the mean of their bands.
    groups : ndarray of int32, shape (n,)
        Group of weights of each.
    """

    features: NDArray[np.float64]
    magnitudes: NDArray[np.float64]
    groups: Integers

    @staticmethod
    def joined(parts: list[ContextExamples]) -> ContextExamples:
        """Examples of several strips."""
        return ContextExamples(
            np.concatenate([one.features for one in parts]),
            np.concatenate([one.magnitudes for one in parts]),
            np.concatenate([one.groups for one in parts]),
        )


def context_examples(strip: RefinedStrip, tables: RefinementTables, seed: int) -> ContextExamples:
    """Draw examples from some bands of a strip.

    Parameters
    ----------
    strip : RefinedStrip
        Where they are drawn.
    tables : RefinementTables
        Any: features do not depend on them.
    seed : int
        Of the draw.

    Returns
    -------
    ContextExamples
    """
    random = np.random.default_rng(seed)
    past = Past(*strip.samples.shape[1:])
    parts = []
    for number, band in enumerate(strip.bands(tables)):
        scale = band.side.scale
        if scale == NOTHING:
            continue
        if number % _EVERY:
            band_classes(tables, scale, band.steps, None, past)
            continue
        contexts = LineContexts(tables, scale, past)
        features = []
        for line, steps in enumerate(band.steps):
            planes = np.broadcast_arrays(*contexts.features(line), past.own[line])[:-1]
            features.append(np.stack(planes, axis=-1))
            past.own[line] = contexts.learn(np.abs(steps.astype(np.int64) >> contexts.shift), None)
        flat = np.concatenate(features)
        chosen = random.permutation(len(flat))[: _EVERY * _SAMPLES // len(strip.samples) + 1]
        group = weight_group(contexts.scale)
        mean = 2.0 ** ((scale - UNIT_SCALE) / OCTAVE)
        magnitudes = np.abs(band.steps.ravel().astype(np.float64)) * (MEAN / mean)
        parts.append(
            ContextExamples(
                flat[chosen].astype(np.float64),
                magnitudes[chosen],
                np.full(len(chosen), group, dtype=np.int32),
            )
        )
        past.average_in()
        past.swap()
    empty = ContextExamples(np.zeros((0, FEATURES)), np.zeros(0), np.zeros(0, dtype=np.int32))
    return ContextExamples.joined([empty, *parts])


def token_counts(strip: RefinedStrip, tables: RefinementTables) -> NDArray[np.int64]:
    """Count the tokens of each class.

    Parameters
    ----------
    strip : RefinedStrip
        Where they are counted.
    tables : RefinementTables
        Weights that make the classes.

    Returns
    -------
    ndarray of int64, shape (CLASSES, TOKENS)
    """
    counts = np.zeros(CLASSES * TOKENS, dtype=np.int64)
    for band in strip.bands(tables):
        coded = band.classes != ABSENT
        high = band.steps[coded].astype(np.int64) >> raw_bits(max(band.side.scale, 0))
        tokens = to_tokens(np.abs(high))[0]
        counts += np.bincount(band.classes[coded].astype(np.int64) * TOKENS + tokens, minlength=len(counts))
    return counts.reshape(CLASSES, TOKENS)
