"""Escapes: samples that no count stands for, kept bit by bit beside the counts.

Outliers, infinities, NaN, fill values that nobody declared. Those of one value that follow each other are a
run; runs go pixel by pixel or band by band, whichever makes fewer of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import StreamError

from .payload import SIDE_UNIT, PayloadReader, PayloadWriter

_COUNT_MEAN = 16 * SIDE_UNIT
_GAP_MEAN = 1024 * SIDE_UNIT
_LENGTH_MEAN = 4 * SIDE_UNIT
_RANK_MEAN = SIDE_UNIT
_HIGH_MEAN = 64 * SIDE_UNIT

RECENT = 16
"""A run may say that its value is one of so many that came last."""

LOW_BITS = {"float32": 23, "float64": 52, "int32": 16, "uint32": 16}
"""Low bits of a value, by its type, that are written as they are: those below sign and exponent of floats."""

PLACE_BYTES = 32
"""Bytes of memory that a sample takes while runs become places in a strip, about."""

_FIELD = 26
"""Raw bits that are written at once, at most."""


@dataclass(frozen=True)
class Escapes:
    """Samples of a strip that are kept exactly.

    Parameters
    ----------
    places : ndarray of int64, shape (n,)
        Where they are in the strip, as positions in an array (bands, lines, samples); rising.
    values : ndarray, shape (n,)
        The samples, of the type of the scene.
    """

    places: NDArray[np.int64]
    values: NDArray[Any]

    @staticmethod
    def of(block: NDArray[Any], escaped: NDArray[np.bool_]) -> Escapes | None:
        """Take the samples of a strip that a mask names.

        Parameters
        ----------
        block : ndarray, shape (bands, lines, samples)
            The strip.
        escaped : ndarray of bool, same shape
            True for samples to be kept.

        Returns
        -------
        Escapes or None
            None where the mask names none.
        """
        places = np.flatnonzero(escaped)
        return Escapes(places, block.reshape(-1)[places]) if places.size else None

    def put(self, samples: NDArray[Any], bands: slice, height: int) -> None:
        """Put the values into their places.

        Parameters
        ----------
        samples : ndarray, shape (wanted bands, height, samples)
            Decoded samples of some bands of the strip, changed in place.
        bands : slice
            Which bands: a half-open range.
        height : int
            Lines of the strip.
        """
        size = height * samples.shape[2]
        first, last = np.searchsorted(self.places, (bands.start * size, bands.stop * size))
        places = self.places[first:last] - bands.start * size
        samples[np.unravel_index(places, samples.shape)] = self.values[first:last]


def write_escapes(payload: PayloadWriter, escapes: Escapes, shape: tuple[int, int, int]) -> None:
    """Append escapes.

    Parameters
    ----------
    payload : PayloadWriter
        What they are appended to.
    escapes : Escapes
        At least one.
    shape : tuple of int
        Bands, lines and samples of the strip.
    """
    bits = _bits(escapes.values)
    by_band = _runs(escapes.places, bits)
    order = _by_pixel(escapes.places, shape)
    by_pixel = _runs(order[0], bits[order[1]])
    banded = len(by_band[0]) < len(by_pixel[0])
    starts, lengths, values = by_band if banded else by_pixel
    ranks, fresh = _ranks(values)
    payload.integers([int(banded), len(starts)], _COUNT_MEAN, signed=False)
    ends = starts + lengths
    gaps = starts - np.concatenate([[0], ends[:-1]])
    payload.integers(gaps.tolist(), _GAP_MEAN, signed=False)
    payload.integers((lengths - 1).tolist(), _LENGTH_MEAN, signed=False)
    payload.integers(ranks, _RANK_MEAN, signed=False)
    low = LOW_BITS[escapes.values.dtype.name]
    high = (fresh >> np.uint64(low)).astype(np.int64)
    payload.integers(np.diff(high, prepend=0).tolist(), _HIGH_MEAN)
    for shift, width in _fields(low):
        part = (fresh >> np.uint64(shift)) & np.uint64((1 << width) - 1)
        payload.raw(part.astype(np.int64), width)


def read_escapes(payload: PayloadReader, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> Escapes:
    """Read what `write_escapes` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where they are read.
    shape : tuple of int
        Bands, lines and samples of the strip.
    dtype : numpy.dtype
        Type of the samples of the scene.

    Returns
    -------
    Escapes

    Raises
    ------
    StreamError
        If the payload is corrupt.
    MemoryLimitError
        If it claims more samples than the budget of the stream allows.
    """
    size = shape[0] * shape[1] * shape[2]
    if dtype.name not in LOW_BITS:
        raise StreamError(f"segment keeps samples beside counts that are {dtype}: it is corrupt")
    banded, count = payload.integers(2, _COUNT_MEAN, signed=False)
    if banded > 1 or not 1 <= count <= size:
        raise StreamError("there are more runs of exact samples than samples: the segment is corrupt")
    gaps = np.array(payload.integers(count, _GAP_MEAN, signed=False), dtype=np.int64)
    lengths = np.array(payload.integers(count, _LENGTH_MEAN, signed=False), dtype=np.int64) + 1
    # Neither sum wraps: a magnitude has 36 bits, and a strip fewer than 2**26 runs where memory is limited.
    ends = np.cumsum(gaps) + np.cumsum(lengths)
    if int(max(gaps.max(), lengths.max())) > size or int(ends[-1]) > size:
        raise StreamError("a run of exact samples leads past the end: the segment is corrupt")
    payload.budget.work(int(lengths.sum()), "exact samples")
    payload.budget.memory(PLACE_BYTES * int(lengths.sum()), "exact samples")
    ranks = payload.integers(count, _RANK_MEAN, signed=False)
    if max(ranks) > RECENT:
        raise StreamError("a run of exact samples names a value that is not there: the segment is corrupt")
    low, total = LOW_BITS[dtype.name], 8 * dtype.itemsize
    fresh_count = ranks.count(0)
    high = np.cumsum(np.array(payload.integers(fresh_count, _HIGH_MEAN), dtype=np.int64))
    if fresh_count and not 0 <= int(high.min()) <= int(high.max()) < 1 << (total - low):
        raise StreamError("an exact sample exceeds its type: the segment is corrupt")
    fresh = high.astype(np.uint64) << np.uint64(low)
    for shift, width in _fields(low):
        fresh |= payload.raw(fresh_count, width).astype(np.uint64) << np.uint64(shift)
    values = _from_ranks(ranks, fresh.tolist())
    places = np.repeat(ends - np.cumsum(lengths), lengths) + np.arange(int(lengths.sum()))
    samples = np.repeat(np.array(values, dtype=np.uint64), lengths)
    if not banded:
        places = _from_pixels(places, shape)
        order = np.argsort(places, kind="stable")
        places, samples = places[order], samples[order]
    return Escapes(places, samples.astype(f"u{dtype.itemsize}").view(dtype))


def _bits(values: NDArray[Any]) -> NDArray[np.uint64]:
    """The bits of each value as an integer."""
    return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}").astype(np.uint64)


def _fields(low: int) -> list[tuple[int, int]]:
    """Shifts and widths of the fields that low bits are written in, the highest first."""
    parts = -(-low // _FIELD)
    width = -(-low // parts)
    return [(max(low - width * (part + 1), 0), min(width, low - width * part)) for part in range(parts)]


def _by_pixel(places: NDArray[np.int64], shape: tuple[int, int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Places counted pixel by pixel, in rising order, and the number of each among those given."""
    bands, lines, samples = shape
    pixels = lines * samples
    turned = places % pixels * bands + places // pixels
    order = np.argsort(turned, kind="stable")
    return turned[order], order


