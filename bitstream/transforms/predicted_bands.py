"""The reconstructed bands of a strip, one after the other in the order of coding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import BLOCK
from bandfold.common.strip_memory import StripMemory

from .band_order import Hierarchy, OrderedBand
from .band_prediction import SAMPLE_UNIT, Prediction, predict
from .klt import FRACTION, Fold
from .lapped_synthesis import reconstruct

_MEAN_UNITS = round(FRACTION / SAMPLE_UNIT)
"""Units of the band means of a fold in a unit of reconstructed samples."""


class PredictedBands:
    """Bands of a strip, as encoder and decoder both know them.

    Parameters
    ----------
    fold : Fold
        Band means, intervals and their engines, order of coding.
    kernels : ndarray of int32, shape (engines, 64, 24, 24)
        Basis functions.
    points : ndarray of int32, shape (classes, 3)
        Reconstruction points; see `bandfold.bitstream.transforms.lapped_synthesis`.
    step_code : int
        Step of the strip, in units of 1/256 of a count.
    positions : tuple of int
        Rows and columns of blocks.
    forget : bool
        Whether bands are forgotten when no other band is predicted from them any more: half the memory.
    memory : StripMemory, optional
        Arrays of an earlier strip, which are not looked at any more.

    Attributes
    ----------
    order : tuple of OrderedBand
        Bands in the order of coding.
    means : ndarray of int32, shape (bands,)
        Band means, in units of ``1 / SAMPLE_UNIT`` of a count.
    points : ndarray of int32, shape (classes, 3)
        As given.
    sums : ndarray of float64, shape (8 * rows + 16, 8 * columns + 16)
        Memory that reconstruction works in.
    """

    def __init__(
        self,
        fold: Fold,
        kernels: NDArray[np.int32],
        points: NDArray[np.int32],
        step_code: int,
        positions: tuple[int, ...],
        *,
        forget: bool = False,
        memory: StripMemory | None = None,
    ) -> None:
        rows, columns = positions
        self._hierarchy = fold.prediction or Hierarchy()
        self.order = self._hierarchy.bands(fold.bands)
        self.points = points
        self._kernels, self._step_code = kernels, step_code
        self._extent = rows * BLOCK, columns * BLOCK
        self.sums = np.empty(((rows + 2) * BLOCK, (columns + 2) * BLOCK))
        self._slots = slots_of(self.order) if forget else tuple(range(fold.bands))
        taken = memory or StripMemory()
        shape = max(self._slots) + 1, rows * columns * BLOCK * BLOCK
        self._planes: NDArray[np.int32] = taken.array("planes", shape, np.int32)
        self._engine_of = np.repeat(fold.engines, np.diff(fold.ends, prepend=0)).tolist()
        means = (fold.means + _MEAN_UNITS // 2) // _MEAN_UNITS
        self.means: NDArray[np.int32] = np.clip(means, -(1 << 24), 1 << 24).astype(np.int32)

    def engine(self, one: OrderedBand) -> int:
        """Engine of a band."""
        return int(self._engine_of[one.band])

    def step_code(self, one: OrderedBand) -> int:
        """Step of a band, in units of 1/256 of a count."""
        return self._hierarchy.step(self._step_code, one)

    def known(self) -> NDArray[np.int32]:
        """All planes that are held, shape (planes, pixels)."""
        return self._planes

    def place(self, one: OrderedBand) -> int:
        """Number of the plane of a band."""
        return self._slots[one.band]

    def plane(self, one: OrderedBand) -> NDArray[np.int32]:
        """The plane of a band, shape (8 * rows, 8 * columns), in units of ``1 / SAMPLE_UNIT`` of a count."""
        plane: NDArray[np.int32] = self._planes[self._slots[one.band]].reshape(self._extent)
        return plane

    def references(self, one: OrderedBand) -> tuple[int, ...]:
        """Numbers of the planes that a band may be predicted from."""
        return tuple(self._slots[band] for band in one.references)

    def planes(self, bands: slice) -> NDArray[np.int32]:
        """Some bands, which are reconstructed and not forgotten.

        Parameters
        ----------
        bands : slice
            With explicit bounds and no step.

        Returns
        -------
        ndarray of int32, shape (bands, 8 * rows, 8 * columns)
            In units of ``1 / SAMPLE_UNIT`` of a count.
        """
        return self._planes[bands].reshape(-1, *self._extent)

    def predict(self, one: OrderedBand, prediction: Prediction) -> NDArray[np.int32]:
        """Predict a band.

        Parameters
        ----------
        one : OrderedBand
            Whose references are reconstructed.
        prediction : Prediction
            Weights and offset.

        Returns
        -------
        ndarray of int32, shape (8 * rows, 8 * columns)
            In units of ``1 / SAMPLE_UNIT`` of a count.
        """
        base = int(self.means[one.band]) + (prediction.offset * self.step_code(one) >> 5)
        base = min(max(base, -(1 << 24)), 1 << 24)
        means = self.means[list(one.references)]
        found = predict(self._planes, self.references(one), prediction, means, base)
        return found.reshape(self._extent)

    def reconstruct(
        self,
        one: OrderedBand,
        prediction: Prediction,
        levels: NDArray[np.int32],
        classes: NDArray[np.uint8],
    ) -> None:
        """Reconstruct a band.

        Parameters
        ----------
        one : OrderedBand
            Whose references are reconstructed.
        prediction : Prediction
            Weights and offset.
        levels : ndarray of int32, shape (64, rows, columns)
            What was left of it.
        classes : ndarray of uint8, same shape
            Contexts of the levels.
        """
        self.add(one, self.predict(one, prediction), levels, classes)

    def add(
        self,
        one: OrderedBand,
        predicted: NDArray[np.int32],
        levels: NDArray[np.int32],
        classes: NDArray[np.uint8],
    ) -> NDArray[np.int32]:
        """Add what was left of a band to what was predicted, and keep it; see `reconstruct`."""
        kernels = self._kernels[self.engine(one)]
        plane = self.plane(one)
        code = self.step_code(one)
        reconstruct(predicted, levels, classes, self.points, kernels, code, self.sums, plane)
        return plane


@cache
def slots_of(order: tuple[OrderedBand, ...]) -> tuple[int, ...]:
    """Where bands are kept, so that each place is taken again when its band is not needed any more.

    Parameters
    ----------
    order : tuple of OrderedBand
        Bands in the order of coding.

    Returns
    -------
    tuple of int
        Place of each band, by its number.
    """
    last = {one.band: number for number, one in enumerate(order)}
    for number, one in enumerate(order):
        last.update(dict.fromkeys(one.references, number))
    ends: dict[int, list[int]] = {}
    for band, number in last.items():
        ends.setdefault(number, []).append(band)
    slots, free, count = [0] * len(order), list[int](), 0
    for number, one in enumerate(order):
        if not free:
            free.append(count)
            count += 1
        slots[one.band] = free.pop()
        free += [slots[band] for band in ends.get(number, ())]
    return tuple(slots)


def needed_bands(order: Sequence[OrderedBand], bands: slice) -> set[int]:
    """Bands that must be reconstructed for some of them.

    Parameters
    ----------
    order : sequence of OrderedBand
        Bands in the order of coding.
    bands : slice
        Bands wanted.

    Returns
    -------
    set of int
        They and all that they are predicted from, directly or not.
    """
    needed = set(range(bands.start, bands.stop))
    for one in reversed(order):
        if one.band in needed:
            needed.update(one.references)
    return needed
