"""Entries of vectors: integers whose size follows from two running means, one of a vector and one of a row.

Entries of a vector become smaller from row to row, and rows that vary little from block to block have small
entries in all vectors. So the table of an entry follows the mean of both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.entropy.ans import AnsDecoder, Run, to_tokens
from bandfold.common.errors import StreamError
from bandfold.common.kernels import compiled

from .payload import SIDE_UNIT, PayloadReader, PayloadWriter, put_bits, read_magnitude, read_signs, side_class
from .raw_bits import BitReader

VECTOR_MEMORY, ROW_MEMORY = 1, 2
"""Running means move by two to minus this power of the difference to each new magnitude."""


def write_entries(
    payload: PayloadWriter, entries: NDArray[np.int64], mean: int, rows: NDArray[np.int64]
) -> None:
    """Append entries of a vector to a payload.

    Parameters
    ----------
    payload : PayloadWriter
        Where they are written.
    entries : ndarray of int64, shape (n,)
        As they are told, ``LARGEST_MAGNITUDE`` of `bandfold.bitstream.entropy.ans` at most.
    mean : int
        Expected magnitude of the first one, in ``1 / SIDE_UNIT``.
    rows : ndarray of int64, shape (n,)
        Running mean magnitude of the row of each entry over the vectors before, in ``1 / SIDE_UNIT``; 0 for
        rows of which nothing was told. Changed to what it is behind this vector.
    """
    largest = int(np.abs(entries).max(initial=0))
    tokens, tables = np.empty(len(entries), dtype=np.uint8), np.empty(len(entries), dtype=np.int32)
    bits = np.empty(len(entries) * (largest.bit_length() + 1), dtype=np.uint8)
    used = _put_entries(entries, payload.tables.first_table("side"), mean, rows, tokens, tables, bits)
    payload.append(Run(tokens, tables, np.ones(len(tables), np.int32)), bits[:used])


@compiled(
    "bf_put_entries(values: int64[count], count: int64, first_table: int32, mean: int64,"
    " rows: out(int64[count]), tokens: out(uint8[count]), tables: out(int32[count]), bits: out(uint8[room]))"
    " -> int64"
)
def _put_entries(
    values: NDArray[np.int64],
    first_table: int,
    mean: int,
    rows: NDArray[np.int64],
    tokens: NDArray[np.uint8],
    tables: NDArray[np.int32],
    bits: NDArray[np.uint8],
) -> int:
    """Find the token and the table of each entry, and raw bits; returns how many bits there are."""
    magnitudes = np.abs(values)
    tokens[:], widths = to_tokens(magnitudes)
    for place, magnitude in enumerate(magnitudes.tolist()):
        row = int(rows[place])
        tables[place] = first_table + _class_of(mean, row)
        mean, rows[place] = _moved(mean, row, magnitude)
    return put_bits(values, widths, bits)


def read_entries(payload: PayloadReader, mean: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Read what `write_entries` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where they are read.
    mean : int
        As it was written.
    rows : ndarray of int64, shape (n,)
        As it was written, and changed likewise: as many entries are read.

    Returns
    -------
    ndarray of int64, shape (n,)

    Raises
    ------
    StreamError
        If raw bits end too early.
    MemoryLimitError
        If the budget of the stream does not allow so many.
    """
    payload.budget.work(len(rows), "numbers of side information")
    values = np.empty(len(rows), dtype=np.int64)
    if _read_entries(payload.symbols, payload.bits, payload.tables.first_table("side"), mean, rows, values):
        raise StreamError("raw bits end too early: the section is corrupt")
    return values


@compiled(
    "bf_entries(reader: out(bf_reader), raw: out(bf_bits), first_table: int32, mean: int64,"
    " rows: out(int64[count]), values: out(int64[count]), count: int64) -> int32"
)
def _read_entries(
    reader: AnsDecoder,
    raw: BitReader,
    first_table: int,
    mean: int,
    rows: NDArray[np.int64],
    values: NDArray[np.int64],
) -> int:
    """Fill an array with entries; returns 1 where raw bits end too early."""
    for place, row in enumerate(rows.tolist()):
        magnitude = read_magnitude(reader, raw, first_table + _class_of(mean, row))
        if magnitude is None:
            return 1
        values[place] = magnitude
        mean, rows[place] = _moved(mean, row, magnitude)
    return read_signs(raw, values)


def _class_of(mean: int, row: int) -> int:
    """Class of the table of an entry, by the running means of its vector and of its row."""
    return side_class((mean + row) >> 1 if row else mean)


def _moved(mean: int, row: int, magnitude: int) -> tuple[int, int]:
    """Both means after an entry."""
    told = magnitude * SIDE_UNIT
    row = row + ((told - row) >> ROW_MEMORY) if row else told
    return max(mean + ((told - mean) >> VECTOR_MEMORY), 1), max(row, 1)
