"""Scales of magnitudes: logarithms in eighths of an octave, and what follows from them, in exact integers.

The encoder tells the mean magnitude of each band. Magnitudes around a sample, in units of that mean, then say
by what the magnitude expected of the sample differs from it. Their product is the expected magnitude, and
every quarter of an octave of it is a class of its own.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

OCTAVE = 8
"""Steps of a scale in an octave."""

UNIT_SCALE = 12 * OCTAVE
"""Scale of a mean magnitude of 1."""

LARGEST_SCALE = UNIT_SCALE + 33 * OCTAVE
"""Scale of the largest difference of two 32-bit integers."""

TABLE_OCTAVES = 7
"""Where the mean exceeds so many octaves low bits of magnitudes are written raw: the rest does not."""

CLASSES = 80
"""Classes of samples by their expected magnitude."""

FIRST_CLASS = 2 * OCTAVE
"""Scale of the first class: two scales a class."""

WEIGHT_GROUPS = 10
"""Groups of scales, two octaves each, which have weights of their own."""

MEAN = 16
"""Normalised magnitude of a sample that is as large as the mean of its band."""

LARGEST = 255
"""Normalised magnitudes are cut here."""

UNIT_RATIO = 256
"""Ratio of expected and mean magnitude that stands for 1."""

RATIOS = 4096
"""Ratios are cut below this."""

_INVERSE_BITS = 16
_LARGEST_INVERSE = 1 << 24


def _logarithms() -> NDArray[np.int32]:
    """``floor(8 log2(ratio / UNIT_RATIO))``, by integers; that of 0 is that of 1."""
    values = [(max(ratio, 1) ** OCTAVE).bit_length() - 1 - OCTAVE * 8 for ratio in range(RATIOS)]
    return np.array(values, dtype=np.int32)


LOGARITHMS = _logarithms()
"""Logarithm of each ratio, in scales."""
LOGARITHMS.flags.writeable = False


@cache
def inverse_scales() -> NDArray[np.int32]:
    """``2**20`` over the mean of each scale: what a magnitude is multiplied with to be normalised.

    Returns
    -------
    ndarray of int32, shape (scales,)
        Rounded down, 2**24 at most, for all scales up to that of 2**`TABLE_OCTAVES`.
    """
    exponent = OCTAVE * (_INVERSE_BITS + 4) + UNIT_SCALE
    values = []
    for scale in range(UNIT_SCALE + TABLE_OCTAVES * OCTAVE):
        # The eighth root, rounded down: three square roots.
        root = math.isqrt(math.isqrt(math.isqrt(1 << (exponent - scale))))
        values.append(min(root, _LARGEST_INVERSE))
    return np.array(values, dtype=np.int32)


def scale_of(total: int, count: int) -> int:
    """Scale of a mean magnitude.

    Parameters
    ----------
    total : int
        Sum of magnitudes, positive.
    count : int
        How many.

    Returns
    -------
    int
        0 to `LARGEST_SCALE`: ``floor(8 log2(total / count) + 1/2)`` above the smallest one.
    """
    # 2**(scale / 8) <= mean * 2**(1/16), to the power of 16, by integers.
    power = (total << 12) ** 16 * 2 // max(count, 1) ** 16
    return min(max((power.bit_length() - 1) // 2, 0), LARGEST_SCALE)


def raw_bits(scale: int) -> int:
    """Low bits of each magnitude that are written raw in a band of this scale."""
    return max((scale - UNIT_SCALE) // OCTAVE - TABLE_OCTAVES + 1, 0)


def weight_group(scale: int) -> int:
    """Group of weights for a scale that is left once raw bits are taken off."""
    return min(scale // (2 * OCTAVE), WEIGHT_GROUPS - 1)


def class_of(scale: int) -> int:
    """Class of samples that are expected to be as large as the mean of this scale."""
    return min(max((scale - FIRST_CLASS) >> 1, 0), CLASSES - 1)
