"""What some blocks of a strip tell of a band and of those that it may be predicted from, by frequency.

Weights of least squares minimise the squared error, which bright blocks and low frequencies decide. But a
latent costs bits about as the logarithm of its error. So errors are weighed anew by what they are
(iteratively reweighted least squares): by the block and by the frequency, for which products of samples are
not enough. The Walsh transform stands in for that of the codec: it consists of sums and separates
frequencies nearly as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.band_prediction import SAMPLE_UNIT
from bandfold.common.scene import BLOCK, CHANNELS

BLOCKS_LOOKED_AT = 1 << 7
"""Blocks of a strip that are looked at, about, and nearly twice as many at most."""

FIRST_SEQUENCIES = (0, 1, 2, 3, 5, 8)
"""Where groups of frequencies begin, by changes of sign down and across."""

CONVEXITY = 0.3
"""Error of a latent, in steps squared, from which on its cost grows like a logarithm."""

ERROR_BITS = 4.8
"""Twice the bits that a small error costs, for each squared step of it: ``1 / (CONVEXITY * log(2))``."""

LARGEST_ERROR = float(1 << 20)
"""Errors are cut at this, in steps squared, and summed in units of ``1 / _ERROR_UNIT``."""

LEAST_WEIGHT = 1.0 / (1 << 12)
"""No error weighs less: blocks that cannot be predicted are not to be lost sight of altogether."""

WEIGHT_UNIT = float(1 << 18)
"""Weights of errors are in units of ``1 / WEIGHT_UNIT``."""

_ERROR_UNIT = float(1 << 16)
_SUM_BITS = 50


def _walsh() -> NDArray[np.float64]:
    matrix = np.ones((1, 1))
    while len(matrix) < BLOCK:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


_WALSH = _walsh()
_SEQUENCIES = np.count_nonzero(np.diff(_WALSH), axis=1)
_SUMS = np.add.outer(_SEQUENCIES, _SEQUENCIES).ravel()
_ORDER = np.argsort(_SUMS, kind="stable")
_STARTS = np.searchsorted(_SUMS[_ORDER], FIRST_SEQUENCIES)
_SIZES = np.diff(_STARTS, append=CHANNELS)


@dataclass(frozen=True)
class BlockProducts:
    """Products of the transforms of some blocks, of a band and of those that it may be predicted from.

    A sum over the frequencies of a block is `CHANNELS` times that over its samples.

    Parameters
    ----------
    products : ndarray of float64, shape (planes, planes, blocks, groups)
        Of all pairs of the references and the band behind them, summed over groups of frequencies; integers,
        in counts squared.
    sums : ndarray of float64, shape (planes, blocks)
        Of the samples of each block, in counts.
    """

    products: NDArray[np.float64]
    sums: NDArray[np.float64]

    @staticmethod
    def of(
        planes: NDArray[np.int32], references: tuple[int, ...], target: NDArray[np.int32]
    ) -> BlockProducts:
        """Look at some blocks.

        Parameters
        ----------
        planes : ndarray of int32, shape (bands, pixels)
            Reconstructed bands in units of ``1 / SAMPLE_UNIT``.
        references : tuple of int
            At most four of them.
        target : ndarray of int32, shape (8 * rows, 8 * columns)
            Counts of the band.

        Returns
        -------
        BlockProducts
        """
        rows, columns = (extent // BLOCK for extent in target.shape)
        # An odd distance meets all columns, whatever the number of samples.
        stride = max(rows * columns // BLOCKS_LOOKED_AT, 1) | 1
        known = (planes[one].reshape(target.shape) // SAMPLE_UNIT for one in references)
        samples = np.stack([*known, target]).reshape(-1, rows, BLOCK, columns, BLOCK)
        blocks = samples.transpose(0, 1, 3, 2, 4).reshape(len(samples), -1, BLOCK, BLOCK)[:, ::stride]
        # Counts have 20 bits at most: integers below 2**53, whatever the order of the sums.
        transformed = _WALSH @ blocks.astype(np.float64) @ _WALSH.T
        ordered = transformed.reshape(*transformed.shape[:2], CHANNELS)[..., _ORDER]
        products = np.add.reduceat(ordered[:, None] * ordered, _STARTS, axis=-1)
        return BlockProducts(products, ordered[..., 0].copy())

    @property
    def equal_weights(self) -> NDArray[np.float64]:
        """Weights with which all errors are worth the same, shape (blocks, groups)."""
        return np.ones(self.products.shape[2:])

    @cached_property
    def scale(self) -> float:
        """A power of two: weighted products, scaled by it, add up to less than 2**51 as integers."""
        # Products of two are no larger than the larger one of their squares.
        largest = float(np.einsum("aabg->abg", self.products).max())
        # The exponent of a number is that of the next higher power of two.
        room = _SUM_BITS - _exponent(largest) - _exponent(float(self.products[0, 0].size))
        return float(np.ldexp(1.0, room))

    def worth(self, step: float) -> float:
        """Twice the bits that a squared error costs, in the unit of `moments`, for each sample."""
        samples = self.products.shape[2] * CHANNELS
        return float(ERROR_BITS / (step * step * CHANNELS * samples * self.scale))

    def moments(self, weights: NDArray[np.float64]) -> Moments:
        """Weighted sums over all blocks and frequencies.

        Parameters
        ----------
        weights : ndarray of float64, shape (blocks, groups)
            What errors are worth: integers in units of ``1 / WEIGHT_UNIT``, at most 1.

        Returns
        -------
        Moments
        """
        products = np.rint(self.products * (weights * self.scale)).sum(axis=(2, 3))
        lowest = weights[:, 0] * WEIGHT_UNIT
        sums = (self.sums * lowest).sum(axis=1)
        count = float(lowest.sum())
        # One in each sample of a block comes to `CHANNELS` in its lowest frequency.
        unit = self.scale / WEIGHT_UNIT
        covariances = products - sums[:, None] * sums / count * unit
        means = sums / (count * CHANNELS)
        return Moments(covariances.tolist(), means.tolist(), count * unit * CHANNELS**2)

    def weights(self, factors: list[float], constant: float, step: float) -> NDArray[np.float64]:
        """What errors are worth that a prediction leaves: less where they are large.

        The error of a frequency in a block is taken to be what is usual for the frequency, times what is
        usual for the block.

        Parameters
        ----------
        factors : list of float
            Of the first references; their sum is what is predicted, in counts.
        constant : float
            Added to it.
        step : float
            In counts.

        Returns
        -------
        ndarray of float64, shape (blocks, groups)
        """
        known = len(self.sums) - 1
        signed = [*(-factor for factor in factors), *(0.0,) * (known - len(factors)), 1.0]
        errors = np.zeros(self.products.shape[2:])
        lowest = np.full(len(errors), -constant * CHANNELS)
        for place, factor in enumerate(signed):
            lowest += factor * self.sums[place]
            for other in range(place):
                errors += 2.0 * factor * signed[other] * self.products[place, other]
            errors += factor * factor * self.products[place, place]
        errors[:, 0] = lowest * lowest
        errors *= 1.0 / (step * step * CHANNELS * _SIZES)
        np.clip(errors, 0.0, LARGEST_ERROR, out=errors)
        usual = np.maximum(np.rint(errors * _ERROR_UNIT).sum(axis=0), 1.0) / (_ERROR_UNIT * len(errors))
        blocks = np.zeros(len(errors))
        for error, share in zip(errors.T, _SIZES / CHANNELS / usual, strict=True):
            blocks += error * share
        worth = 1.0 / (1.0 + blocks[:, None] * (usual / CONVEXITY))
        found: NDArray[np.float64] = np.rint(np.maximum(worth, LEAST_WEIGHT) * WEIGHT_UNIT) / WEIGHT_UNIT
        return found


@dataclass(frozen=True)
class Moments:
    """Weighted sums over blocks of a strip, of a band and of those that it may be predicted from.

    Parameters
    ----------
    covariances : list of list of float
        Of the references and the band behind them, in a unit of their own.
    means : list of float
        Of the same, in counts.
    count : float
        What a variance of one count squared comes to, were all frequencies worth as much as the lowest.
    """

    covariances: list[list[float]]
    means: list[float]
    count: float


def _exponent(number: float) -> int:
    return int(np.frexp(number)[1])
