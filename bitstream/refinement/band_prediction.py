"""Prediction of a band: its base, and what the base lacked in the bands before, weighted; all in integers.

Differences of refined samples and their base are cut at `FARTHEST`, so that weighted sums of them stay far
below 2**53.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import compiled

MOST_REFERENCES = 8
"""Bands before that a band is predicted from, at most."""

WEIGHT_BITS = 12
"""Weights are in units of ``2**-WEIGHT_BITS``."""

OFFSET_BITS = 4
"""Offsets are in units of ``2**-OFFSET_BITS`` of a count."""

LARGEST_WEIGHT = 1 << 16
"""Weights stay below this, in their unit."""

LARGEST_OFFSET = 1 << 36
"""Offsets stay below this, in their unit: the difference of two samples."""

FARTHEST = (1 << 24) - 1
"""Differences are cut here before they are weighted."""


@dataclass(frozen=True)
class BandPrediction:
    """How a band is predicted.

    Parameters
    ----------
    weights : tuple of int
        Of the bands before, the nearest one first, in units of ``2**-WEIGHT_BITS``.
    offset : int
        In units of ``2**-OFFSET_BITS`` of a count.
    """

    weights: tuple[int, ...] = ()
    offset: int = 0


@dataclass(frozen=True)
class Bounds:
    """Samples are within these.

    Parameters
    ----------
    lowest, highest : int
        Both are 32-bit integers.
    """

    lowest: int
    highest: int

    def magnitude_limit(self, step: int) -> int:
        """Largest number of steps between two samples, up to rounding."""
        return (self.highest - self.lowest + step // 2) // step


class Differences:
    """What the base lacked in the last bands: the planes that a band is predicted from.

    Parameters
    ----------
    pixels : int
        Samples of a band.

    Attributes
    ----------
    planes : ndarray of int32, shape (MOST_REFERENCES, pixels)
        The band z in plane ``z % MOST_REFERENCES``.
    """

    def __init__(self, pixels: int) -> None:
        self.planes = np.zeros((MOST_REFERENCES, pixels), dtype=np.int32)

    def of(self, band: int) -> NDArray[np.int32]:
        """The plane that holds a band, once it is known: shape (pixels,)."""
        plane: NDArray[np.int32] = self.planes[band % MOST_REFERENCES]
        return plane

    def predict(
        self, band: int, base: NDArray[np.int32], prediction: BandPrediction, bounds: Bounds
    ) -> NDArray[np.int32]:
        """Predict a band.

        Parameters
        ----------
        band : int
            Its number; the bands before it are known.
        base : ndarray of int32, shape (pixels,)
            Its base.
        prediction : BandPrediction
            Weights for at most `band` references.
        bounds : Bounds
            Where predictions are cut.

        Returns
        -------
        ndarray of int32, shape (pixels,)
        """
        count = len(prediction.weights)
        slots = np.array([(band - 1 - place) % MOST_REFERENCES for place in range(count)], dtype=np.int64)
        weights = np.array(prediction.weights, dtype=np.int32)
        constant = (prediction.offset << (WEIGHT_BITS - OFFSET_BITS)) + (1 << (WEIGHT_BITS - 1))
        predicted = np.empty_like(base)
        limits = np.array([bounds.lowest, bounds.highest], dtype=np.int64)
        _predict(base, self.planes, slots, weights, constant, limits, predicted)
        return predicted


@compiled(
    "bf_refinement_predict(base: int32[pixels], planes: int32[*, pixels], pixels: int64,"
    " slots: int64[count], weights: int32[count], count: int32, constant: int64, limits: int64[2],"
    " predicted: out(int32[pixels]))"
)
def _predict(
    base: NDArray[np.int32],
    planes: NDArray[np.int32],
    slots: NDArray[np.int64],
    weights: NDArray[np.int32],
    constant: int,
    limits: NDArray[np.int64],
    predicted: NDArray[np.int32],
) -> None:
    total = np.full(base.shape, constant, dtype=np.int64)
    for slot, weight in zip(slots.tolist(), weights.tolist(), strict=True):
        total += weight * planes[slot].astype(np.int64)
    predicted[:] = np.clip(base + (total >> WEIGHT_BITS), *limits.tolist())
