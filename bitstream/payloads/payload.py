"""Payloads: entropy-coded symbols and raw bits of one section, written and read in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.sections import read_varint, write_varint
from bandfold.bitstream.container.stream_budget import StreamBudget
from bandfold.bitstream.contexts.tables import SIDE_CLASSES, Tables
from bandfold.bitstream.entropy.ans import LARGEST_MAGNITUDE, AnsDecoder, Run, to_tokens, token_base
from bandfold.common.errors import StreamError
from bandfold.common.kernels import compiled

from .raw_bits import BitReader, BitWriter, field_bits

SIDE_UNIT = 256
"""Running means of side information are in units of ``1 / SIDE_UNIT``."""

SIDE_MEMORY = 3
"""A running mean moves by ``2**-SIDE_MEMORY`` of the difference to each new magnitude."""


MOST_RUNS = 15
"""Runs of values that are appended at once, at most: as many as a component has diagonals."""

TABLES_LIMIT = 1 << 11
"""There are fewer tables."""


def side_class(mean: int) -> int:
    """Class of the table that codes a value whose running mean magnitude is `mean` / 256.

    Parameters
    ----------
    mean : int
        Running mean magnitude, in ``1 / SIDE_UNIT``.

    Returns
    -------
    int
        Two classes an octave, class 8 starting at a mean of 1.
    """
    return min(max((mean * mean).bit_length() - 1 - 8, 0), SIDE_CLASSES - 1)


def next_mean(mean: int, magnitude: int) -> int:
    """Running mean after one more value."""
    return max(mean + ((magnitude * SIDE_UNIT - mean) >> SIDE_MEMORY), 1)


class PayloadWriter:
    """Collects what a section holds, in the order in which it is to be read.

    Parameters
    ----------
    tables : Tables
        Those that code the symbols.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._runs: list[Run] = []
        self._bits = BitWriter()

    def symbols(self, tokens: NDArray[np.int32], table: int) -> None:
        """Append tokens coded with one table."""
        self._runs.append(Run.of(tokens, table))

    def values(
        self,
        values: NDArray[np.int64],
        tables: NDArray[np.integer[Any]],
        *,
        signed: bool = True,
    ) -> None:
        """Append integers, each with a table of its own.

        Parameters
        ----------
        values : ndarray of int64, shape (n,)
            The integers.
        tables : ndarray of integers, shape (n,)
            Number of the table that codes each. Values are grouped by table, in rising order of its number.
        signed : bool
            Whether values may be negative; otherwise no signs are written.
        """
        run, bits = arrange_values(values, tables, [len(values)], signed=signed)
        self.append(run, bits)

    def append(self, run: Run, bits: NDArray[np.uint8]) -> None:
        """Append symbols, and raw bits that belong to them.

        Parameters
        ----------
        run : Run
            Tokens and the tables that code them.
        bits : ndarray of uint8, shape (n,)
            Signs and low bits of magnitudes, as zeros and ones.
        """
        self._runs.append(run)
        self._bits.flags(bits)

    def raw(self, values: NDArray[np.int64], width: int) -> None:
        """Append raw bits of values, most significant bit first.

        Parameters
        ----------
        values : ndarray of int64, shape (n,)
            Not negative, below ``2**width``.
        width : int
            Bits of each.
        """
        self._bits.fields(values, np.full(len(values), width, dtype=np.int32))

    def integers(self, values: Sequence[int], mean: int, *, signed: bool = True) -> None:
        """Append integers of side information, the table following the running mean of their magnitudes.

        Parameters
        ----------
        values : sequence of int
            The integers.
        mean : int
            Expected magnitude of the first one, in ``1 / SIDE_UNIT``.
        signed : bool
            Whether values may be negative; otherwise no signs are written.
        """
        self.integer_lists([values], [mean], signed=signed)

    def integer_lists(
        self, lists: Sequence[Sequence[int] | NDArray[np.int64]], means: Sequence[int], *, signed: bool = True
    ) -> None:
        """Append lists of integers of side information one after the other, as `integers` does.

        Parameters
        ----------
        lists : sequence of sequence of int
            The integers.
        means : sequence of int
            Expected magnitude of the first integer of each list, in ``1 / SIDE_UNIT``.
        signed : bool
            Whether values may be negative; otherwise no signs are written.

        Raises
        ------
        StreamError
            If a magnitude exceeds what can be coded.
        """
        arrays = [np.asarray(one, dtype=np.int64) for one in lists]
        values = arrays[0] if len(arrays) == 1 else np.concatenate([np.zeros(0, np.int64), *arrays])
        largest = max(int(values.max(initial=0)), -int(values.min(initial=0)))
        if largest > LARGEST_MAGNITUDE:
            raise StreamError(f"side information holds {largest}: it cannot be coded")
        tokens, tables = np.empty(len(values), dtype=np.uint8), np.empty(len(values), dtype=np.int32)
        bits = np.empty(len(values) * (largest.bit_length() + 1), dtype=np.uint8)
        counts = np.array([len(one) for one in arrays], dtype=np.int64)
        first_table, first_means = self.tables.first_table("side"), np.array(means, dtype=np.int64)
        used = _put_integers(
            np.ascontiguousarray(values), counts, first_means, first_table, int(signed), tokens, tables, bits
        )
        self._runs.append(Run(tokens, tables, np.ones(len(tables), np.int32)))
        self._bits.flags(bits[:used])

    def data(self) -> bytes:
        """The payload: number of words, words, raw bits."""
        return self.data_of([self], self.tables)[0]

    @staticmethod
    def data_of(payloads: Iterable[PayloadWriter], tables: Tables) -> list[bytes]:
        """The data of several payloads: they take less time together than one by one, the largest one first.

        None is held once the next is asked for.
        """
        bits: list[bytes] = []

        def parts() -> Iterator[list[Run]]:
            for payload in payloads:
                bits.append(payload._bits.data())
                yield payload._runs
                del payload

        return [
            b"".join([write_varint(len(words)), words.astype("<u4", copy=False).data, raw])
            for words, raw in zip(tables.coder.encode_parts(parts()), bits, strict=True)
        ]