def _from_pixels(places: NDArray[np.int64], shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """Undo what `_by_pixel` does to places."""
    bands, lines, samples = shape
    return places % bands * (lines * samples) + places // bands


def _runs(
    places: NDArray[np.int64], bits: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]:
    """Starts, lengths and values of the runs of places that follow each other and hold one value."""
    breaks = (np.diff(places) != 1) | (bits[1:] != bits[:-1])
    first = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    return places[first], np.diff(first, append=len(places)), bits[first]


def _ranks(values: NDArray[np.uint64]) -> tuple[list[int], NDArray[np.uint64]]:
    """For each value its rank among those seen last, 0 for a new one; and the new ones."""
    recent: list[int] = []
    ranks, fresh = [], []
    for value in values.tolist():
        if value in recent:
            place = recent.index(value)
            ranks.append(place + 1)
            recent.insert(0, recent.pop(place))
        else:
            ranks.append(0)
            fresh.append(value)
            recent.insert(0, value)
            del recent[RECENT:]
    return ranks, np.array(fresh, dtype=np.uint64)


def _from_ranks(ranks: list[int], fresh: list[int]) -> list[int]:
    """Undo what `_ranks` does."""
    recent: list[int] = []
    values, taken = [], 0
    for rank in ranks:
        if rank > len(recent):
            raise StreamError(
                "a run of exact samples names a value that is not there: the segment is corrupt"
            )
        if rank:
            value = recent.pop(rank - 1)
        else:
            value, taken = fresh[taken], taken + 1
        recent.insert(0, value)
        del recent[RECENT:]
        values.append(value)
    return values
