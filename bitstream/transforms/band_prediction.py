"""A band predicted from bands that were coded before it, as encoder and decoder do it: in integers.

Reconstructed bands are integers in units of ``1 / SAMPLE_UNIT`` of a count, weights in units of
``1 / WEIGHT_UNIT``. Their products stay below 2**53 and are held in float64: exact, so that encoder and
decoder, C and NumPy, and all machines predict the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import compiled

SAMPLE_UNIT = 16
"""Reconstructed samples are in units of ``1 / SAMPLE_UNIT`` of a count."""

WEIGHT_UNIT = 1024
"""Weights are in units of ``1 / WEIGHT_UNIT``."""

FARTHEST = 1 << 24
"""Reconstructed samples are cut here, in their unit: weights of no encoder could make them grow for ever."""

LARGEST_WEIGHT = 1 << 14
"""Weights stay below this, in their unit."""


@dataclass(frozen=True)
class Prediction:
    """How a band is predicted.

    Parameters
    ----------
    weights : tuple of int
        Of the first references of the band (`bandfold.bitstream.transforms.band_order`), in units of
        ``1 / WEIGHT_UNIT``; empty if it is not predicted from any.
    offset : int
        Added to the mean of the band, in half steps.
    """

    weights: tuple[int, ...] = ()
    offset: int = 0


def predict(
    planes: NDArray[np.int32],
    references: tuple[int, ...],
    prediction: Prediction,
    means: NDArray[np.int32],
    base: int,
) -> NDArray[np.int32]:
    """Predict a band: its mean, and what its references differ from theirs, weighted.

    Parameters
    ----------
    planes : ndarray of int32, shape (planes, pixels)
        Reconstructed bands, in units of ``1 / SAMPLE_UNIT``.
    references : tuple of int
        Planes that are looked at, at least as many as there are weights.
    prediction : Prediction
        Their weights.
    means : ndarray of int32, shape (references,)
        Means of these, in units of ``1 / SAMPLE_UNIT``.
    base : int
        Mean of the band, with its offset, in the same unit.

    Returns
    -------
    ndarray of int32, shape (pixels,)
    """
    used = np.array(references[: len(prediction.weights)], dtype=np.int64)
    weights = np.array(prediction.weights, dtype=np.int32)
    out = np.empty(planes.shape[1], dtype=np.int32)
    _predict(planes, used, weights, means[: len(used)], base, out)
    return out


@compiled(
    "bf_predict(planes: int32[bands, pixels], pixels: int64, references: int64[count], weights: int32[count],"
    " means: int32[count], count: int32, base: int32, prediction: out(int32[pixels]))"
)
def _predict(
    planes: NDArray[np.int32],
    references: NDArray[np.int64],
    weights: NDArray[np.int32],
    means: NDArray[np.int32],
    base: int,
    prediction: NDArray[np.int32],
) -> None:
    total = np.full(planes.shape[1], WEIGHT_UNIT / 2)
    for reference, weight, mean in zip(references.tolist(), weights.tolist(), means.tolist(), strict=True):
        total += float(weight) * (planes[reference].astype(np.float64) - mean)
    total /= WEIGHT_UNIT
    np.floor(total, out=total)
    total += base
    prediction[:] = np.clip(total, -FARTHEST, FARTHEST)
