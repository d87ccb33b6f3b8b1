"""How the weights of the blocks of a strip are written: as what changes from block to block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.coding_weights import LARGEST_CODE
from bandfold.common.errors import StreamError

from .payload import SIDE_UNIT, PayloadReader, PayloadWriter

_CHANGE_MEAN = SIDE_UNIT // 4
"""Expected magnitude of changes: most blocks weigh as their neighbour."""


def write_block_weights(payload: PayloadWriter, codes: NDArray[np.uint8]) -> None:
    """Append the weights of blocks: each less that of the block to the left, or above in the first column.

    Parameters
    ----------
    payload : PayloadWriter
        Where they are written.
    codes : ndarray of uint8, shape (rows, columns)
        0 to `LARGEST_CODE`, see `bandfold.bitstream.transforms.coding_weights`.
    """
    changes = codes.astype(np.int64)
    changes[:, 1:] -= codes[:, :-1]
    changes[1:, 0] -= codes[:-1, 0]
    payload.integers(changes.ravel().tolist(), _CHANGE_MEAN)


def read_block_weights(payload: PayloadReader, rows: int, columns: int) -> NDArray[np.uint8]:
    """Read what `write_block_weights` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where they are read.
    rows, columns : int
        Blocks along lines and samples.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)

    Raises
    ------
    StreamError
        If a code is out of range, or the payload is corrupt.
    """
    changes = payload.numbers(rows * columns, _CHANGE_MEAN).reshape(rows, columns)
    # 2**24 blocks of changes below 2**36 could overflow.
    if np.abs(changes).max(initial=0) <= LARGEST_CODE:
        changes[:, 0] = np.cumsum(changes[:, 0])
        codes = np.cumsum(changes, axis=1)
        if codes.min() >= 0 and codes.max() <= LARGEST_CODE:
            return codes.astype(np.uint8)
    raise StreamError("a block has an impossible weight: the segment is corrupt")
