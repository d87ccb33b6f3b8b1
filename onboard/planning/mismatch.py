"""How badly the fold in use fits the lines that it has to code: what they cost more than under their own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.coding_weights import weights_of
from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.common import exact
from bandfold.onboard.rate_model import KNEE, component_bits, gaussian_bits

SHARE = 0.35
"""Bits that are saved for each bit of `Mismatch.excess`, as measured on coded strips (0.3 to 0.4)."""


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
        Of the lines, in counts squared; of weighted counts where the fold has weights.
    step : float
        Quantiser step in counts.

    Returns
    -------
    Mismatch
    """
    offset = mean - fold.means / FRACTION
    if fold.weights is not None:
        offset *= weights_of(fold.weights)
    # The fold takes its own means away: what the lines differ from them is to be coded too.
    moments = covariances + offset[:, None] * offset[None, :]
    energy = np.diagonal(moments)
    if fold.second is None:
        variances = energy
        rest = 0.0
    else:
        basis = _columns(fold)
        variances = exact.column_sums(basis * exact.product(moments, basis))
        rest = max(math.fsum(energy.tolist()) - math.fsum(variances.tolist()), 0.0)
    lost = rest / (KNEE * step * step * math.log(2.0)) / 2
    excess = component_bits(variances, step) - gaussian_bits(covariances, step) + lost
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
