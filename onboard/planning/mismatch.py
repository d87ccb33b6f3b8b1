"""How far a fold has drifted from the lines that it has to code."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.common import exact
from bandfold.common.kernels import compiled
from bandfold.onboard.quantisation.rdoq import RATE_WEIGHT

KNEE = RATE_WEIGHT / (2 * math.log(2.0))
"""Variance, in steps squared, at which a component begins to cost bits: below it, leaving it out costs as
much as ``log2(1 + v / KNEE) / 2`` bits do, above it that is about the bits that it takes."""


@dataclass(frozen=True)
class Mismatch:
    """What some lines cost under a fold.

    Parameters
    ----------
    excess : float
        Bits a pixel more than under the best fold, by the variances of the components: an upper bound of
        what coded bits and errors differ by, since the spatial transform makes all variances count for less.
    left_out : float
        Mean squared error per sample of what the fold leaves out of them, in counts squared.
    """

    excess: float
    left_out: float


def measure_mismatch(
    fold: Fold, mean: NDArray[np.float64], covariances: NDArray[np.float64], step: float
) -> Mismatch:
    """Compare a fold with the best one for some lines.

    The best fold of a Gaussian source of covariance ``C`` takes ``log2(det(1 + C / d)) / 2`` bits a pixel
    at a distortion ``d``; a given one takes ``sum(log2(1 + v / d)) / 2`` with the variances ``v`` of its
    components, and the energy that it leaves out.

    Parameters
    ----------
    fold : Fold
        With a spectral transform or without.
    mean : ndarray, shape (bands,)
        Of the lines, in counts.
    covariances : ndarray, shape (bands, bands)
        Of the lines, in counts squared.
    step : float
        Quantiser step in counts.

    Returns
    -------
    Mismatch
    """
    offset = mean - fold.means / FRACTION
    # The fold takes its own means away: what the lines differ from them is to be coded too.
    moments = covariances + offset[:, None] * offset[None, :]
    energy = np.diagonal(moments)
    if fold.second is None:
        variances = energy
        rest = 0.0
    else:
        basis = _columns(fold)
        variances = (basis * exact.product(moments, basis)).sum(axis=0)
        rest = max(math.fsum(energy.tolist()) - math.fsum(variances.tolist()), 0.0)
    knee = KNEE * step * step
    taken = math.fsum(exact.log2(1.0 + np.maximum(variances, 0.0) / knee).tolist())
    least = log_determinant(covariances / knee)
    excess = (taken - least + rest / (knee * math.log(2.0))) / 2
    return Mismatch(max(excess, 0.0), rest / fold.bands)


def _columns(fold: Fold) -> NDArray[np.float64]:
    """The orthonormal vectors of the coded components, over all bands."""
    if fold.second is None:
        raise ValueError("an unfolded scene has no vectors")
    placed = np.zeros((fold.bands, sum(vectors.count for vectors in fold.first)))
    position = 0
    for start, end, vectors in zip(fold.starts, fold.ends, fold.first, strict=True):
        placed[start:end, position : position + vectors.count] = vectors.orthonormal
        position += vectors.count
    inside, outside = fold.split
    merged = exact.product(placed[:, inside], fold.second.orthonormal)
    return np.concatenate([merged, placed[:, outside]], axis=1)


def log_determinant(matrix: NDArray[np.float64]) -> float:
    """``log2(det(1 + matrix))`` of a covariance matrix, by elimination: the same bits on every machine.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
        Symmetric, no eigenvalue below 0.

    Returns
    -------
    float
        In bits.
    """
    pivots = np.empty(len(matrix))
    _eliminate(np.ascontiguousarray(matrix + np.eye(len(matrix))), pivots)
    return math.fsum(exact.log2(pivots).tolist())


@compiled(
    "bf_pivots(matrix: out(float64[n, n]), n: int64, pivots: out(float64[n]), scaled: out(float64[n]))",
)
def _eliminate(matrix: NDArray[np.float64], pivots: NDArray[np.float64]) -> None:
    """Pivots of Gaussian elimination, at least 1; the matrix is used up."""
    for place in range(len(matrix)):
        pivot = max(float(matrix[place, place]), 1.0)
        pivots[place] = pivot
        below = matrix[place + 1 :, place + 1 :]
        below -= matrix[place + 1 :, place, None] * (matrix[None, place, place + 1 :] / pivot)
