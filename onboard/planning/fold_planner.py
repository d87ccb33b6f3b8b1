"""Which components are worth coding at a step, and how finely their basis must be told.

The fold is side information: each eigenvector costs bits, and a weak component may save less distortion than
its vector costs. Both are known before anything is coded, from a sample of blocks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.coding_weights import weights_of
from bandfold.bitstream.transforms.klt import FRACTION, MERGE_LIMIT, Fold
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors
from bandfold.common import exact
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER, vector_bits
from bandfold.onboard.vector_quantisation import find_row_shifts, quantise_vectors

from .block_sample import BlockSample, told_means
from .component_latents import ComponentLatents, fold_gains
from .partition import check_partition, partition_bands

FIRST_THRESHOLD = 0.05
"""A component of the first fold is looked at if its variance exceeds so many times ``step**2 / 12``: one that
is smooth, or zero but for a few places, has latents far above its variance."""

SECOND_THRESHOLD = 0.1
"""The same after the second fold, where a component's energy is no longer spread over intervals."""

LEAST_GAIN = 0.001
"""What a component must save for each pixel, in steps squared, to be worth the time that it takes, ..."""

LEAST_WEAK_GAIN = 0.0003
"""... and the same where weak components are coded too, ..."""

FINER = 1.2
"""... whose plans are those for a step finer by so many times, ..."""

FEW_LOOKED_AT = 0.5
"""... where that share of all components is looked at, at most: at low rates. With two quantisers a bit buys
0.08 steps squared, less than `LAGRANGE_MULTIPLIER`; at higher rates such plans take time and save nothing."""

LATENTS_JUDGED = 16_000
"""What components are worth is measured on so many blocks, of all of them together, ..."""

FEWEST_JUDGED = 160
"""... but on so many of each at least."""

PRUNING_ROUNDS = 2
"""Rounds of dropping what is not worth its vector and merging the rest again."""


@dataclass(frozen=True)
class _Candidates:
    """First-fold components under consideration: columns, variances and places in their intervals."""

    vectors: list[NDArray[np.float64]]
    variances: list[NDArray[np.float64]]
    places: list[NDArray[np.intp]]

    def keep(self, flags: list[NDArray[np.bool_]]) -> _Candidates:
        """Only the flagged ones."""
        return _Candidates(
            [vectors[:, flag] for vectors, flag in zip(self.vectors, flags, strict=True)],
            [variances[flag] for variances, flag in zip(self.variances, flags, strict=True)],
            [places[flag] for places, flag in zip(self.places, flags, strict=True)],
        )


