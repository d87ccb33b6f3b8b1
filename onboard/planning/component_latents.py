"""Latents of all components that a scene may code, of a sample of its blocks, transformed once.

Which components earn their vectors is found by leaving some out and merging the rest again. The first fold
does not change by that, and the second one is linear, as the cosine transform is: so the latents of any
choice are a small matrix times those of the first fold, and the bands are transformed once for all choices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Taken, Vectors
from bandfold.common.exact import integer_product
from bandfold.common.workers import Workers
from bandfold.onboard.rate_model import GAIN_UNIT, latent_gain
from bandfold.onboard.transform.analysis import Analysis
from bandfold.onboard.vector_quantisation import FINEST

_Part = TypeVar("_Part")

BLOCKS_AT_ONCE = 96
"""Blocks of the sample that are transformed together: it bounds the memory of component planes."""


def fold_gains(fold: Fold, blocks: NDArray[Any], step: float, workers: Workers) -> NDArray[np.float64]:
    """What coding each component of a fold saves on a sample of blocks: distortion less rate.

    Parameters
    ----------
    fold : Fold
        With a spectral transform.
    blocks : ndarray of integers, shape (bands, count, 64)
        The sample.
    step : float
        Quantiser step in counts.
    workers : Workers
        Which share the blocks.

    Returns
    -------
    ndarray of float64, shape (components,)
        In steps squared.
    """
    analysis = Analysis(fold)
    return (
        _summed(
            lambda start: latent_gain(analysis.blocks(blocks[:, start : start + BLOCKS_AT_ONCE]), step),
            range(0, blocks.shape[1], BLOCKS_AT_ONCE),
            fold.components,
            workers,
        )
        / GAIN_UNIT
    )


class ComponentLatents:
    """Latents of the components of the first fold, in a sample of blocks.

    Parameters
    ----------
    bases : sequence of ndarray, each of shape (bands of the interval, components)
        Orthonormal columns of each interval.
    ends : tuple of int
        End of each interval, exclusive.
    means : ndarray of int64, shape (bands,)
        Band means in units of ``1 / FRACTION`` of a count.
    blocks : ndarray of integers, shape (bands, count, 64)
        The sample.
    workers : Workers
        Which share the blocks.

    Attributes
    ----------
    counts : tuple of int
        Components of each interval.
    pixels : int
        Of the sample.
    """

    def __init__(
        self,
        bases: Sequence[NDArray[np.float64]],
        ends: tuple[int, ...],
        means: NDArray[np.int64],
        blocks: NDArray[Any],
        workers: Workers,
    ) -> None:
        counts = [basis.shape[1] for basis in bases]
        self.counts = tuple(counts)
        self.pixels = blocks.shape[1] * blocks.shape[2]
        self._starts = np.cumsum([0, *counts[:-1]])
        self._workers = workers
        first = tuple(
            Taken(
                np.rint(np.ldexp(basis, FINEST)).astype(np.int64),
                np.full(basis.shape[1], FINEST),
                basis,
                tuple(range(basis.shape[1])),
            )
            for basis in bases
        )
        nothing = Vectors(np.zeros((0, 0), dtype=np.int64), np.zeros(0, dtype=np.int64))
        analysis = Analysis(Fold(ends, means, 0, first, (0,) * len(ends), nothing))
        starts = range(0, blocks.shape[1], BLOCKS_AT_ONCE)
        self._parts = list(
            workers.map(lambda start: analysis.blocks(blocks[:, start : start + BLOCKS_AT_ONCE]), starts)
        )
        self._gains: dict[float, NDArray[np.float64]] = {}

    def gains(self, fold: Fold, places: Sequence[NDArray[np.intp]], step: float) -> NDArray[np.float64]:
        """What coding each component of a fold saves on the sample: distortion less rate.

        Parameters
        ----------
        fold : Fold
            With a spectral transform, whose first fold takes some of the components.
        places : sequence of ndarray of int
            Which components of each interval those are.
        step : float
            Quantiser step in counts.

        Returns
        -------
        ndarray of float64, shape (components of the fold,)
            In steps squared.
        """
        if fold.second is None:
            raise ValueError("an unfolded scene has no components to choose from")
        taken = np.concatenate([start + one for start, one in zip(self._starts, places, strict=True)])
        inside, outside = (taken[part] for part in fold.split)
        second = fold.second.integers.T.astype(np.float64)

        def merged(latents: NDArray[np.int32]) -> NDArray[np.float64]:
            # Columns of unit length over at most 64 latents of 32 bits: sums below 2**51.
            strong = integer_product(
                second, latents[inside].reshape(len(inside), math.prod(latents.shape[1:])).astype(np.float64)
            )
            strong /= BASIS_UNIT
            return latent_gain(
                np.rint(strong, out=strong).astype(np.int32).reshape(len(second), *latents.shape[1:]), step
            )

        gains = _summed(merged, self._parts, len(second), self._workers)
        return np.concatenate([gains, self._alone(step)[outside]]) / GAIN_UNIT

    def _alone(self, step: float) -> NDArray[np.float64]:
        """The same of all components of the first fold, in units of ``1 / GAIN_UNIT``."""
        if step not in self._gains:
            gains = _summed(
                lambda latents: latent_gain(latents, step), self._parts, sum(self.counts), self._workers
            )
            self._gains = {step: gains}
        return self._gains[step]


def _summed(
    gains_of: Callable[[_Part], NDArray[np.float64]], parts: Iterable[_Part], count: int, workers: Workers
) -> NDArray[np.float64]:
    """Add up what is found of each part."""
    gains = np.zeros(count)
    for found in workers.map(gains_of, parts):
        gains += found
    return gains