@compiled(
    "bf_put_integers(values: int64[count], counts: int64[lists], means: int64[lists], lists: int64,"
    " first_table: int32, with_signs: int32, tokens: out(uint8[count]), tables: out(int32[count]),"
    " bits: out(uint8[room])) -> int64"
)
def _put_integers(
    values: NDArray[np.int64],
    counts: NDArray[np.int64],
    means: NDArray[np.int64],
    first_table: int,
    with_signs: int,
    tokens: NDArray[np.uint8],
    tables: NDArray[np.int32],
    bits: NDArray[np.uint8],
) -> int:
    """Find the token and the table of each integer, and raw bits; returns how many bits there are."""
    magnitudes = np.abs(values)
    tokens[:], widths = to_tokens(magnitudes)
    place = used = 0
    for count, first_mean in zip(counts.tolist(), means.tolist(), strict=True):
        own, mean = slice(place, place + count), first_mean
        for number, magnitude in enumerate(magnitudes[own].tolist(), place):
            tables[number] = first_table + side_class(mean)
            mean = next_mean(mean, magnitude)
        used += put_bits(values[own], widths[own], bits[used:], signed=bool(with_signs))
        place += count
    return used


def put_bits(
    values: NDArray[np.int64], widths: NDArray[np.int32], bits: NDArray[np.uint8], *, signed: bool = True
) -> int:
    """Arrange the raw bits of integers of side information.

    Raw bits come before signs, since the reader needs each magnitude for the next table.

    Parameters
    ----------
    values : ndarray of int64, shape (n,)
        The integers.
    widths : ndarray of int32, shape (n,)
        Low bits of each magnitude that its token leaves.
    bits : ndarray of uint8
        Written to, from its begin on.
    signed : bool
        Whether there are signs.

    Returns
    -------
    int
        How many bits there are.
    """
    magnitudes, wide = np.abs(values), widths > 0
    parts = [field_bits(magnitudes[wide], widths[wide])]
    if signed:
        parts.append((values[magnitudes > 0] < 0).astype(np.uint8))
    found = np.concatenate(parts)
    bits[: len(found)] = found
    return len(found)


