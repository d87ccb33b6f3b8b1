"""Rotations of the first components of blocks, there and back, as compiled kernels multiply by them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors

FILLED = 16
"""Components are filled with zeros to a multiple of this."""


class BlockTurns:
    """The rotation matrices that blocks choose from.

    Parameters
    ----------
    rotations : tuple of Vectors
        Of one size.

    Attributes
    ----------
    forth, back : ndarray of float32, shape (kinds, size, width)
        What components, as rows, are multiplied by, from planes to latents and back. Rows are filled with
        zeros.
    """

    def __init__(self, rotations: tuple[Vectors, ...]) -> None:
        self.forth = _filled([matrix.integers / BASIS_UNIT for matrix in rotations])
        self.back = _filled([np.linalg.inv(matrix.integers / BASIS_UNIT) for matrix in rotations])


def _filled(matrices: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
    size = len(matrices[0]) if matrices else 0
    found = np.zeros((len(matrices), size, -(-size // FILLED) * FILLED), dtype=np.float32)
    for to, matrix in zip(found, matrices, strict=True):
        to[:, :size] = matrix
    return found
