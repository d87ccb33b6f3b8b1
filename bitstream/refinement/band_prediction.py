"""Prediction of a band: its base, and planes that are known, weighted; all in integers.

The planes are what the base lacked in the bands before, and the base of the band, of the one before and of
the one behind: a base that was coded coarsely is smooth along the spectrum, and its bend tells what it lacks.
Planes are cut at `FARTHEST`, so that weighted sums of them stay far below 2**53.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import Structure, compiled, structure

MOST_REFERENCES = 8
"""Bands before that a band is predicted from, at most."""

AROUND = 3
"""Bases that a band may be predicted from: those of the bands before, at and behind it."""

PLANES = MOST_REFERENCES + AROUND
"""Planes that are held."""

WEIGHT_BITS = 18
"""Weights are in units of ``2**-WEIGHT_BITS``."""

OFFSET_BITS = 4
"""Offsets are in units of ``2**-OFFSET_BITS`` of a count."""

LARGEST_WEIGHT = 1 << 22
"""Weights stay below this, in their unit."""

FARTHEST = (1 << 24) - 1
"""Planes are cut here before they are weighted."""


@dataclass(frozen=True)
class BandPrediction:
    """How a band is predicted.

    Parameters
    ----------
    weights : tuple of int
        Of what the base lacked in the bands before, the nearest one first, in units of ``2**-WEIGHT_BITS``.
    around : tuple of int
        Of the bases before, at and behind the band, in the same unit; empty if these are not looked at.
        At the ends of the scene that of a band that does not exist is 0.
    offset : int
        In units of ``2**-OFFSET_BITS`` of a count.
    """

    weights: tuple[int, ...] = ()
    around: tuple[int, ...] = ()
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

    @staticmethod
    def of(dtype: np.dtype[Any]) -> Bounds:
        """Return the range of an integer type of up to 32 bits.

        Parameters
        ----------
        dtype : numpy.dtype
            The type.

        Returns
        -------
        Bounds
        """
        ends = np.iinfo(dtype.name)
        return Bounds(int(ends.min), int(ends.max))

    def magnitude_limit(self, step: int) -> int:
        """Largest number of steps between two samples, up to rounding."""
        return (self.highest - self.lowest + step // 2) // step


@structure(
    "bf_refinement_references(base: out(int32[pixels]), planes: out(int32[11, pixels]),"
    " slots: out(int64[11]), weights: out(int32[11]), pixels: int64, constant: int64, count: int32)"
)
class ReferencePlanes(Structure):
    """The planes that a band is predicted from, which change from band to band.

    Parameters
    ----------
    base : ndarray of integers, shape (bands, pixels)
        Base of the strip, integers of at most 32 bits.
    """

    count: int
    constant: int

    def __init__(self, base: NDArray[np.integer]) -> None:
        super().__init__(
            planes=np.zeros((PLANES, base.shape[1]), dtype=np.int32),
            slots=np.zeros(PLANES, dtype=np.int64),
            weights=np.zeros(PLANES, dtype=np.int32),
            count=0,
            constant=0,
        )
        self._bases = base

    @property
    def band_base(self) -> NDArray[np.int32]:
        """Base of the band that was entered, shape (pixels,)."""
        plane: NDArray[np.int32] = self.arrays["base"]
        return plane

    def plane(self, slot: int) -> NDArray[np.int32]:
        """A plane by its number, shape (pixels,): see `difference` and `around`."""
        plane: NDArray[np.int32] = self.arrays["planes"][slot]
        return plane

    @property
    def constant_and_weights(self) -> tuple[int, list[int], list[int]]:
        """What is added to a weighted sum, the numbers of its planes, and their weights."""
        slots, weights = (self.arrays[name][: self.count].tolist() for name in ("slots", "weights"))
        return self.constant, slots, weights

    def difference(self, band: int) -> int:
        """Number of the plane of what the base lacks in a band."""
        return band % MOST_REFERENCES

    def around(self, band: int) -> int:
        """Number of the plane of the base of a band."""
        return MOST_REFERENCES + band % AROUND

    def enter(self, band: int) -> list[int]:
        """Take in the bases that a band needs and the one before it did not.

        Parameters
        ----------
        band : int
            Bands come one after the other from 0 on.

        Returns
        -------
        list of int
            Numbers of the planes that changed.
        """
        entered = [one for one in ((0, 1) if band == 0 else (band + 1,)) if one < len(self._bases)]
        for one in entered:
            plane, base = self.plane(self.around(one)), self._bases[one]
            if base.dtype.itemsize < plane.dtype.itemsize:
                plane[:] = base
            else:
                np.clip(base, -FARTHEST, FARTHEST, out=plane)
        self.band_base[:] = self._bases[band]
        return [self.around(one) for one in entered]

    def references(self, band: int, count: int) -> list[int]:
        """Numbers of the planes of what the base lacked in so many bands before, the nearest one first."""
        return [self.difference(band - 1 - place) for place in range(count)]

    def neighbours(self, band: int) -> list[int | None]:
        """Numbers of the planes of the bases before, at and behind a band, None where there is none."""
        bands = range(band - 1, band + 2)
        return [self.around(one) if 0 <= one < len(self._bases) else None for one in bands]

    def weigh(self, band: int, prediction: BandPrediction) -> None:
        """Say how a band is predicted.

        Parameters
        ----------
        band : int
            Its number; it was entered, and the bands before it are known.
        prediction : BandPrediction
            Weights for at most `band` references.
        """
        slots, weights = self.references(band, len(prediction.weights)), list(prediction.weights)
        if prediction.around:
            for slot, weight in zip(self.neighbours(band), prediction.around, strict=True):
                if slot is not None:
                    slots.append(slot)
                    weights.append(weight)
        self.count = len(slots)
        self.arrays["slots"][: len(slots)] = slots
        self.arrays["weights"][: len(slots)] = weights
        self.constant = (prediction.offset << (WEIGHT_BITS - OFFSET_BITS)) + (1 << (WEIGHT_BITS - 1))

    def predict(self, bounds: Bounds) -> NDArray[np.int32]:
        """Predict the band that was entered, as `weigh` said.

        Parameters
        ----------
        bounds : Bounds
            Where predictions are cut.

        Returns
        -------
        ndarray of int32, shape (pixels,)
        """
        predicted = np.empty(self.band_base.shape, dtype=np.int32)
        _predict(self, np.array([bounds.lowest, bounds.highest], dtype=np.int64), predicted)
        return predicted


@compiled(
    "bf_refinement_predict(references: bf_refinement_references, limits: int64[2], pixels: int64,"
    " predicted: out(int32[pixels]))"
)
def _predict(references: ReferencePlanes, limits: NDArray[np.int64], predicted: NDArray[np.int32]) -> None:
    constant, slots, weights = references.constant_and_weights
    total = np.full(predicted.shape, constant, dtype=np.int64)
    for slot, weight in zip(slots, weights, strict=True):
        total += weight * references.plane(slot).astype(np.int64)
    predicted[:] = np.clip(references.band_base + (total >> WEIGHT_BITS), *limits.tolist())
