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

from .band_prediction import FARTHEST, Bounds, ReferencePlanes
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

    def code(
        self, references: ReferencePlanes, slot: int, samples: Plane, absent: NDArray[np.uint8] | None
    ) -> tuple[Plane, Plane, int]:
        """Predict a band, count the steps to its samples, and add them to the predictions.

        Parameters
        ----------
        references : ReferencePlanes
            Which predict the band.
        slot : int
            Number of the plane that is to hold what the base lacks, cut at `FARTHEST`.
        samples : ndarray of int32, shape (pixels,)
            Of the band.
        absent : ndarray of uint8, shape (pixels,), or None
            Not 0 where a sample is absent.

        Returns
        -------
        steps : ndarray of int32, shape (pixels,)
        refined : ndarray of int32, shape (pixels,)
            What a decoder makes of them.
        total : int
            Sum of the magnitudes of the steps.
        """
        steps, refined = np.empty_like(samples), np.empty_like(samples)
        difference = references.plane(slot)
        total = _code(references, samples, absent, self._limits, steps, refined, difference)
        return steps, refined, total

    def decode(self, references: ReferencePlanes, slot: int, steps: Plane) -> Plane:
        """Predict a band and add steps.

        Parameters
        ----------
        references : ReferencePlanes
            Which predict the band.
        slot : int
            Number of the plane that is to hold what the base lacks, cut at `FARTHEST`.
        steps : ndarray of int32, shape (pixels,)
            Of the band.

        Returns
        -------
        ndarray of int32, shape (pixels,)
            The samples.
        """
        refined = np.empty_like(steps)
        _decode(references, steps, self._limits, refined, references.plane(slot))
        return refined

    @property
    def _limits(self) -> NDArray[np.int64]:
        return np.array([self.limit, self.bounds.lowest, self.bounds.highest], dtype=np.int64)

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
    bounds : Bounds
        Where predictions are cut.
    """

    axis: ValueAxis
    bounds: Bounds

    def count(self, samples: Plane, predicted: Plane, absent: NDArray[np.uint8] | None) -> tuple[Plane, int]:
        """Count the cells from predictions to samples."""
        steps = self.axis.positions(samples) - self.axis.positions(predicted)
        if absent is not None:
            steps[absent != 0] = 0
        return steps, int(np.abs(steps).sum(dtype=np.int64))

    def code(
        self, references: ReferencePlanes, slot: int, samples: Plane, absent: NDArray[np.uint8] | None
    ) -> tuple[Plane, Plane, int]:
        """Predict a band, count the cells to its samples, and go there."""
        predicted = references.predict(self.bounds)
        steps, total = self.count(samples, predicted, absent)
        return steps, self._reconstruct(references, slot, predicted, steps), total

    def decode(self, references: ReferencePlanes, slot: int, steps: Plane) -> Plane:
        """Predict a band, and go from its cells to those of samples."""
        return self._reconstruct(references, slot, references.predict(self.bounds), steps)

    def _reconstruct(self, references: ReferencePlanes, slot: int, predicted: Plane, steps: Plane) -> Plane:
        cells = np.clip(
            self.axis.positions(predicted).astype(np.int64) + steps, 0, len(self.axis.centres) - 1
        )
        refined = self.axis.values(cells)
        difference = np.clip(refined.astype(np.int64) - references.band_base, -FARTHEST, FARTHEST)
        references.plane(slot)[:] = difference
        return refined

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
    "bf_refinement_code(references: bf_refinement_references, samples: int32[pixels],"
    " absent: uint8[pixels] | None, pixels: int64, limits: int64[3], quantised: out(int32[pixels]),"
    " refined: out(int32[pixels]), difference: out(int32[pixels])) -> int64"
)
def _code(
    references: ReferencePlanes,
    samples: Plane,
    absent: NDArray[np.uint8] | None,
    limits: NDArray[np.int64],
    quantised: Plane,
    refined: Plane,
    difference: Plane,
) -> int:
    predicted = references.predict(Bounds(*limits.tolist()[1:]))
    total = _quantise(samples, predicted, absent, int(limits[0]), quantised)
    _reconstruct(predicted, references.band_base, quantised, limits, refined, difference)
    return total


@compiled(
    "bf_refinement_decode(references: bf_refinement_references, quantised: int32[pixels], pixels: int64,"
    " limits: int64[3], refined: out(int32[pixels]), difference: out(int32[pixels]))"
)
def _decode(
    references: ReferencePlanes,
    quantised: Plane,
    limits: NDArray[np.int64],
    refined: Plane,
    difference: Plane,
) -> None:
    predicted = references.predict(Bounds(*limits.tolist()[1:]))
    _reconstruct(predicted, references.band_base, quantised, limits, refined, difference)


def _reconstruct(
    predicted: Plane,
    base: Plane,
    quantised: Plane,
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
