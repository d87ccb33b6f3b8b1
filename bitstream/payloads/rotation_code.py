"""How block rotations are written: a few matrices for the scene and, in every segment, a map of choices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import Vectors
from bandfold.common.errors import StreamError

from .klt_code import read_vectors, write_vectors
from .payload import SIDE_UNIT, PayloadReader, PayloadWriter

LARGEST_COUNT = 64
"""Matrices at most."""

LARGEST_SIZE = 64
"""Components that a matrix rotates at most."""

_COUNT_MEAN = 8 * SIDE_UNIT
_RANK_MEAN = SIDE_UNIT


def write_matrices(payload: PayloadWriter, matrices: tuple[Vectors, ...]) -> None:
    """Append rotation matrices to a payload: at least one, all square and of the same size."""
    payload.integers([len(matrices), matrices[0].count], _COUNT_MEAN, signed=False)
    for matrix in matrices:
        write_vectors(payload, matrix)


def read_matrices(payload: PayloadReader, components: int) -> tuple[Vectors, ...]:
    """Read what `write_matrices` wrote.

    Parameters
    ----------
    payload : PayloadReader
    components : int
        Components of the scene.

    Returns
    -------
    tuple of Vectors

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    count, size = payload.integers(2, _COUNT_MEAN, signed=False)
    if not (1 <= count <= LARGEST_COUNT and 1 <= size <= min(components, LARGEST_SIZE)):
        raise StreamError(f"stream has {count} rotations of {size} components: it is corrupt")
    return tuple(read_vectors(payload, size, size) for _ in range(count))


def write_map(payload: PayloadWriter, chosen: NDArray[np.uint8], count: int) -> None:
    """Append the choices of a segment: each as its rank after the choices to the left and above.

    Parameters
    ----------
    payload : PayloadWriter
    chosen : ndarray of uint8, shape (rows, columns)
    count : int
        Number of matrices.
    """
    choices = chosen.tolist()
    ranks = []
    for row, line in enumerate(choices):
        for column, choice in enumerate(line):
            ranks.append(_candidates(choices, row, column, count).index(choice))
    payload.integers(ranks, _RANK_MEAN, signed=False)


def read_map(payload: PayloadReader, rows: int, columns: int, count: int) -> NDArray[np.uint8]:
    """Read what `write_map` wrote.

    Parameters
    ----------
    payload : PayloadReader
    rows, columns, count : int

    Returns
    -------
    ndarray of uint8, shape (rows, columns)

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    ranks = iter(payload.integers(rows * columns, _RANK_MEAN, signed=False))
    choices: list[list[int]] = []
    for row in range(rows):
        choices.append([])
        for column in range(columns):
            rank = next(ranks)
            if rank >= count:
                raise StreamError("a block chooses a rotation that does not exist: the segment is corrupt")
            choices[row].append(_candidates(choices, row, column, count)[rank])
    return np.array(choices, dtype=np.uint8)


def _candidates(choices: list[list[int]], row: int, column: int, count: int) -> list[int]:
    """All choices, those of the left and the upper neighbour first, then by number."""
    first = []
    if column:
        first.append(choices[row][column - 1])
    if row and choices[row - 1][column] not in first:
        first.append(choices[row - 1][column])
    return first + [choice for choice in range(count) if choice not in first]
