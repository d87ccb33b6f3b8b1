"""Blocks of 64 coefficients that show one place: from subbands and back (section 4.1 of CCSDS 122.0-B-2).

The columns of a block are its DC coefficient, three parents, three groups of four children and three
groups of sixteen grandchildren, in the order in which they are coded; a family is a parent with its
children and grandchildren, all of one direction.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .wavelet import BLOCK, LEVELS

FAMILIES = 3

PARENTS = slice(1, 4)
CHILDREN = slice(4, 16)
GRANDCHILDREN = slice(16, 64)
"""Columns of a block: one for each family, then four, then sixteen, whose fours descend from one child."""

SHIFTS = (3, 3, 3, 2, 2, 2, 1, 1, 1, 0)
"""Powers of two that weight the subbands of the transform of integers: LL3, HL3, LH3, HH3, HL2, ..., HH1."""

_CORNERS = ((0, 1), (1, 0), (1, 1))
"""Where the subbands of the families lie at each level: HL, LH, HH, by rows and columns of halves."""


def to_blocks(coefficients: NDArray[np.int64]) -> NDArray[np.int64]:
    """Gather the coefficients of each block.

    Parameters
    ----------
    coefficients : ndarray of int64, shape (lines, samples)
        From `bandfold.benchmarks.ccsds122.wavelet.forward`.

    Returns
    -------
    ndarray of int64, shape (blocks, 64)
        Blocks line by line.
    """
    places = _places(coefficients.shape)
    return coefficients.reshape(-1)[places]


def from_blocks(blocks: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Put the coefficients of blocks back into their subbands.

    Parameters
    ----------
    blocks : ndarray, shape (blocks, 64)
        As from `to_blocks`.
    shape : (int, int)
        Lines and samples, multiples of 8.

    Returns
    -------
    ndarray, shape (lines, samples)
        Coefficients.
    """
    plane = np.empty(shape, blocks.dtype)
    plane.reshape(-1)[_places(shape)] = blocks
    return plane


def column_shifts(shifts: tuple[int, ...]) -> NDArray[np.int64]:
    """Find the weight of each column of a block.

    Parameters
    ----------
    shifts : tuple of 10 int
        As `SHIFTS`.

    Returns
    -------
    ndarray of int64, shape (64,)
        Powers of two.
    """
    parents, children, grandchildren = shifts[1:4], shifts[4:7], shifts[7:10]
    return np.array([shifts[0], *parents, *np.repeat(children, 4), *np.repeat(grandchildren, 16)])


def _places(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Flat index of each coefficient of each block."""
    lines, samples = shape
    rows, columns = np.indices((lines // BLOCK, samples // BLOCK)).reshape(2, -1)
    found = [rows * samples + columns]
    for generation in range(LEVELS):
        side = 1 << generation
        # Fours that share a parent come together.
        inner = _z_order(generation)
        for down, right in _CORNERS:
            top = down * (lines * side // BLOCK) + rows * side
            left = right * (samples * side // BLOCK) + columns * side
            found += [(top + row) * samples + left + column for row, column in inner]
    return np.stack(found, axis=1)


def _z_order(generation: int) -> list[tuple[int, int]]:
    """Rows and columns of a square of 1, 2 or 4 a side, the four of each quarter together."""
    places = [(0, 0)]
    for _ in range(generation):
        places = [
            (2 * row + down, 2 * column + right)
            for row, column in places
            for down in (0, 1)
            for right in (0, 1)
        ]
    return places