class PayloadReader:
    """Reads what a `PayloadWriter` wrote.

    Parameters
    ----------
    tables : Tables
        Those that it was written with.
    data : bytes
        The payload.
    budget : StreamBudget, optional
        What reading may cost: numbers that are zero may take no bytes at all. Without one, what a stream of
        that many bytes may cost.

    Attributes
    ----------
    tables : Tables
        Those that it was written with.
    budget : StreamBudget
        What is left of it.
    symbols : AnsDecoder
        What is left of its words.
    bits : BitReader
        What is left of its raw bits.

    Raises
    ------
    StreamError
        If the payload is shorter than it says.
    """

    def __init__(self, tables: Tables, data: bytes, budget: StreamBudget | None = None) -> None:
        self.tables = tables
        self.budget = budget or StreamBudget(len(data))
        count, start = read_varint(data, 0)
        end = start + 4 * count
        if end > len(data):
            raise StreamError("entropy-coded words end too early: the section is corrupt")
        self.symbols = tables.coder.decoder(np.frombuffer(data[start:end], dtype="<u4").astype(np.uint32))
        self.bits = BitReader(data[end:])

    def values(self, tables: NDArray[np.integer[Any]], *, signed: bool = True) -> NDArray[np.int64]:
        """Read one integer for each table number; see `PayloadWriter.values`."""
        return read_values(self.symbols, self.bits, tables, signed=signed)

    def raw(self, count: int, width: int) -> NDArray[np.int64]:
        """Read `count` values of raw bits; see `PayloadWriter.raw`."""
        return self.bits.fields(np.full(count, width, dtype=np.int32))

    def integers(self, count: int, mean: int, *, signed: bool = True) -> list[int]:
        """Read `count` integers of side information; see `PayloadWriter.integers`."""
        values: list[int] = self.numbers(count, mean, signed=signed).tolist()
        return values

    def numbers(self, count: int, mean: int, *, signed: bool = True) -> NDArray[np.int64]:
        """Read integers of side information into an array.

        Parameters
        ----------
        count : int
            How many.
        mean : int
            Expected magnitude of the first one, in ``1 / SIDE_UNIT``.
        signed : bool
            Whether values may be negative.

        Returns
        -------
        ndarray of int64, shape (count,)

        Raises
        ------
        StreamError
            If raw bits end too early.
        MemoryLimitError
            If the budget does not allow so many.
        """
        self.budget.work(count, "numbers of side information")
        values = np.empty(count, dtype=np.int64)
        side = self.tables.first_table("side")
        if _read_integers(self.symbols, self.bits, side, mean, int(signed), values):
            raise StreamError("raw bits end too early: the section is corrupt")
        return values

    def finish(self) -> None:
        """Check that all of the payload was read; raises `StreamError` otherwise."""
        self.symbols.finish()
        self.bits.finish()


@compiled(
    "bf_integers(reader: out(bf_reader), raw: out(bf_bits), first_table: int32, mean: int64,"
    " with_signs: int32, values: out(int64[count]), count: int64) -> int32"
)
def _read_integers(
    reader: AnsDecoder,
    raw: BitReader,
    first_table: int,
    mean: int,
    with_signs: int,
    values: NDArray[np.int64],
) -> int:
    """Fill an array with integers of side information; returns 1 where raw bits end too early."""
    for place in range(len(values)):
        magnitude = read_magnitude(reader, raw, first_table + side_class(mean))
        if magnitude is None:
            return 1
        values[place] = magnitude
        mean = next_mean(mean, magnitude)
    return read_signs(raw, values) if with_signs else 0


def read_magnitude(reader: AnsDecoder, raw: BitReader, table: int) -> int | None:
    """Read the magnitude of an integer of side information.

    Parameters
    ----------
    reader : AnsDecoder
        Where its token is read.
    raw : BitReader
        Where its low bits are read.
    table : int
        Number of the table that codes it.

    Returns
    -------
    int or None
        None where raw bits end too early.
    """
    base, width = token_base(reader.decode(1, table))
    if not width[0]:
        return int(base[0])
    return int(base[0]) + int(raw.fields(width)[0]) if int(width[0]) <= raw.left else None


