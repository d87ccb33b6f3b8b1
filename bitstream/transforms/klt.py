"""The fold: a KLT of each spectral interval, and a second KLT that merges the strongest components of all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .vectors import Taken, Vectors

if TYPE_CHECKING:
    from .band_order import Hierarchy
    from .selection import Selection

FRACTION = 64.0
"""Band means, components and latents are integers in units of ``1 / FRACTION`` of a count."""

MERGE_LIMIT = 64
"""Components that the second fold takes at most."""


@dataclass(frozen=True)
class Fold:
    """How bands become components: a KLT of each interval, and one of the strongest components of all.

    Parameters
    ----------
    ends : tuple of int
        End of each interval, exclusive.
    means : ndarray of int64, shape (bands,)
        Band means in units of ``1 / FRACTION`` of a count, multiples of ``2**mean_shift``.
    mean_shift : int
        How coarsely the means are told.
    first : tuple of Vectors
        One per interval, in falling order of variance. Empty without a spectral transform: then each band
        is a component of its own.
    merged : tuple of int
        How many of the first components of each interval go through the second fold.
    second : Vectors or None
        Columns over the merged components, interval by interval.
    selection : Selection or None
        What of a package it is, if its vectors come from one.
    engines : tuple of int
        With a model, which of its engines codes each interval; else empty.
    prediction : Hierarchy or None
        In which order bands are coded that are predicted from bands.
    weights : ndarray of int64, shape (bands,), or None
        Codes of the weights of the bands, see `bandfold.bitstream.transforms.coding_weights`, which the
        vectors in `first` have too. None where all weigh the same.
    """

    ends: tuple[int, ...]
    means: NDArray[np.int64]
    mean_shift: int = 0
    first: tuple[Vectors, ...] = ()
    merged: tuple[int, ...] = ()
    second: Vectors | None = None
    selection: Selection | None = None
    engines: tuple[int, ...] = ()
    prediction: Hierarchy | None = None
    weights: NDArray[np.int64] | None = None

    @property
    def bands(self) -> int:
        """Number of bands."""
        return len(self.means)

    @property
    def spectral(self) -> bool:
        """Whether there is a spectral transform at all."""
        return self.second is not None

    @property
    def weighted(self) -> bool:
        """Whether it tells weights of bands, or steps of predicted bands."""
        return self.weights is not None or (self.prediction is not None and bool(self.prediction.steps))

    @property
    def starts(self) -> tuple[int, ...]:
        """First band of each interval."""
        return (0, *self.ends[:-1])

    @cached_property
    def split(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Positions of the merged and of the other components in the output of the first fold.

        The others follow in falling order of precision, which is their order of variance.
        """
        inside: list[int] = []
        outside: list[int] = []
        precision: list[int] = []
        position = 0
        for vectors, merged in zip(self.first, self.merged, strict=True):
            inside.extend(range(position, position + merged))
            outside.extend(range(position + merged, position + vectors.count))
            precision.extend(vectors.precision[merged:].tolist())
            position += vectors.count
        order = np.argsort(-np.array(precision, dtype=np.int64), kind="stable")
        return np.array(inside, dtype=np.intp), np.array(outside, dtype=np.intp)[order]

    @cached_property
    def components(self) -> int:
        """Number of components that are coded."""
        if self.second is None:
            return self.bands
        return self.second.count + len(self.split[1])

    def leading(self, count: int) -> Fold:
        """A fold that has the first components of this one alone, the same to the bit, and takes less time.

        Parameters
        ----------
        count : int
            How many are wanted.

        Returns
        -------
        Fold
            Of so many components, or of all where the second fold has fewer.
        """
        if self.second is None or self.second.count < count:
            return self
        merged = tuple(_first_columns(one, taken) for one, taken in zip(self.first, self.merged, strict=True))
        return replace(self, first=merged, second=_first_columns(self.second, count))


def _first_columns(vectors: Vectors, count: int) -> Vectors:
    """The first columns of a basis."""
    codes, precision = vectors.codes[:, :count], vectors.precision[:count]
    return Taken(codes, precision, vectors.orthonormal, tuple(range(count)), weights=vectors.weights)


def selected_fold(selection: Selection, means: NDArray[np.int64], mean_shift: int) -> Fold:
    """The fold of a scene that takes its vectors from the package of its sensor.

    Parameters
    ----------
    selection : Selection
        What it takes.
    means : ndarray of int64, shape (bands,)
        Band means of the scene, as in `Fold`.
    mean_shift : int
        How coarsely the means are told, as in `Fold`.

    Returns
    -------
    Fold
    """
    sensor = selection.sensor
    first = []
    for vectors, rows, others in zip(sensor.first, selection.rows, selection.others, strict=True):
        taken = (*range(rows), *others)
        codes, precision = vectors.codes[:, list(taken)], vectors.precision[list(taken)]
        first.append(Taken(codes, precision, vectors.orthonormal, taken))
    second = selection.second_fold()
    return Fold(sensor.ends, means, mean_shift, tuple(first), selection.rows, second, selection=selection)