class FoldPlanner:
    """Plans folds of one scene for any step.

    Parameters
    ----------
    sample : BlockSample
        Blocks of the scene.
    ends : tuple of int or None
        Partition; found from the sample if None.
    merge_limit : int
        Components that the second fold takes at most; with 0 there is none.
    workers : Workers
        Which look at parts of the sample side by side.
    weak : bool
        Whether components are coded that save little.
    """

    def __init__(
        self,
        sample: BlockSample,
        ends: tuple[int, ...] | None,
        merge_limit: int = MERGE_LIMIT,
        workers: Workers = ALONE,
        *,
        weak: bool = False,
    ) -> None:
        self._workers = workers
        self._weak = weak
        self._sample = sample
        self._merge_limit = merge_limit
        self._mean, self._covariances = sample.moments
        self._counted = sample.counted_moments
        ends = check_partition(partition_bands(self._covariances) if ends is None else ends, len(self._mean))
        self._ends = ends
        self._starts = (0, *ends[:-1])
        self._parts = [slice(start, end) for start, end in zip(self._starts, ends, strict=True)]
        self._least_gain = (LEAST_WEAK_GAIN if weak else LEAST_GAIN) * sample.pixels
        self._plans: dict[float, Fold] = {}
        self._latents: ComponentLatents | None = None

    @cached_property
    def _spectra(self) -> _Candidates:
        """All components of all intervals."""
        spectra = list(self._workers.map(lambda part: exact.eigh(self._covariances[part, part]), self._parts))
        return _Candidates(
            [vectors for _, vectors in spectra],
            [values for values, _ in spectra],
            [np.arange(len(values)) for values, _ in spectra],
        )

    @cached_property
    def variances(self) -> NDArray[np.float64]:
        """Variances of the components that a fold of everything would have."""
        merged = _merged_counts(self._spectra.variances, self._merge_limit)
        if not any(merged):
            return np.concatenate(self._spectra.variances)
        taken = [vectors[:, :count] for vectors, count in zip(self._spectra.vectors, merged, strict=True)]
        others = [values[count:] for values, count in zip(self._spectra.variances, merged, strict=True)]
        return np.concatenate([self._merge(taken)[0], *others])

    @property
    def ends(self) -> tuple[int, ...]:
        """Ends of the intervals."""
        return self._ends

    def plan(self, step: float) -> Fold:
        """Choose components and precisions for a step.

        Parameters
        ----------
        step : float
            Quantiser step in counts.

        Returns
        -------
        Fold
        """
        if step not in self._plans:
            self._plans[step] = self._plan(self.judged_at(step))
        return self._plans[step]

    def judged_at(self, step: float) -> float:
        """The step in counts at which the plan for a step judges what is worth its bits."""
        finer = self._weak and sum(self._strong(step)) <= FEW_LOOKED_AT * len(self._mean)
        return step / FINER if finer else step

    def _plan(self, step: float) -> Fold:
        candidates = self._spectra.keep(
            [place < count for place, count in zip(self._spectra.places, self._strong(step), strict=True)]
        )
        for rounds_left in reversed(range(PRUNING_ROUNDS + 1)):
            fold = self._fold(candidates, step)
            gain = self._gains(fold, candidates, step)
            flags = self._worthwhile(fold, gain) if rounds_left else []
            if all(flag.all() for flag in flags):
                break
            candidates = candidates.keep(flags)
        return self._drop_weak(fold, gain, candidates, step)

    def forget(self) -> None:
        """Give back the latents of the sample: they are made again for the next plan."""
        self._latents = None

    def finish(self) -> None:
        """Give back the sample: no more plans are asked for."""
        self.forget()
        del self._sample

    def side_bits(self, step: float) -> float:
        """Estimate what the vectors of a plan cost.

        Parameters
        ----------
        step : float
            Quantiser step in counts.

        Returns
        -------
        float
            Bits.
        """
        fold = self.plan(step)
        vectors = [*fold.first, *([fold.second] if fold.second is not None else [])]
        return math.fsum(bits for one in vectors for bits in vector_bits(one).tolist())

    def unfolded(self, step: float) -> Fold:
        """The fold that leaves every band a component of its own.

        Parameters
        ----------
        step : float
            Quantiser step in counts.

        Returns
        -------
        Fold
        """
        return Fold(self._ends, *self._means(step))

    def left_out(self, fold: Fold) -> float:
        """Mean squared error per sample of what a fold leaves out.

        Parameters
        ----------
        fold : Fold
            With a spectral transform, of this scene.

        Returns
        -------
        float
            In counts squared.
        """
        if fold.second is None:
            return 0.0
        # From exact orthonormal bases: the rounded ones are good to 2**-16 of the strongest component only.
        bases = [vectors.orthonormal for vectors in fold.first]
        inside, _ = fold.split
        merged = exact.product(self._placed(bases)[:, inside], fold.second.orthonormal)
        mean, covariances = self._counted
        # The fold takes its own means away, which are rounded.
        offset = (mean - fold.means / FRACTION)[:, None]
        if fold.weights is not None:
            offset *= weights_of(fold.weights)[:, None]
        kept = (merged * exact.product(covariances, merged)).ravel().tolist()
        kept += (exact.column_sums(merged * offset) ** 2).tolist()
        # What was not merged is zero outside its interval, so the covariances within it are enough.
        for part, basis, count in zip(self._parts, bases, fold.merged, strict=True):
            alone = basis[:, count:]
            kept += (alone * exact.product(covariances[part, part], alone)).ravel().tolist()
            kept += (exact.column_sums(alone * offset[part]) ** 2).tolist()
        whole = [*np.diagonal(covariances).tolist(), *(offset * offset).ravel().tolist()]
        return max(math.fsum(whole) - math.fsum(kept), 0.0) / len(mean)

    def _means(self, step: float) -> tuple[NDArray[np.int64], int]:
        """Band means and their shift."""
        return told_means(self._mean, step, self._sample.pixels)

    def _fold(self, candidates: _Candidates, step: float, keep: NDArray[np.bool_] | None = None) -> Fold:
        """Quantise the candidates' vectors and merge the strongest of them by a second fold.

        Components of the second fold that are not flagged are left out.
        """
        pixels = self._sample.pixels
        weights = self._sample.weights
        first = tuple(
            replace(
                quantise_vectors(vectors, variances, step, pixels),
                weights=None if weights is None else weights_of(weights[part]),
            )
            for part, vectors, variances in zip(
                self._parts, candidates.vectors, candidates.variances, strict=True
            )
        )
        merged = _merged_counts(candidates.variances, self._merge_limit)
        if not any(merged):
            nothing = Vectors(np.zeros((0, 0), dtype=np.int64), np.zeros(0, dtype=np.int64))
            return Fold(self._ends, *self._means(step), first, merged, nothing, weights=weights)
        values, rotation = self._merge(
            [vectors.rounded[:, :count] for vectors, count in zip(first, merged, strict=True)]
        )
        strong = np.flatnonzero(values > SECOND_THRESHOLD * step * step / 12)
        strong = strong if keep is None else strong[keep]
        shifts = find_row_shifts([values], [rotation], step, pixels)
        second = quantise_vectors(rotation[:, strong], values[strong], step, pixels, shifts)
        return Fold(self._ends, *self._means(step), first, merged, second, weights=weights)

    def _merge(self, bases: list[NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Variances and vectors of the KLT over components of all intervals."""
        # Interval by interval: bases are zero outside theirs, and sums without zeros have the same bits.
        rows = np.concatenate(
            [
                exact.product(basis.T, self._covariances[part])
                for part, basis in zip(self._parts, bases, strict=True)
            ]
        )
        across = np.concatenate(
            [exact.product(rows[:, part], basis) for part, basis in zip(self._parts, bases, strict=True)],
            axis=1,
        )
        return exact.eigh((across + across.T) / 2)

    def _placed(self, bases: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Bases of the intervals as columns over all bands."""
        placed = np.zeros((len(self._mean), sum(basis.shape[1] for basis in bases)))
        position = 0
        for start, end, basis in zip(self._starts, self._ends, bases, strict=True):
            placed[start:end, position : position + basis.shape[1]] = basis
            position += basis.shape[1]
        return placed

    def _gains(self, fold: Fold, candidates: _Candidates, step: float) -> NDArray[np.float64]:
        """What coding each component saves on the whole scene: distortion less rate, in steps squared."""
        sample = self._sample
        if sample.blocks.shape[1] <= FEWEST_JUDGED:
            # Vectors of a small scene are told coarsely: what that does is seen under the fold itself only.
            gains = fold_gains(fold, sample.blocks, step, self._workers)
            gains *= sample.pixels / (sample.blocks.shape[1] * sample.blocks.shape[2])
            return gains
        strong = self._strong(step)
        if self._latents is None or any(
            count > known for count, known in zip(strong, self._latents.counts, strict=True)
        ):
            bases = [vectors[:, :count] for vectors, count in zip(self._spectra.vectors, strong, strict=True)]
            # Where few components are looked at, a rate is low, and each of them weighs more.
            count = max(LATENTS_JUDGED // max(sum(strong), 1), FEWEST_JUDGED)
            self._latents = ComponentLatents(
                bases, self._ends, self._means(step)[0], sample.thinned(count), self._workers
            )
        gains = self._latents.gains(fold, candidates.places, step)
        gains *= sample.pixels / self._latents.pixels
        return gains

    def _strong(self, step: float) -> list[int]:
        """How many components of each interval are looked at."""
        threshold = FIRST_THRESHOLD * step * step / 12
        return [int(np.count_nonzero(values > threshold)) for values in self._spectra.variances]

    def _worthwhile(self, fold: Fold, gain: NDArray[np.float64]) -> list[NDArray[np.bool_]]:
        """Flag the first-fold components whose share in the gain exceeds the cost of their vectors."""
        if fold.second is None:
            raise ValueError("an unfolded scene has no components to drop")
        inside, outside = fold.split
        share = np.zeros(len(inside) + len(outside))
        weights = fold.second.integers / BASIS_UNIT
        share[inside] = exact.product(weights * weights, gain[: fold.second.count, None])[:, 0]
        share[outside] = gain[fold.second.count :]
        flags, position = [], 0
        for vectors in fold.first:
            bits = vector_bits(vectors)
            flags.append(
                share[position : position + vectors.count] > LAGRANGE_MULTIPLIER * bits + self._least_gain
            )
            position += vectors.count
        return flags

    def _drop_weak(self, fold: Fold, gain: NDArray[np.float64], candidates: _Candidates, step: float) -> Fold:
        """Leave out components of the second fold that do not earn their own column."""
        if fold.second is None:
            raise ValueError("an unfolded scene has no components to drop")
        keep = gain[: fold.second.count] > LAGRANGE_MULTIPLIER * vector_bits(fold.second) + self._least_gain
        return fold if keep.all() else self._fold(candidates, step, keep)


def _merged_counts(variances: list[NDArray[np.float64]], limit: int) -> tuple[int, ...]:
    """Components of each interval among the strongest `limit` of all."""
    everything = np.concatenate(variances)
    interval = np.repeat(np.arange(len(variances)), [len(values) for values in variances])
    strongest = np.argsort(-everything, kind="stable")[:limit]
    return tuple(np.bincount(interval[strongest], minlength=len(variances)).tolist())
