"""How the quantised latents of a segment are coded: component by component, diagonal by diagonal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .contexts import DIAGONAL_SLICES, DIAGONALS, Past, Surroundings
from .errors import StreamError
from .geometry import CHANNELS
from .payload import SIDE_UNIT, PayloadReader, PayloadWriter
from .tables import Mode, Tables

EXTENT_MEAN = SIDE_UNIT
"""Expected change of the number of coded diagonals from one component to the next."""


def classify(quantised: NDArray[np.integer], mode: Mode, past: Past) -> tuple[NDArray[np.uint8], Past]:
    """Class of every latent of a run of components, given all the others.

    Parameters
    ----------
    quantised : ndarray, shape (64, components, rows, columns)
        At least one component.
    mode : Mode
    past : Past
        The two components before the first of these.

    Returns
    -------
    classes : ndarray of uint8, same shape
    past : Past
        These components.
    """
    count = quantised.shape[1]
    now = Surroundings(*quantised.shape[1:])
    for diagonal in range(DIAGONALS):
        now.learn(diagonal, quantised[DIAGONAL_SLICES[diagonal]])
    learnt = now.past()
    run = past.then(learnt)
    last, before = run.part(1, count + 1), run.part(0, count)
    classes = np.empty(quantised.shape, dtype=np.uint8)
    for diagonal in range(DIAGONALS):
        classes[DIAGONAL_SLICES[diagonal]] = mode.network.classify(diagonal, now, last, before)
    return classes, learnt


def extents(quantised: NDArray[np.integer]) -> NDArray[np.int64]:
    """Number of diagonals to code for each component: the last one that holds anything.

    Parameters
    ----------
    quantised : ndarray, shape (64, components, rows, columns)

    Returns
    -------
    ndarray of int64, shape (components,)
        0 to 15.
    """
    result = np.zeros(quantised.shape[1], dtype=np.int64)
    for diagonal in range(DIAGONALS):
        live = quantised[DIAGONAL_SLICES[diagonal]].any(axis=(0, 2, 3))
        result[live] = diagonal + 1
    return result


def write_latents(
    payload: PayloadWriter, quantised: NDArray[np.int32], classes: NDArray[np.uint8], mode: str
) -> None:
    """Append the latents of a segment to its payload.

    Parameters
    ----------
    payload : PayloadWriter
    quantised : ndarray of int32, shape (64, components, rows, columns)
    classes : ndarray of uint8, same shape
        From `classify`.
    mode : str
        One of `bandfold.bitstream.tables.MODES`.
    """
    coded = extents(quantised)
    payload.integers(np.diff(coded, prepend=DIAGONALS).tolist(), EXTENT_MEAN)
    first = Tables.first_table(mode)
    positions = quantised.shape[2] * quantised.shape[3]
    runs = [(part.stop - part.start) * positions for part in DIAGONAL_SLICES]
    for component, count in enumerate(coded.tolist()):
        if count:
            channels = slice(0, DIAGONAL_SLICES[count - 1].stop)
            values = quantised[channels, component].ravel().astype(np.int64)
            tables = classes[channels, component].ravel().astype(np.int16)
            tables += first
            payload.values(values, tables, runs[:count])


def read_latents(
    payload: PayloadReader, shape: tuple[int, int, int], tables: Tables, mode: str
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Read what `write_latents` wrote.

    Parameters
    ----------
    payload : PayloadReader
    shape : tuple of int
        Components, rows and columns.
    tables : Tables
    mode : str

    Returns
    -------
    quantised : ndarray of int32, shape (64, components, rows, columns)
    classes : ndarray of uint8, same shape

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    components, rows, columns = shape
    changes = payload.integers(components, EXTENT_MEAN)
    coded = DIAGONALS + np.cumsum(np.array(changes, dtype=np.int64))
    if components and (coded.min() < 0 or coded.max() > DIAGONALS):
        raise StreamError("a component has more diagonals than there are: the segment is corrupt")
    network, first = tables.modes[mode].network, Tables.first_table(mode)
    quantised = np.zeros((CHANNELS, components, rows, columns), dtype=np.int32)
    classes = np.zeros(quantised.shape, dtype=np.uint8)
    last = before = Past.empty(1, rows, columns)
    for component, count in enumerate(coded.tolist()):
        now = Surroundings(1, rows, columns)
        for diagonal in range(DIAGONALS):
            channels = DIAGONAL_SLICES[diagonal]
            if diagonal < count:
                found = network.classify(diagonal, now, last, before)
                values = payload.values(found.ravel().astype(np.int16) + first)
                if np.abs(values).max(initial=0) > np.iinfo(np.int32).max:
                    raise StreamError("a latent is out of range: the segment is corrupt")
                quantised[channels, component] = values.reshape(found.shape)[:, 0]
                classes[channels, component] = found[:, 0]
            now.learn(diagonal, quantised[channels, component : component + 1])
        last, before = now.past(), last
    return quantised, classes
