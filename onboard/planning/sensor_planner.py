"""Plans from the fold of a sensor: which of its components a scene takes, and how it turns them.

The components of a sensor are nearly uncorrelated in a scene that the package has not seen, but not quite.
A matrix of the scene's own turns the strongest of them into what the scene would have chosen itself. Its
entries are told in units that weigh as much as the noise of what they mix: most of them are small, and
the matrix takes a third to two thirds of what the scene's own vectors would.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.payloads.selection_code import LARGEST_TURN_SHIFT
from bandfold.bitstream.transforms.klt import Fold, selected_fold
from bandfold.bitstream.transforms.selection import Selection, Turn
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.common import exact
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER, turn_bits
from bandfold.onboard.vector_quantisation import FINEST

from .block_sample import BlockSample
from .component_latents import fold_gains
from .fold_planner import FIRST_THRESHOLD, SECOND_THRESHOLD, FoldPlanner

LEAST_ENERGY = 0.02
"""Merged components are used up to the last one of which so many times ``step**2 / 12`` comes back."""

PLACE_BITS = 1.0
"""Bits of naming a component."""


class SensorPlanner(FoldPlanner):
    """Plans folds of one scene for any step from the fold of its sensor.

    Parameters
    ----------
    sample : BlockSample
        Blocks of the scene.
    sensor : SensorBasis
        For as many bands as the scene has.
    workers : Workers
        As for `FoldPlanner`.
    """

    def __init__(self, sample: BlockSample, sensor: SensorBasis, workers: Workers = ALONE) -> None:
        super().__init__(sample, sensor.ends, workers=workers)
        self._sensor = sensor
        first = self._placed([vectors.orthonormal for vectors in sensor.first])
        across = exact.product(first.T, exact.product(self._covariances, first))
        self._variance = np.diagonal(across)
        merged = self._merged()
        columns = sensor.second.orthonormal
        across = exact.product(columns.T, exact.product(across[np.ix_(merged, merged)], columns))
        # For every step the same: a plan takes what is strong and rounds it.
        self._values, self._vectors = exact.eigh((across + across.T) / 2)

    @property
    def variances(self) -> NDArray[np.float64]:
        """Variances of the components that a fold of everything would have."""
        return np.concatenate([self._values, self._variance[~self._merged()]])

    def side_bits(self, step: float) -> float:
        """Estimate what the turn of a plan costs; see `FoldPlanner.side_bits`."""
        selection = self.plan(step).selection
        turn = selection.second if selection is not None else None
        return math.fsum(turn_bits(turn).tolist()) if isinstance(turn, Turn) else 0.0

    def _plan(self, step: float) -> Fold:
        unit = step * step / 12
        kept = self._values > SECOND_THRESHOLD * unit
        turn = self._turn(kept, step)
        rows, turn = self._useful(turn, self._values[kept], unit)
        strong = self._by_interval(self._variance > FIRST_THRESHOLD * unit)
        others = tuple(
            tuple((merged + np.flatnonzero(flags[merged:])).tolist())
            for flags, merged in zip(strong, self._sensor.merged, strict=True)
        )
        fold = selected_fold(Selection(self._sensor, rows, len(turn.codes), turn, others), *self._means(step))
        few = self._sample.few
        share = self._sample.pixels / (few.shape[1] * few.shape[2])
        gain = fold_gains(fold, few, step, self._workers) * share
        count = turn.codes.shape[1]
        keep = gain[:count] > LAGRANGE_MULTIPLIER * turn_bits(turn) + self._least_gain
        turn = Turn(turn.codes[:, keep], turn.precision[keep], turn.shifts)
        # Components that are not merged come in the order of their precision.
        worth = np.zeros(fold.split[0].size + fold.split[1].size)
        worth[fold.split[1]] = gain[count:]
        others = self._worth(rows, others, worth, LAGRANGE_MULTIPLIER * PLACE_BITS + self._least_gain)
        return selected_fold(Selection(self._sensor, rows, len(turn.codes), turn, others), *self._means(step))

    def _useful(self, turn: Turn, values: NDArray[np.float64], unit: float) -> tuple[tuple[int, ...], Turn]:
        """Leave out merged components of which next to nothing comes back from those of such variances."""
        rows = self._sensor.merged
        matrix = Selection(self._sensor, rows, len(turn.codes), turn, ()).second_fold().orthonormal
        energy = exact.product(matrix * matrix, values[:, None])[:, 0]
        kept, position = [], 0
        for used in rows:
            kept.append(_last(energy[position : position + used] > LEAST_ENERGY * unit))
            position += used
        width = min(_last((turn.codes != 0).any(axis=1)), sum(kept))
        return tuple(kept), Turn(turn.codes[:width, :width], turn.precision[:width], turn.shifts[:width])

    def _merged(self) -> NDArray[np.bool_]:
        """Flag the components of the first fold that the second one takes."""
        return np.concatenate(
            [
                np.arange(vectors.count) < merged
                for vectors, merged in zip(self._sensor.first, self._sensor.merged, strict=True)
            ]
        )

    def _turn(self, kept: NDArray[np.bool_], step: float) -> Turn:
        """Quantise the matrix that turns the columns of the second fold into the scene's own components.

        An error ``e`` in the entry of row ``i`` of a component of variance ``v`` lets ``(e r)**2 v`` of it
        leak into a component of variance ``w`` whose own entry there is ``r``. That costs as much as a rise
        of the noise if ``w`` is below ``step**2``, and less in the proportion of both if it is above. So
        entries are in units of ``1 / sqrt(pixels v a)`` with ``a`` the sum of ``r**2 / max(w, step**2)``.
        That includes stronger components, which take no part (the vector is made orthogonal to theirs), but
        adds little for them.
        """
        square = step * step
        pixels = self._sample.pixels
        values, vectors = self._values[kept], self._vectors[:, kept]
        fine = np.rint(exact.log2(np.maximum(values, square * 1e-3) * (pixels / square)) / 2)
        precision = np.clip(fine, 1, FINEST).astype(np.int64)
        leak = exact.product(
            self._vectors * self._vectors, square / np.maximum(self._values, square)[:, None]
        )
        coarse = np.rint(exact.log2(1.0 / np.maximum(leak[:, 0], 1e-12)) / 2)
        shifts = np.clip(coarse, 0, LARGEST_TURN_SHIFT).astype(np.int64)
        codes = np.rint(np.ldexp(vectors, (precision[None, :] - shifts[:, None]).astype(np.int32)))
        return Turn(codes.astype(np.int64) << shifts[:, None], precision, shifts)

    def _by_interval(self, flags: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
        ends = np.cumsum([vectors.count for vectors in self._sensor.first])
        return np.split(flags, ends[:-1])

    def _worth(
        self,
        rows: tuple[int, ...],
        others: tuple[tuple[int, ...], ...],
        worth: NDArray[np.float64],
        cost: float,
    ) -> tuple[tuple[int, ...], ...]:
        """The components that are not merged and save more than they cost."""
        kept, position = [], 0
        for used, places in zip(rows, others, strict=True):
            saved = worth[position + used : position + used + len(places)]
            kept.append(
                tuple(place for place, gain in zip(places, saved.tolist(), strict=True) if gain > cost)
            )
            position += used + len(places)
        return tuple(kept)


def _last(flags: NDArray[np.bool_]) -> int:
    """Number of entries up to the last one that is set."""
    places = np.flatnonzero(flags)
    return int(places[-1]) + 1 if places.size else 0
