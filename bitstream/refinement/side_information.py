"""What is told of the bands of a strip before their samples: limits, predictions and scales.

Like numbers of all bands form an array. Before each array a number tells whether its entries are differences
from one to the next, and the scale of their mean magnitude, which says with which class they are coded and
how many of their bits are raw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import StreamError

from .band_prediction import (
    AROUND,
    LARGEST_WEIGHT,
    MOST_REFERENCES,
    WEIGHT_BITS,
    BandPrediction,
    Bounds,
)
from .interleaved_ans import SymbolReader, SymbolWriter
from .least_squares import ToldPrediction
from .scales import LARGEST_SCALE, OCTAVE, UNIT_SCALE, class_of, raw_bits
from .value_axis import SHARE_UNIT

NOTHING = -1
"""Scale of a band in which all samples are as predicted: nothing is coded of it."""

_ONE_LIMIT, _LIMITS, _RELATIVE, _ORDERED = range(4)
_MOST_WORDS = 2
_USUAL = UNIT_SCALE + 7 * OCTAVE - 1
_LARGEST = (1 << 31) - 1
_VALUES_BITS = 60.0


@dataclass(frozen=True)
class ErrorBound:
    """What a decoder may rely on.

    Parameters
    ----------
    limits : ndarray of int32, shape (bands,)
        Largest error of each band in counts; with a relative limit its floor.
    relative : tuple of int, or None
        Share of a sample in units of 1/65536, and floor in counts: the larger one of both holds.
    words : int
        0 where samples are counts. Else they are exact, as so many ordered integers each
        (`bandfold.bitstream.refinement.ordered_integers`).
    """

    limits: NDArray[np.int32]
    relative: tuple[int, int] | None = None
    words: int = 0


@dataclass(frozen=True)
class BandSide:
    """What is told of a band.

    Parameters
    ----------
    told : ToldPrediction
        How it is predicted.
    scale : int
        Of the mean number of steps (`bandfold.bitstream.refinement.scales`), or `NOTHING`.
    values : ndarray of int32, shape (n,), or None
        All values that the band uses, rising, where only these are counted.
    """

    told: ToldPrediction
    scale: int
    values: NDArray[np.int32] | None = None


def write_side(writer: SymbolWriter, bound: ErrorBound, bands: list[BandSide]) -> None:
    """Append what is told of the bands of a strip.

    Parameters
    ----------
    writer : SymbolWriter
        Where it is written.
    bound : ErrorBound
        Limits of errors.
    bands : list of BandSide
        One for each band.
    """
    limits = bound.limits
    if bound.words:
        _write(writer, np.array([_ORDERED + bound.words - 1]))
    elif bound.relative is not None:
        _write(writer, np.array([_RELATIVE]))
        _write(writer, np.array(bound.relative))
    elif (limits == limits[0]).all():
        _write(writer, np.array([_ONE_LIMIT]))
        _write(writer, limits[:1])
    else:
        _write(writer, np.array([_LIMITS]))
        _write(writer, limits)
    used = [one.values for one in bands]
    _write(writer, np.array([0 if values is None else len(values) for values in used]))
    for values in used:
        if values is not None:
            _write_values(writer, values)
    _write(writer, np.array([one.scale - NOTHING for one in bands]))
    told = [one.told for one in bands]
    predictions = [one.prediction for one in told]
    _write(writer, np.array([one.offset for one in predictions]))
    rows = [[weight >> one.unit for weight in one.prediction.weights] for one in told]
    _write(writer, np.array([len(row) for row in rows]))
    _write_weights(writer, rows, [one.unit for one in told], MOST_REFERENCES)
    _write(writer, np.array([bool(one.around) for one in predictions]))
    bent = [one for one in told if one.prediction.around]
    rows = [[weight >> one.around_unit for weight in one.prediction.around] for one in bent]
    _write_weights(writer, rows, [one.around_unit for one in bent], AROUND)


def read_side(
    reader: SymbolReader, count: int, pixels: int, bounds: Bounds
) -> tuple[ErrorBound, list[BandSide]]:
    """Read what `write_side` wrote.

    Parameters
    ----------
    reader : SymbolReader
        At the beginning of it.
    count : int
        Bands.
    pixels : int
        Of a band.
    bounds : Bounds
        Range of the samples.

    Returns
    -------
    bound : ErrorBound
    bands : list of BandSide

    Raises
    ------
    StreamError
        If anything is out of its range.
    """
    bound = read_bound(reader, count)
    sizes = _within(_read(reader, count), 0, pixels).tolist()
    values = [_read_values(reader, size, bounds) if size else None for size in sizes]
    scales = _within(_read(reader, count), 0, LARGEST_SCALE - NOTHING) + NOTHING
    offsets = _read(reader, count).tolist()
    counts = _within(_read(reader, count), 0, np.minimum(np.arange(count), MOST_REFERENCES))
    weights, units = _read_weights(reader, counts, MOST_REFERENCES)
    bent = np.flatnonzero(_within(_read(reader, count), 0, 1)).tolist()
    found, around_units = _read_weights(reader, np.full(len(bent), AROUND), AROUND)
    around = dict(zip(bent, zip(found, around_units, strict=True), strict=True))
    bands = []
    for number, scale in enumerate(scales.tolist()):
        bases, around_unit = around.get(number, ((), 0))
        prediction = BandPrediction(weights[number], bases, offsets[number])
        told = ToldPrediction(prediction, units[number], around_unit)
        bands.append(BandSide(told, scale, values[number]))
    return bound, bands


def read_bound(reader: SymbolReader, count: int) -> ErrorBound:
    """Read the limits, which come first.

    Parameters
    ----------
    reader : SymbolReader
        At the beginning of side information.
    count : int
        Bands.

    Returns
    -------
    ErrorBound

    Raises
    ------
    StreamError
        If a limit is out of its range.
    """
    kind = int(_within(_read(reader, 1), _ONE_LIMIT, _ORDERED + _MOST_WORDS - 1)[0])
    if kind >= _ORDERED:
        return ErrorBound(np.zeros(count, dtype=np.int32), words=kind - _ORDERED + 1)
    told = _within(_read(reader, {_ONE_LIMIT: 1, _LIMITS: count, _RELATIVE: 2}[kind]), 0, _LARGEST)
    relative = None
    if kind == _RELATIVE:
        share, floor = told.tolist()
        if not 0 < share < SHARE_UNIT:
            raise StreamError(f"refinement tells a limit of {share}/{SHARE_UNIT}: the section is corrupt")
        relative, told = (share, floor), told[1:]
    return ErrorBound(np.ascontiguousarray(np.broadcast_to(told, (count,)), dtype=np.int32), relative)


def _write_weights(writer: SymbolWriter, rows: list[list[int]], units: list[int], most: int) -> None:
    """Weights of bands in their units, place by place."""
    _write(writer, np.array(units))
    for place in range(most):
        _write(writer, np.array([row[place] for row in rows if len(row) > place], dtype=np.int64))


def _read_weights(
    reader: SymbolReader, counts: NDArray[np.int64], places: int
) -> tuple[list[tuple[int, ...]], list[int]]:
    """Weights, so many of each band, and their units."""
    units = _within(_read(reader, len(counts)), 0, WEIGHT_BITS)
    weights = np.zeros((len(counts), places), dtype=np.int64)
    for place in range(places):
        used = counts > place
        weights[used, place] = _read(reader, int(used.sum()))
    weights = _within(weights, -LARGEST_WEIGHT, LARGEST_WEIGHT) << units[:, None]
    _within(weights, 1 - LARGEST_WEIGHT, LARGEST_WEIGHT - 1)
    rows = [tuple(row[:count]) for row, count in zip(weights.tolist(), counts.tolist(), strict=True)]
    return rows, units.tolist()


def values_bits(values: NDArray[np.int32]) -> float:
    """What it takes to tell the values that a band uses, about, in bits."""
    gaps = np.diff(values.astype(np.int64))
    spread = np.abs(gaps - gaps.sum() // max(len(gaps), 1)).mean() if len(gaps) else 0.0
    return _VALUES_BITS + len(gaps) * (1.5 + float(np.log2(1.0 + 2.0 * spread)))


def _write_values(writer: SymbolWriter, values: NDArray[np.int32]) -> None:
    """The first value, the usual distance of two, and what all distances differ from it by."""
    gaps = np.diff(values.astype(np.int64))
    usual = int(np.median(gaps)) if len(gaps) else 0
    _write(writer, np.array([values[0], usual]))
    _write(writer, gaps - usual)


def _read_values(reader: SymbolReader, size: int, bounds: Bounds) -> NDArray[np.int32]:
    first, usual = _read(reader, 2).tolist()
    gaps = _within(_read(reader, size - 1) + usual, 1, _LARGEST)
    values = _within(np.cumsum(np.concatenate([[first], gaps])), bounds.lowest, bounds.highest)
    return values.astype(np.int32)


def _write(writer: SymbolWriter, values: NDArray[np.generic]) -> None:
    """Append an array, plain or as differences, with the scale that makes it smallest."""
    plain = values.astype(np.int64)
    changes = np.diff(plain, prepend=0)
    bits, scale = writer.cheapest(plain)
    differences = 0
    if len(plain) > 1 and np.abs(changes).max() <= _LARGEST:
        fewer, other = writer.cheapest(changes)
        if fewer < bits:
            plain, scale, differences = changes, other, 1
    _append(writer, np.array([2 * scale + differences]), _USUAL)
    _append(writer, plain, scale)


def _append(writer: SymbolWriter, values: NDArray[np.int64], scale: int) -> None:
    raw = raw_bits(scale)
    kind = class_of(scale - OCTAVE * raw)
    numbers = values.astype(np.int32)[None]
    writer.append(numbers, np.full(numbers.shape, kind, dtype=np.uint8), raw)


def _read(reader: SymbolReader, count: int) -> NDArray[np.int64]:
    """Read an array of so many entries."""
    scale, differences = divmod(int(reader.numbers(1, _USUAL)[0]), 2)
    if not 0 <= scale <= LARGEST_SCALE:
        raise StreamError(f"refinement tells a scale of {scale}: the section is corrupt")
    values = reader.numbers(count, scale).astype(np.int64)
    return np.cumsum(values) if differences else values


def _within(values: NDArray[np.int64], lowest: int, highest: int | NDArray[np.int64]) -> NDArray[np.int64]:
    if (values < lowest).any() or (values > highest).any():
        raise StreamError("refinement tells what is out of its range: the section is corrupt")
    return values
