"""How a selection is written: no vectors, but numbers of components, and at most one small matrix."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np

from bandfold.bitstream.transforms.klt import Fold, selected_fold
from bandfold.bitstream.transforms.selection import Selection, Turn
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.common.errors import StreamError

from .klt_code import COUNT_MEAN, LARGEST_SHIFT, MEAN_MEAN, checked_means
from .payload import SIDE_UNIT, PayloadReader, PayloadWriter
from .vector_code import CHANGE_MEAN, LARGEST_ENTRY, read_precisions, write_precisions

ENTRY_MEAN = SIDE_UNIT // 2
"""Most entries of a turn are zero."""

LARGEST_TURN_SHIFT = 20
"""Entries of a row are multiples of at most two to this power."""


def write_selected_fold(payload: PayloadWriter, fold: Fold, selection: Selection) -> None:
    """Append a fold whose vectors come from a package.

    Parameters
    ----------
    payload : PayloadWriter
        Where the selection is written or read.
    fold : Fold
        Whose vectors come from the package of a sensor.
    selection : Selection
        That of the fold.
    """
    payload.integers([fold.mean_shift], COUNT_MEAN, signed=False)
    usual = selection.sensor.means >> fold.mean_shift
    payload.integers(np.diff((fold.means >> fold.mean_shift) - usual, prepend=0).tolist(), MEAN_MEAN)
    payload.integers(selection.rows, COUNT_MEAN, signed=False)
    turn = selection.second if isinstance(selection.second, Turn) else None
    count = turn.codes.shape[1] if turn else len(selection.second)  # type: ignore[arg-type]
    payload.integers([selection.width, count], COUNT_MEAN, signed=False)
    payload.integers([int(turn is not None)], SIDE_UNIT, signed=False)
    if turn is not None:
        payload.integers(np.diff(turn.shifts, prepend=0).tolist(), CHANGE_MEAN)
        write_precisions(payload, turn.precision)
        for column in (turn.codes >> turn.shifts[:, None]).T:
            payload.integers(column.tolist(), ENTRY_MEAN)
    elif isinstance(selection.second, tuple):
        _write_places(payload, selection.second, 0)
    payload.integers([len(others) for others in selection.others], COUNT_MEAN, signed=False)
    for rows, others in zip(selection.rows, selection.others, strict=True):
        _write_places(payload, others, rows)


def read_selected_fold(payload: PayloadReader, bands: int, sensor: SensorBasis) -> Fold:
    """Read what `write_selected_fold` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where the selection is written or read.
    bands : int
        Bands of the scene.
    sensor : SensorBasis
        Of the package that the stream names.

    Returns
    -------
    Fold

    Raises
    ------
    StreamError
        If the payload is corrupt, or the package is for another number of bands.
    """
    if bands != sensor.bands:
        raise StreamError(
            f"stream has {bands} bands and names package {sensor.name!r}, which is for {sensor.bands}: "
            "it is corrupt"
        )
    mean_shift = payload.integers(1, COUNT_MEAN, signed=False)[0]
    if mean_shift > LARGEST_SHIFT:
        raise StreamError(f"band means are shifted by {mean_shift} bits: the stream is corrupt")
    changes = np.array(payload.integers(bands, MEAN_MEAN), dtype=np.int64)
    means = checked_means(np.cumsum(changes) + (sensor.means >> mean_shift), mean_shift)
    rows = payload.integers(len(sensor.ends), COUNT_MEAN, signed=False)
    if any(used > merged for used, merged in zip(rows, sensor.merged, strict=True)):
        raise StreamError("more components are merged than the package has: the stream is corrupt")
    width, count = payload.integers(2, COUNT_MEAN, signed=False)
    if not count <= width <= min(sum(rows), sensor.second.count):
        raise StreamError(f"{count} of {width} merged components are taken: the stream is corrupt")
    turned = payload.integers(1, SIDE_UNIT, signed=False)[0]
    if turned > 1:
        raise StreamError("components are turned in an unknown way: the stream is corrupt")
    second = _read_turn(payload, width, count) if turned else _read_places(payload, count, 0, width)
    numbers = payload.integers(len(sensor.ends), COUNT_MEAN, signed=False)
    others = tuple(
        _read_places(payload, number, used, vectors.count)
        for number, used, vectors in zip(numbers, rows, sensor.first, strict=True)
    )
    return selected_fold(Selection(sensor, tuple(rows), width, second, others), means, mean_shift)


def _read_turn(payload: PayloadReader, width: int, count: int) -> Turn:
    shifts = np.cumsum(np.array(payload.integers(width, CHANGE_MEAN), dtype=np.int64))
    if width and (shifts.min() < 0 or shifts.max() > LARGEST_TURN_SHIFT):
        raise StreamError("a row of the turn is shifted too far: the stream is corrupt")
    precision = read_precisions(payload, count)
    codes = np.zeros((width, count), dtype=np.int64)
    for index in range(count):
        codes[:, index] = payload.integers(width, ENTRY_MEAN)
    # Compared before they are shifted: nothing overflows.
    if (np.abs(codes) > LARGEST_ENTRY >> shifts[:, None]).any():
        raise StreamError("a turn has an entry far beyond 1: the stream is corrupt")
    return Turn(codes << shifts[:, None], precision, shifts)


def _write_places(payload: PayloadWriter, places: tuple[int, ...], first: int) -> None:
    """Rising places, as the numbers of those left out before each."""
    gaps = [place - before - 1 for before, place in pairwise((first - 1, *places))]
    payload.integers(gaps, CHANGE_MEAN, signed=False)


def _read_places(payload: PayloadReader, count: int, first: int, end: int) -> tuple[int, ...]:
    if count > end - first:
        raise StreamError(f"{count} components are taken of {end - first}: the stream is corrupt")
    gaps = payload.integers(count, CHANGE_MEAN, signed=False)
    places = tuple(accumulate((gap + 1 for gap in gaps), initial=first - 1))[1:]
    if places and places[-1] >= end:
        raise StreamError("a component is taken that the package does not have: the stream is corrupt")
    return places
