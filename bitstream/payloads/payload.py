"""Payloads: entropy-coded symbols and raw bits of one section, written and read in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.varint import read_varint, write_varint
from bandfold.bitstream.contexts.kernel_network import KernelNetwork
from bandfold.bitstream.contexts.tables import SIDE_CLASSES, Tables
from bandfold.bitstream.entropy.kernelcoder import KernelBackend, KernelDecoder
from bandfold.bitstream.entropy.runs import Run
from bandfold.bitstream.entropy.tokens import LARGEST_MAGNITUDE, BitReader, BitWriter, to_tokens, token_base
from bandfold.bitstream.segments.census import Census
from bandfold.common.errors import StreamError

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
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._runs: list[Run] = []
        self._bits = BitWriter()

    @property
    def tables(self) -> Tables:
        """The tables that it is written with."""
        return self._tables

    @property
    def compiled(self) -> bool:
        """Whether there is `components`."""
        return isinstance(self._tables.coder, KernelBackend)

    def symbols(self, tokens: NDArray[np.int32], table: int) -> None:
        """Append tokens coded with one table."""
        self._runs.append(Run.of(tokens, table))

    def values(
        self,
        values: NDArray[np.int64],
        tables: NDArray[np.integer[Any]],
        runs: Sequence[int] | None = None,
        *,
        signed: bool = True,
    ) -> None:
        """Append integers, each with a table of its own.

        Parameters
        ----------
        values : ndarray of int64, shape (n,)
        tables : ndarray of integers, shape (n,)
            Values are grouped by table, in rising order of the table's number.
        runs : sequence of int, optional
            Lengths of runs that are to be read one after the other, ``MOST_RUNS`` at most: the same as one
            call for each, and faster. One run by default.
        signed : bool
            Whether values may be negative; otherwise no signs are written.
        """
        lengths = [len(values)] if runs is None else runs
        if len(lengths) > MOST_RUNS:
            raise ValueError(f"{len(lengths)} runs are more than {MOST_RUNS}")
        tokens, widths = to_tokens(np.abs(values))
        # Sixteen bits, because NumPy sorts those by radix.
        keys = np.repeat(np.arange(len(lengths), dtype=np.int16) * TABLES_LIMIT, lengths)
        keys += tables.astype(np.int16)
        order = np.argsort(keys, kind="stable")
        arranged, numbers = tokens[order], keys[order]
        cuts = np.flatnonzero(np.diff(numbers, prepend=-1))
        counts = np.diff(cuts, append=len(order)).astype(np.int32)
        self._runs.append(Run(arranged, (numbers[cuts] % TABLES_LIMIT).astype(np.int32), counts))
        if widths.any():
            ends = np.cumsum(lengths)[:-1]
            for run, fields in zip(np.split(values, ends), np.split(widths, ends), strict=True):
                if signed:
                    self._bits.flags((run[run != 0] < 0).astype(np.uint8))
                large = fields > 0
                self._bits.fields(np.abs(run[large]), fields[large])
        elif signed:
            self._bits.flags((values[values != 0] < 0).astype(np.uint8))

    def integers(self, values: Sequence[int], mean: int, *, signed: bool = True) -> None:
        """Append integers of side information, the table following the running mean of their magnitudes.

        Parameters
        ----------
        values : sequence of int
        mean : int
            Expected magnitude of the first one, in ``1 / SIDE_UNIT``.
        signed : bool
            Whether values may be negative; otherwise no signs are written.
        """
        side = self._tables.first_table("side")
        array = np.array(values, dtype=np.int64)
        magnitudes = np.abs(array)
        if int(magnitudes.max(initial=0)) > LARGEST_MAGNITUDE:
            raise StreamError(f"side information holds {int(magnitudes.max())}: it cannot be coded")
        tokens, widths = to_tokens(magnitudes)
        tables = []
        for magnitude in magnitudes.tolist():
            tables.append(side + side_class(mean))
            mean = next_mean(mean, magnitude)
        # Raw bits before signs here, since the reader needs each magnitude for the next table.
        self._bits.fields(magnitudes[widths > 0], widths[widths > 0])
        self._runs.append(Run(tokens, np.array(tables, dtype=np.int32), np.ones(len(tables), np.int32)))
        if signed:
            self._bits.flags((array[magnitudes > 0] < 0).astype(np.uint8))

    def components(
        self, quantised: NDArray[np.int32], classes: NDArray[np.uint8], census: Census, first_table: int
    ) -> None:
        """Append latents of some components, by compiled kernels: the same as `values`, and much faster.

        Parameters
        ----------
        quantised : ndarray of int32, shape (64, components, rows, columns)
        classes : ndarray of uint8, same shape
        census : Census
            Of these components. Each diagonal that is coded is a run.
        first_table : int
            Number of the table of class 0.
        """
        run, bits = self._kernels().arrange(quantised, classes, census, first_table)
        self._runs.append(run)
        self._bits.flags(bits)

    def _kernels(self) -> KernelBackend:
        if not isinstance(self._tables.coder, KernelBackend):
            raise ValueError("there are no compiled kernels")
        return self._tables.coder

    def data(self) -> bytes:
        """The payload: number of words, words, raw bits."""
        words = self._tables.coder.encode(self._runs)
        return write_varint(len(words)) + words.astype("<u4").tobytes() + self._bits.data()


class PayloadReader:
    """Reads what a `PayloadWriter` wrote.

    Parameters
    ----------
    tables : Tables
    data : bytes

    Raises
    ------
    StreamError
        If the payload is shorter than it says.
    """

    def __init__(self, tables: Tables, data: bytes) -> None:
        self._tables = tables
        count, start = read_varint(data, 0)
        end = start + 4 * count
        if end > len(data):
            raise StreamError("entropy-coded words end too early: the section is corrupt")
        self._symbols = tables.coder.decoder(np.frombuffer(data[start:end], dtype="<u4").astype(np.uint32))
        self._bits = BitReader(data[end:])

    def values(self, tables: NDArray[np.integer[Any]], *, signed: bool = True) -> NDArray[np.int64]:
        """Read one integer for each table number; see `PayloadWriter.values`."""
        order = np.argsort(tables, kind="stable")
        numbers = tables[order]
        tokens = np.empty(len(order), dtype=np.int32)
        cuts = np.flatnonzero(np.diff(numbers)) + 1
        for start, end in zip((0, *cuts.tolist()), (*cuts.tolist(), len(order)), strict=True):
            if end > start:
                tokens[order[start:end]] = self._symbols.decode(end - start, int(numbers[start]))
        values, widths = token_base(tokens)
        live = np.flatnonzero(tokens) if signed else np.zeros(0, np.intp)
        negative = self._bits.flags(live.size).astype(bool)
        large = widths > 0
        if large.any():
            values[large] += self._bits.fields(widths[large])
        values[live[negative]] *= -1
        return values

    def integers(self, count: int, mean: int, *, signed: bool = True) -> list[int]:
        """Read `count` integers of side information; see `PayloadWriter.integers`."""
        side = self._tables.first_table("side")
        values = []
        for _ in range(count):
            base, width = token_base(self._symbols.decode(1, side + side_class(mean)))
            magnitude = int(base[0])
            if width[0]:
                magnitude += int(self._bits.fields(width)[0])
            values.append(magnitude)
            mean = next_mean(mean, magnitude)
        if signed:
            live = [place for place, value in enumerate(values) if value]
            for place, negative in zip(live, self._bits.flags(len(live)).tolist(), strict=True):
                if negative:
                    values[place] = -values[place]
        return values

    @property
    def kernels(self) -> KernelDecoder | None:
        """What reads latents by compiled kernels, where there are any."""
        return self._symbols if isinstance(self._symbols, KernelDecoder) else None

    def components(
        self,
        network: KernelNetwork,
        first_table: int,
        extents: NDArray[np.int32],
        done: int,
        quantised: NDArray[np.int32],
        classes: NDArray[np.uint8],
        states: NDArray[np.uint8] | None,
        memory: NDArray[np.uint8],
    ) -> None:
        """Read the latents of some components; see `KernelDecoder.components`."""
        if self.kernels is None:
            raise ValueError("there are no compiled kernels")
        bits, position = self._bits.bits, self._bits.position
        self._bits.position = self.kernels.components(
            network, first_table, extents, done, quantised, classes, states, memory, bits, position
        )

    def finish(self) -> None:
        """Check that all of the payload was read; raises `StreamError` otherwise."""
        self._symbols.finish()
        self._bits.finish()
