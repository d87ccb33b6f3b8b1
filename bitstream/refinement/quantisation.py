"""Quantisation of what a prediction lacks, so that no sample is off by more than a limit.

With a limit d the step is ``2 d + 1`` counts. Differences wrap around at 32 bits, which matters to lossless
samples of all 32 bits only. On an axis of cells (`bandfold.bitstream.refinement.value_axis`) steps lead from
the cell of the prediction to that of the sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import StreamError
from bandfold.common.kernels import compiled

from .band_prediction import FARTHEST, Bounds
from .value_axis import ValueAxis

LARGEST_LIMIT = (1 << 31) - 1
"""Limits are 32-bit integers."""

Plane = NDArray[np.int32]


@dataclass(frozen=True)
class UniformSteps:
    """Steps of equal width.

    Parameters
    ----------
    limit : int
        Largest error in counts; 0 is lossless.
    bounds : Bounds
        Where samples are cut.
    """

    limit: int
    bounds: Bounds

    def count(self, samples: Plane, predicted: Plane, absent: NDArray[np.uint8] | None) -> tuple[Plane, int]:
        """Count the steps from predictions to samples.

        Parameters
        ----------
        samples, predicted : ndarray of int32, shape (pixels,)
            Of a band.
        absent : ndarray of uint8, shape (pixels,), or None
            Not 0 where a sample is absent: it gets no steps.

        Returns
        -------
        steps : ndarray of int32, shape (pixels,)
        total : int
            Sum of their magnitudes.
        """
        steps = np.empty_like(predicted)
        return steps, _quantise(samples, predicted, absent, self.limit, steps)

    def reconstruct(self, predicted: Plane, steps: Plane, base: Plane) -> tuple[Plane, Plane]:
        """Add steps to predictions.

        Parameters
        ----------
        predicted, steps : ndarray of int32, shape (pixels,)
            Predictions, and the steps from them.
        base : ndarray of int32, shape (pixels,)
            Base of the band.

        Returns
        -------
        refined : ndarray of int32, shape (pixels,)
            The samples.
        difference : ndarray of int32, shape (pixels,)
            What they differ from the base by, cut at `FARTHEST`.
        """
        refined, difference = np.empty_like(base), np.empty_like(base)
        limits = np.array([self.limit, self.bounds.lowest, self.bounds.highest], dtype=np.int64)
        _reconstruct(predicted, steps, base, limits, refined, difference)
        return refined, difference

    def check(self, steps: Plane) -> None:
        """Refuse steps that lead from no sample to another.

        Parameters
        ----------
        steps : ndarray of int32, shape (pixels,)
            As they were read.

        Raises
        ------
        StreamError
            If a step leads too far.
        """
        most = self.bounds.magnitude_limit(2 * self.limit + 1)
        if most < LARGEST_LIMIT:
            _check(steps, most)


@dataclass(frozen=True)
class AxisSteps:
    """Steps from cell to cell of an axis; methods as of `UniformSteps`.

    Parameters
    ----------
    axis : ValueAxis
        The cells.
    """

    axis: ValueAxis

    def count(self, samples: Plane, predicted: Plane, absent: NDArray[np.uint8] | None) -> tuple[Plane, int]:
        """Count the cells from predictions to samples."""
        steps = self.axis.positions(samples) - self.axis.positions(predicted)
        if absent is not None:
            steps[absent != 0] = 0
        return steps, int(np.abs(steps).sum(dtype=np.int64))

    def reconstruct(self, predicted: Plane, steps: Plane, base: Plane) -> tuple[Plane, Plane]:
        """Go from the cells of predictions to those of samples."""
        cells = np.clip(
            self.axis.positions(predicted).astype(np.int64) + steps, 0, len(self.axis.centres) - 1
        )
        refined = self.axis.values(cells)
        difference = np.clip(refined.astype(np.int64) - base, -FARTHEST, FARTHEST)
        return refined, difference.astype(np.int32)

    def check(self, steps: Plane) -> None:
        """Refuse steps from one end of the axis over the other."""
        _check(steps, len(self.axis.centres) - 1)


def _check(steps: Plane, most: int) -> None:
    if max(int(steps.max(initial=0)), -int(steps.min(initial=0))) > most:
        raise StreamError("refinement leads out of the range of samples: the section is corrupt")


@compiled(
    "bf_refinement_quantise(samples: int32[pixels], predicted: int32[pixels], absent: uint8[pixels] | None,"
    " pixels: int64, limit: int64, quantised: out(int32[pixels])) -> int64"
)
def _quantise(
    samples: Plane, predicted: Plane, absent: NDArray[np.uint8] | None, limit: int, quantised: Plane
) -> int:
    error = samples.astype(np.int64) - predicted
    if limit:
        error = np.sign(error) * ((np.abs(error) + limit) // (2 * limit + 1))
    if absent is not None:
        error[absent != 0] = 0
    quantised[:] = error.astype(np.int32)
    return int(np.abs(quantised.astype(np.int64)).sum())


@compiled(
    "bf_refinement_reconstruct(predicted: int32[pixels], quantised: int32[pixels], base: int32[pixels],"
    " pixels: int64, limits: int64[3], refined: out(int32[pixels]), difference: out(int32[pixels]))"
)
def _reconstruct(
    predicted: Plane,
    quantised: Plane,
    base: Plane,
    limits: NDArray[np.int64],
    refined: Plane,
    difference: Plane,
) -> None:
    limit, lowest, highest = limits.tolist()
    value = predicted + quantised.astype(np.int64) * (2 * limit + 1)
    if limit == 0:
        value = value.astype(np.int32).astype(np.int64)
    refined[:] = np.clip(value, lowest, highest)
    difference[:] = np.clip(refined.astype(np.int64) - base, -FARTHEST, FARTHEST)
