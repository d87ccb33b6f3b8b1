"""Absent samples: where they are, so that they come back exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import StreamError

from .payload import SIDE_UNIT, PayloadReader, PayloadWriter

_RUN_MEAN = 1024 * SIDE_UNIT
_COUNT_MEAN = SIDE_UNIT


def write_mask(payload: PayloadWriter, mask: NDArray[np.bool_]) -> None:
    """Append a mask as runs of present and absent samples.

    Parameters
    ----------
    payload : PayloadWriter
        Where the mask is written or read.
    mask : ndarray of bool, shape (bands, lines, samples)
        True where data are absent. Runs go pixel by pixel, all bands of one before the next, because absent
        data are mostly whole pixels.
    """
    flat = mask.transpose(1, 2, 0).ravel()
    edges = np.flatnonzero(np.diff(flat.astype(np.int8), prepend=0))
    payload.integers([len(edges)], _COUNT_MEAN, signed=False)
    payload.integers(np.diff(edges, prepend=0).tolist(), _RUN_MEAN, signed=False)


def read_mask(payload: PayloadReader, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Read what `write_mask` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where the mask is written or read.
    shape : tuple of int
        Bands, lines and samples.

    Returns
    -------
    ndarray of bool, shape (bands, lines, samples)
        Read-only: all bands may share their memory.

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    bands, lines, samples = shape
    size = bands * lines * samples
    count = payload.integers(1, _COUNT_MEAN, signed=False)[0]
    if count > size:
        raise StreamError("there are more runs of absent data than samples: the segment is corrupt")
    runs = payload.numbers(count, _RUN_MEAN, signed=False)
    if count > 1 and runs[1:].min() < 1:
        raise StreamError("a run of absent data is empty: the segment is corrupt")
    # Each by itself first: their sum may overflow.
    if runs.max(initial=0) >= size or int(runs.sum()) >= size:
        raise StreamError("a run of absent data leads past the end: the segment is corrupt")
    # Absent data are mostly whole pixels: then one number stands for all bands of one.
    depth = bands if not (np.cumsum(runs) % bands).any() else 1
    lengths = np.diff(np.cumsum(runs) // depth, prepend=0, append=size // depth)
    mask = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(lines, samples, bands // depth)
    return np.broadcast_to(mask.transpose(2, 0, 1), shape)