def read_signs(raw: BitReader, values: NDArray[np.int64]) -> int:
    """Give magnitudes the signs that follow them, in place; returns 1 where raw bits end too early."""
    live = np.flatnonzero(values)
    if live.size > raw.left:
        return 1
    values[live[raw.flags(live.size).astype(bool)]] *= -1
    return 0


def arrange_values(
    values: NDArray[np.int64],
    tables: NDArray[np.integer[Any]],
    lengths: Sequence[int],
    *,
    signed: bool,
) -> tuple[Run, NDArray[np.uint8]]:
    """Split integers into tokens in the order of coding, and raw bits; see `PayloadWriter.values`.

    Parameters
    ----------
    values : ndarray of int64, shape (n,)
        The integers, run by run.
    tables : ndarray of integers, shape (n,)
        Number of the table that codes each.
    lengths : sequence of int
        Integers of each run, ``MOST_RUNS`` runs at most.
    signed : bool
        Whether signs are written.

    Returns
    -------
    run : Run
        Tokens, grouped by table within each run.
    bits : ndarray of uint8, shape (bits,)
        For each run signs of all that is not zero, 1 for negative ones, and then low bits.
    """
    if len(lengths) > MOST_RUNS:
        raise ValueError(f"{len(lengths)} runs are more than {MOST_RUNS}")
    magnitudes = np.abs(values)
    tokens, widths = to_tokens(magnitudes)
    # Sixteen bits, because NumPy sorts those by radix.
    keys = np.repeat(np.arange(len(lengths), dtype=np.int16) * TABLES_LIMIT, lengths)
    keys += tables.astype(np.int16)
    order = np.argsort(keys, kind="stable")
    arranged, numbers = tokens[order], keys[order]
    cuts = np.flatnonzero(np.diff(numbers, prepend=-1))
    counts = np.diff(cuts, append=len(order)).astype(np.int32)
    run = Run(arranged.astype(np.uint8), (numbers[cuts] % TABLES_LIMIT).astype(np.int32), counts)
    ends = np.cumsum(lengths)[:-1]
    parts = [np.zeros(0, dtype=np.uint8)]
    # One run serves where no bits are to come between the signs.
    whole = (
        zip(np.split(values, ends), np.split(widths, ends), strict=True)
        if widths.any()
        else [(values, widths)]
    )
    for part, fields in whole:
        if signed:
            parts.append((part[part != 0] < 0).astype(np.uint8))
        large = fields > 0
        parts.append(field_bits(np.abs(part[large]), fields[large]))
    return run, np.concatenate(parts)


def read_values(
    symbols: AnsDecoder, bits: BitReader, tables: NDArray[np.integer[Any]], *, signed: bool
) -> NDArray[np.int64]:
    """Read one run of what `arrange_values` arranged.

    Parameters
    ----------
    symbols : AnsDecoder
        Where tokens are read.
    bits : BitReader
        Where signs and low bits are read.
    tables : ndarray of integers, shape (n,)
        Number of the table that codes each integer.
    signed : bool
        Whether signs were written.

    Returns
    -------
    ndarray of int64, shape (n,)

    Raises
    ------
    StreamError
        If raw bits end too early.
    """
    order = np.argsort(tables, kind="stable")
    numbers = tables[order]
    tokens = np.empty(len(order), dtype=np.int32)
    cuts = np.flatnonzero(np.diff(numbers)) + 1
    for start, end in zip((0, *cuts.tolist()), (*cuts.tolist(), len(order)), strict=True):
        if end > start:
            tokens[order[start:end]] = symbols.decode(end - start, int(numbers[start]))
    values, widths = token_base(tokens)
    live = np.flatnonzero(tokens) if signed else np.zeros(0, np.intp)
    negative = bits.flags(live.size).astype(bool)
    large = widths > 0
    if large.any():
        values[large] += bits.fields(widths[large])
    values[live[negative]] *= -1
    return values
