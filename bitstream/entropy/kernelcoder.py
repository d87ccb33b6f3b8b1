"""The entropy coder by the compiled kernels: the words of `bandfold.bitstream.entropy.rans`."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.features import DIAGONAL_BOUNDS
from bandfold.bitstream.contexts.kernel_network import KernelNetwork
from bandfold.bitstream.segments.census import Census
from bandfold.common.errors import StreamError
from bandfold.common.kernels import functions, pointer

from .rans import PRECISION, refuse_empty_word
from .runs import Run

_GUESSES = 256
"""Top bits of a state tell the first symbol that it may be, so that few are looked at."""


MOST_CLASSES = 256
"""Classes of a context network, at most: kernels count latents by class."""


class _Reader(ctypes.Structure):
    """``bf_reader`` of common/native/rans.c."""

    _fields_ = (
        ("words", ctypes.c_void_p),
        ("word_count", ctypes.c_int64),
        ("next_word", ctypes.c_int64),
        ("state", ctypes.c_uint64),
        ("bits", ctypes.c_void_p),
        ("bit_count", ctypes.c_int64),
        ("next_bit", ctypes.c_int64),
        ("starts", ctypes.c_void_p),
        ("guess", ctypes.c_void_p),
        ("table_size", ctypes.c_int32),
    )


class KernelBackend:
    """`bandfold.bitstream.entropy.coder.Backend` by compiled kernels.

    Parameters
    ----------
    frequencies : ndarray, shape (tables, symbols)
        Each row sums to ``2**24``, each entry is at least 1.
    """

    def __init__(self, frequencies: NDArray[np.integer]) -> None:
        self._library = functions()
        self._frequencies = np.ascontiguousarray(frequencies, dtype=np.uint32)
        tables, self._symbols = self._frequencies.shape
        self._starts = np.zeros((tables, self._symbols + 1), dtype=np.uint32)
        np.cumsum(self._frequencies, axis=1, out=self._starts[:, 1:])
        self._first = np.ascontiguousarray(self._starts[:, :-1])
        tops = np.arange(_GUESSES) << (PRECISION - 8)
        self._guess = np.array(
            [np.searchsorted(row, tops, side="right") - 1 for row in self._first], dtype=np.uint8
        )

    def encode(self, runs: Sequence[Run]) -> NDArray[np.uint32]:
        """See `bandfold.bitstream.entropy.coder.Backend.encode`."""
        symbols, tables, counts = (
            np.concatenate([np.zeros(0, dtype=np.int32), *(getattr(run, name) for run in runs)])
            for name in ("symbols", "tables", "counts")
        )
        # A symbol takes 24 bits at most; the state is two words.
        words = np.empty(len(symbols) + 2, dtype=np.uint32)
        count = self._library.bf_encode(
            pointer(symbols, np.int32),
            pointer(tables, np.int32),
            pointer(counts, np.int32),
            len(counts),
            pointer(self._frequencies, np.uint32),
            pointer(self._first, np.uint32),
            self._symbols,
            pointer(words, np.uint32),
            len(words),
        )
        return words[len(words) - count :]

    def arrange(
        self, quantised: NDArray[np.int32], classes: NDArray[np.uint8], census: Census, first_table: int
    ) -> tuple[Run, NDArray[np.uint8]]:
        """Put the latents of components into the order of coding.

        Parameters
        ----------
        quantised : ndarray of int32, shape (64, components, rows, columns)
            Channels may lie apart, but must be contiguous in themselves.
        classes : ndarray of uint8, same shape
        census : Census
            Of these components.
        first_table : int
            Number of the table of class 0.

        Returns
        -------
        run : Run
            Component by component, diagonal by diagonal, each grouped by class.
        bits : ndarray of uint8
            Diagonal by diagonal the signs of all that is not zero, 1 for negative ones, and then raw bits.
        """
        positions = quantised.shape[2] * quantised.shape[3]
        stride = classes.strides[0]
        if quantised.strides[0] != stride * quantised.itemsize:
            raise ValueError("latents and their classes must lie alike in memory")
        extents = np.ascontiguousarray(census.extents)
        tokens = np.empty(int(DIAGONAL_BOUNDS[extents].sum()) * positions, dtype=np.int32)
        tables, counts = np.empty((2, int(extents.sum()) * MOST_CLASSES), dtype=np.int32)
        # One bit more: each sign is written before it is known whether there is one.
        bits = np.empty(int(census.bits.sum()) + 1, dtype=np.uint8)
        groups = self._library.bf_arrange(
            pointer(quantised[0], np.int32),
            pointer(classes[0], np.uint8),
            stride,
            quantised.shape[1],
            positions,
            pointer(DIAGONAL_BOUNDS, np.int32),
            pointer(extents, np.int64),
            first_table,
            pointer(tokens, np.int32),
            pointer(tables, np.int32),
            pointer(counts, np.int32),
            pointer(bits, np.uint8),
        )
        return Run(tokens, tables[:groups].copy(), counts[:groups].copy()), bits[:-1]

    def decoder(self, words: NDArray[np.uint32]) -> KernelDecoder:
        """See `bandfold.bitstream.entropy.coder.Backend.decoder`."""
        return KernelDecoder(words, self._starts, self._guess)


class KernelDecoder:
    """Reads words by compiled kernels.

    Parameters
    ----------
    words : ndarray of uint32
        In reading order.
    starts : ndarray of uint32, shape (tables, symbols + 1)
        Cumulative frequencies, from 0 to ``2**24``.
    guess : ndarray of uint8, shape (tables, 256)
        First symbol that a state with these top bits may be.

    Raises
    ------
    StreamError
        If the first word is empty.
    """

    def __init__(
        self, words: NDArray[np.uint32], starts: NDArray[np.uint32], guess: NDArray[np.uint8]
    ) -> None:
        refuse_empty_word(words)
        self._library = functions()
        self._arrays = (np.ascontiguousarray(words, dtype=np.uint32), starts, guess)
        state = 0
        for word in words[:2].tolist():
            state = state << 32 | word
        self._reader = _Reader(
            words=pointer(self._arrays[0], np.uint32),
            word_count=len(words),
            next_word=min(len(words), 2),
            state=state,
            starts=pointer(starts, np.uint32),
            guess=pointer(guess, np.uint8),
            table_size=starts.shape[1] - 1,
        )

    def decode(self, count: int, table: int) -> NDArray[np.int32]:
        """See `bandfold.bitstream.entropy.coder.Decoder.decode`."""
        symbols = np.empty(count, dtype=np.int32)
        self._library.bf_decode(ctypes.byref(self._reader), table, count, pointer(symbols, np.int32))
        return symbols

    def finish(self) -> None:
        """See `bandfold.bitstream.entropy.coder.Decoder.finish`."""
        if self._reader.state or self._reader.next_word != self._reader.word_count:
            raise StreamError("entropy-coded data do not end where they should: the segment is corrupt")

    def memory(self, rows: int, columns: int) -> NDArray[np.uint8]:
        """Cleared memory in which kernels keep what is known of three components.

        Parameters
        ----------
        rows, columns : int
            Latent positions of the strip.

        Returns
        -------
        ndarray of uint8
        """
        return np.zeros(self._library.bf_memory(rows, columns), dtype=np.uint8)

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
        bits: NDArray[np.uint8],
        position: int,
    ) -> int:
        """Read some components of a strip with their signs and raw bits.

        Parameters
        ----------
        network : KernelNetwork
        first_table : int
            Number of the table of class 0.
        extents : ndarray of int32, shape (count,)
            Diagonals of each component.
        done : int
            Components before them.
        quantised : ndarray of int32, shape (64, components, rows, columns)
            Written to.
        classes : ndarray of uint8, same shape
            Written to.
        states : ndarray of uint8, shape (8, rows, columns), or None
            States of the chains where there are two quantisers, see
            `bandfold.bitstream.contexts.trellis_states`; written to.
        memory : ndarray of uint8
            What is known of the components before; from `memory`.
        bits : ndarray of uint8
            Raw bits, one a byte.
        position : int
            The next one of them.

        Returns
        -------
        int
            Position behind those that were read.

        Raises
        ------
        StreamError
            If bits are missing or a latent is out of range.
        """
        reader = self._reader
        reader.bits, reader.bit_count, reader.next_bit = pointer(bits, np.uint8), len(bits), position
        failed = self._library.bf_read(
            ctypes.byref(network),
            ctypes.byref(reader),
            first_table,
            pointer(extents, np.int32),
            len(extents),
            done,
            *quantised.shape[1:],
            pointer(quantised, np.int32),
            pointer(classes, np.uint8),
            None if states is None else pointer(states, np.uint8),
            pointer(memory, np.uint8),
        )
        if failed:
            raise StreamError(
                "raw bits end too early: the segment is corrupt"
                if failed == 1
                else "a latent is out of range: the segment is corrupt"
            )
        return int(reader.next_bit)
