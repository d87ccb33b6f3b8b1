"""Which values a band uses, where these are so few that counting them alone pays.

Products that were calibrated by a factor use a part of the values of their type, evenly spread or not. A
table of them costs some bits for each value, and takes the logarithm of their rarity off each sample.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import compiled

from .band_prediction import Bounds
from .quantisation import AxisSteps
from .side_information import values_bits
from .value_axis import used_axis

_LONGEST_FLAGS = 1 << 20
_SAMPLES_PER_VALUE = 4
_DENSEST = 0.85
_LONGEST_GAP = 1 << 30
_EVERY = 7
_SHARE = 8


def used_values(samples: NDArray[np.int32], bounds: Bounds) -> NDArray[np.int32] | None:
    """All values of a band, if they are few.

    Parameters
    ----------
    samples : ndarray of int32, shape (n,)
        Samples that are present.
    bounds : Bounds
        Range of the samples.

    Returns
    -------
    ndarray of int32, shape (values,), or None
        Rising.
    """
    if samples.size == 0:
        return None
    low, high = bounds.lowest, bounds.highest
    if high - low >= _LONGEST_FLAGS:
        low, high = int(samples.min()), int(samples.max())
    if high - low < _LONGEST_FLAGS:
        flags = np.zeros(high - low + 2, dtype=np.uint8)
        dense = _flag(samples, low, _EVERY, int(_DENSEST * samples.size) // _EVERY, flags)
        if dense < 0:
            # Beyond the range that they should have.
            return used_values(samples, Bounds(int(samples.min()), int(samples.max())))
        if dense:
            return None
        values = np.flatnonzero(flags) + low
    else:
        values = np.unique(samples).astype(np.int64)
    if len(values) * _SAMPLES_PER_VALUE > samples.size or np.diff(values).max(initial=1) > _LONGEST_GAP:
        return None
    return values.astype(np.int32)


@compiled(
    "bf_refinement_used(samples: int32[count], count: int64, lowest: int32, every: int32, most: int64,"
    " flags: out(uint8[size]), size: int64) -> int32"
)
def _flag(samples: NDArray[np.int32], lowest: int, every: int, most: int, flags: NDArray[np.uint8]) -> int:
    """Flag used values from the lowest one on, unless they are found to be dense.

    Dense they are where more than `most` of every so many-th sample have a neighbour above that is used. A
    part of the samples tells that mostly. Returns whether they are, or -1 where samples have no flag.
    """
    places = samples.astype(np.int64) - lowest
    if places.min(initial=0) < 0 or places.max(initial=0) + 1 >= len(flags):
        return -1
    part = len(places) // _SHARE
    for some in (slice(0, part), slice(part, None)):
        flags[places[some]] = 1
        if np.count_nonzero(flags[places[::every] + 1]) > most:
            return 1
    return 0


def counted_in_used_values(
    values: NDArray[np.int32], samples: NDArray[np.int32], predicted: NDArray[np.int32], total: int
) -> bool:
    """Whether it pays to count steps from one used value to the next.

    Parameters
    ----------
    values : ndarray of int32, shape (values,)
        From `used_values`.
    samples, predicted : ndarray of int32, shape (n,)
        Samples that are present, and their predictions.
    total : int
        Counts between them, summed.

    Returns
    -------
    bool
    """
    ends = Bounds(int(values[0]), int(values[-1]))
    axis = used_axis(values, ends.lowest, ends.highest)
    few, seen = samples[::_EVERY], predicted[::_EVERY]
    less = AxisSteps(axis, ends).count(few, seen, None)[1]
    saved = _bits(total, samples.size) - _bits(less, few.size) * samples.size / few.size
    return saved > values_bits(values)


def _bits(total: int, count: int) -> float:
    """Bits of so many numbers of this sum, if they are distributed geometrically."""
    mean = total / count
    fall = mean / (1.0 + mean)
    rare = mean * math.log2(1.0 / fall) if mean else 0.0
    return count * (rare + math.log2(1.0 + mean) + min(mean, 1.0))
