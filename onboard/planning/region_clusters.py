"""Regions: strips of a scene that look alike, found by agglomerative clustering.

Strips are merged two by two, those first whose common fold costs least more than two, until one region is
left: a tree, whose branches are all the regions that are looked at. What a fold costs is taken from the
moments of strips alone, so that a scene whose land does not change is known as such before anything is
planned for it.

Groups that are compared with each other must have many blocks, or else they seem to be different by chance.
Where regions end is found afterwards: strips go to the fold that codes them best, as in Lloyd's algorithm,
for which few blocks are enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from bandfold.common import exact
from bandfold.onboard.rate_model import KNEE, LAGRANGE_MULTIPLIER, component_bits, gaussian_bits

from .block_sample import BlockSample, covariance

BANDS_COMPARED = 64
"""Bands on which strips are compared, about: neighbours say the same."""


ROUNDS = 4
"""Times at most that strips are given to the folds of regions which they then make."""


def stride_of(bands: int) -> int:
    """Distance of the bands on which strips are compared: every how many-th one is taken."""
    return max(bands // BANDS_COMPARED, 1)


@dataclass(frozen=True)
class Moments:
    """Moments of some strips.

    Parameters
    ----------
    pixels : int
        Pixels of the strips.
    mean : ndarray, shape (bands,)
        In counts, of some of the bands, scaled as if their energy were that of all.
    covariances : ndarray, shape (bands, bands)
        In counts squared, of the same bands, scaled likewise.
    """

    pixels: int
    mean: NDArray[np.float64]
    covariances: NDArray[np.float64]

    @staticmethod
    def of(sample: BlockSample) -> Moments:
        """Moments of a sample, in every n-th band of the scene."""
        stride, blocks = sample.stride, sample.blocks
        if stride == 1:
            stride = stride_of(len(blocks))
            blocks = blocks[::stride]
        mean, covariances = covariance(blocks)
        return Moments(sample.pixels, mean * math.sqrt(stride), covariances * stride)

    def joined(self, other: Moments) -> Moments:
        """Moments of both together."""
        pixels = self.pixels + other.pixels
        mine, theirs = self.pixels / pixels, other.pixels / pixels
        apart = self.mean - other.mean
        return Moments(
            pixels,
            mine * self.mean + theirs * other.mean,
            mine * self.covariances
            + theirs * other.covariances
            + mine * theirs * (apart[:, None] * apart[None, :]),
        )

    def bits(self, step: float) -> float:
        """Bits under the best fold; see `bandfold.onboard.rate_model.gaussian_bits`."""
        return self.pixels * gaussian_bits(self.covariances, step)


class MomentFold:
    """The best fold of some strips for a step, by their moments.

    Parameters
    ----------
    moments : Moments
        Of the strips.
    step : float
        Quantiser step in counts.
    """

    def __init__(self, moments: Moments, step: float) -> None:
        values, vectors = exact.eigh(moments.covariances)
        self._mean = moments.mean
        self._vectors = vectors[:, : int(np.count_nonzero(values > KNEE * step * step))]
        self._step = step

    def bits(self, moments: Moments) -> float:
        """Bits that other strips cost under this fold, the error in what it leaves out weighed as bits.

        Parameters
        ----------
        moments : Moments
            Of those strips, in the same bands.

        Returns
        -------
        float
            By variances: of each component ``log2(1 + v / d) / 2``, as in
            `bandfold.onboard.rate_model.component_bits`.
        """
        apart = moments.mean - self._mean
        covariances = moments.covariances + apart[:, None] * apart[None, :]
        kept = exact.column_sums(self._vectors * exact.product(covariances, self._vectors))
        left_out = max(math.fsum(np.diagonal(covariances)) - math.fsum(kept), 0.0)
        error = left_out / (self._step * self._step)
        return moments.pixels * (
            component_bits(np.maximum(kept, 0.0), self._step) + error / LAGRANGE_MULTIPLIER
        )


@dataclass(frozen=True)
class Region:
    """Strips that may share a fold.

    Parameters
    ----------
    strips : tuple of int
        In rising order.
    moments : Moments
        Of their samples.
    bits : float
        What they cost under a fold of their own, by the moments.
    parts : tuple of Region
        The two regions that it was merged from; empty if it was not.
    """

    strips: tuple[int, ...]
    moments: Moments
    bits: float
    parts: tuple[Region, ...] = ()

    @cached_property
    def saved(self) -> float:
        """Bits that folds of its parts save, by the moments: several times what is saved in the end."""
        return self.bits - math.fsum(part.bits for part in self.parts) if self.parts else 0.0


def merge_strips(samples: Sequence[tuple[tuple[int, ...], BlockSample]], step: float) -> Region:
    """Merge strips that look alike, until one region is left.

    Parameters
    ----------
    samples : sequence of (tuple of int, BlockSample)
        Strips that stay together, and what was sampled of them. At least one.
    step : float
        Quantiser step in counts.

    Returns
    -------
    Region
        All strips.
    """

    def alone(one: tuple[tuple[int, ...], BlockSample]) -> Region:
        strips, sample = one
        moments = Moments.of(sample)
        return Region(strips, moments, moments.bits(step))

    regions = dict(enumerate(samples[0][1].workers.map(alone, samples)))
    merged: dict[tuple[int, int], Region] = {}
    following = len(regions)
    while len(regions) > 1:
        for pair in [(one, other) for one in regions for other in regions if one < other]:
            if pair not in merged:
                merged[pair] = _merged(regions[pair[0]], regions[pair[1]], step)
        # What is lost by merging; of equals the first pair.
        best = min(merged, key=lambda pair: (merged[pair].saved, pair))
        regions[following] = merged[best]
        for number in best:
            del regions[number]
        merged = {pair: region for pair, region in merged.items() if not set(pair) & set(best)}
        following += 1
    return next(iter(regions.values()))


def _merged(one: Region, other: Region, step: float) -> Region:
    moments = one.moments.joined(other.moments)
    strips = tuple(sorted(one.strips + other.strips))
    return Region(strips, moments, moments.bits(step), (one, other))


def settle_strips(
    regions: Sequence[tuple[int, ...]], samples: Sequence[tuple[tuple[int, ...], BlockSample]], step: float
) -> list[tuple[int, ...]]:
    """Give strips to the regions whose folds code them best.

    Parameters
    ----------
    regions : sequence of tuple of int
        Strips of each region.
    samples : sequence of (tuple of int, BlockSample)
        Strips that stay together, fewer than in a region, and what was sampled of them.
    step : float
        Quantiser step in counts.

    Returns
    -------
    list of tuple of int
        Strips of each region, in the order of their first strips; as many regions or fewer.
    """
    units = [(strips, Moments.of(sample)) for strips, sample in samples]
    # Strips that stay together go where the first of them was.
    first = {strip: number for number, strips in enumerate(regions) for strip in strips}
    numbers = [first[strips[0]] for strips, _ in units]
    for _ in range(ROUNDS):
        folds = {
            number: MomentFold(
                reduce(
                    Moments.joined,
                    (one for (_, one), its in zip(units, numbers, strict=True) if its == number),
                ),
                step,
            )
            for number in sorted(set(numbers))
        }
        settled = [min(folds, key=lambda number: (folds[number].bits(one), number)) for _, one in units]
        if settled == numbers:
            break
        numbers = settled
    found = [
        tuple(
            strip
            for (strips, _), its in zip(units, numbers, strict=True)
            if its == number
            for strip in strips
        )
        for number in set(numbers)
    ]
    return sorted(found)
