"""How many bits coefficients have, and how many of them the first part of a segment codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bit_lengths(magnitudes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find how many bits numbers have.

    Parameters
    ----------
    magnitudes : ndarray of int64
        Not negative, below 2^53.

    Returns
    -------
    ndarray of int64
        0 for 0, of the same shape.
    """
    # The exponent of a float64 of such a number is exact.
    return np.frexp(magnitudes.astype(np.float64))[1].astype(np.int64)


def dc_depth(values: NDArray[np.int64]) -> int:
    """Find how many bits hold DC coefficients in two's complement.

    Parameters
    ----------
    values : ndarray of int64, shape (blocks,)
        At least one.

    Returns
    -------
    int
        At least 1.
    """
    return 1 + int(bit_lengths(np.where(values < 0, -values - 1, values)).max())


def dc_quantiser(dc: int, ac: int, shift: int) -> int:
    """Find how many bits of DC coefficients are left to the bit planes.

    Parameters
    ----------
    dc, ac : int
        Bits of DC coefficients, and of the magnitudes of the others.
    shift : int
        Lower bits of DC coefficients that are 0 by their weight.

    Returns
    -------
    int
        Bits (table 4-8).
    """
    half = 1 + ac // 2
    if dc <= 3:
        found = 0
    elif dc - half <= 1:
        found = dc - 3
    elif dc - half > 10:
        found = dc - 10
    else:
        found = half
    return max(found, shift)
