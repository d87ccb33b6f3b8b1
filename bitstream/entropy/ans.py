"""The entropy coder: asymmetric numeral systems (rANS) with static tables of frequencies, and its alphabet.

Symbols go in and 32-bit words come out, which a decoder reads in the order in which the symbols were given.
The state has 64 bits and the frequencies of a table sum to 2**24 (J. Duda, arXiv:1311.2540); words are those
of the ``AnsCoder`` of the library constriction, byte for byte.

Integers are coded as tokens. Magnitudes below 16 are symbols of their own; above, every octave has two
symbols, and the bits below the second most significant one are written raw. The alphabet reaches 2**36, far
beyond any latent of 16-bit samples.
"""

from __future__ import annotations

import mmap
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import StreamError
from bandfold.common.kernels import Structure, compiled, structure

DIRECT = 16
"""Magnitudes below this are tokens."""

TOKENS = 80
"""Size of the alphabet."""

LARGEST_MAGNITUDE = (1 << 36) - 1
"""The last token of the alphabet still reaches this."""

PRECISION = 24
"""Frequencies of a table sum to ``2**PRECISION``."""

_TOPS = 256
"""The top bits of the low part of a state tell the first symbol that it may be, so that few are looked at."""

_MASK = (1 << PRECISION) - 1
_WORD = 32
_WORD_MASK = (1 << _WORD) - 1
_STATE = 64

_START_BIT, _FREQUENCY_BIT, _MORE_BIT = 6, 38, 63
_FREQUENCY_MASK = (1 << (_MORE_BIT - _FREQUENCY_BIT)) - 1

_LARGE_ROOM = 1 << 18
"""Words from which their room is a place of its own: memory that others have used would be held for it."""

_SLACK = 2
"""Words of room that a part has beside one for each symbol, which takes 24 bits at most: the state is two."""


class Run(NamedTuple):
    """Symbols in the order of coding, in groups that share a table.

    Parameters
    ----------
    symbols : ndarray of uint8, shape (n,)
        The symbols of all groups.
    tables : ndarray of int32, shape (groups,)
        Number of the table that codes each group.
    counts : ndarray of int32, shape (groups,)
        Symbols of each group; they sum to n.
    """

    symbols: NDArray[np.uint8]
    tables: NDArray[np.int32]
    counts: NDArray[np.int32]

    @staticmethod
    def of(symbols: NDArray[np.integer], table: int) -> Run:
        """Make a run of one group.

        Parameters
        ----------
        symbols : ndarray of integers, shape (n,)
            The symbols, 0 to 255.
        table : int
            Number of the table that codes them.

        Returns
        -------
        Run
        """
        return Run(
            symbols.astype(np.uint8),
            np.array([table], dtype=np.int32),
            np.array([len(symbols)], dtype=np.int32),
        )


class AnsCoder:
    """Encodes and decodes with a family of tables.

    Parameters
    ----------
    frequencies : ndarray of integers, shape (tables, symbols)
        Frequency of each symbol in each table: at least 1, and 2**24 in sum over a table. At most 256
        symbols.
    """

    def __init__(self, frequencies: NDArray[np.integer]) -> None:
        tables, symbols = frequencies.shape
        self.starts = np.zeros((tables, symbols + 1), dtype=np.uint32)
        np.cumsum(frequencies, axis=1, out=self.starts[:, 1:])
        tops = np.arange(_TOPS) << (PRECISION - 8)
        self.guess = np.array(
            [np.searchsorted(row, tops, side="right") - 1 for row in self.starts[:, :-1]], dtype=np.uint8
        ).reshape(tables, _TOPS)

    @cached_property
    def rows(self) -> list[list[int]]:
        """Cumulative frequencies of each table as Python integers, for the coder in plain Python."""
        return [row.tolist() for row in self.starts]

    @cached_property
    def pushes(self) -> NDArray[np.uint64]:
        """What an encoder needs of each symbol, shape (tables, symbols, 2); see `_find_pushes`."""
        tables, bounds = self.starts.shape
        found = np.empty((tables, bounds - 1, 2), dtype=np.uint64)
        _find_pushes(self.starts, found)
        return found

    def encode(self, runs: Sequence[Run]) -> NDArray[np.uint32]:
        """Encode symbols.

        Parameters
        ----------
        runs : sequence of Run
            Symbols in the order in which they are to be read.

        Returns
        -------
        ndarray of uint32, shape (words,)
            Words in reading order.
        """
        return self.encode_parts([runs])[0]

    def encode_parts(self, parts: Iterable[Sequence[Run]]) -> list[NDArray[np.uint32]]:
        """Encode parts that are decoded on their own: several take less time together than one by one.

        Parameters
        ----------
        parts : iterable of sequence of Run
            Symbols of each part in the order in which they are to be read. Two parts go side by side, so the
            largest one is best given first. No part is held once the next is asked for.

        Returns
        -------
        list of ndarray of uint32, shape (words,)
            Words of each part in reading order.
        """
        symbols, nothing = bytearray(), np.zeros(0, dtype=np.int32)
        tables, counts, rooms, ends = [nothing], [nothing], [0], [0]
        for runs in parts:
            _append(symbols, runs)
            tables += [run.tables for run in runs]
            counts += [run.counts for run in runs]
            rooms.append(len(symbols) + _SLACK * len(rooms))
            ends.append(ends[-1] + sum(len(run.tables) for run in runs))
            del runs
        words = _room(rooms[-1])
        lengths = np.empty(len(ends) - 1, dtype=np.int64)
        _encode(
            np.frombuffer(symbols, dtype=np.uint8),
            np.concatenate(tables),
            np.concatenate(counts),
            np.array(ends[1:], dtype=np.int64),
            self.pushes,
            words,
            lengths,
        )
        return [words[end - length : end] for end, length in zip(rooms[1:], lengths.tolist(), strict=True)]

    def decoder(self, words: NDArray[np.uint32]) -> AnsDecoder:
        """Start to decode.

        Parameters
        ----------
        words : ndarray of uint32, shape (words,)
            Words in reading order.

        Returns
        -------
        AnsDecoder

        Raises
        ------
        StreamError
            If the first word is 0.
        """
        return AnsDecoder(self, words)


def _room(words: int) -> NDArray[np.uint32]:
    """Memory for words, of which few are written where most symbols are zero: then the rest takes none."""
    if words < _LARGE_ROOM:
        return np.empty(words, dtype=np.uint32)
    return np.frombuffer(mmap.mmap(-1, 4 * words), dtype=np.uint32)


@structure(
    "bf_reader(words: uint32[word_count], word_count: int64, next_word: int64, state: uint64,"
    " starts: uint32[tables, *], guess: uint8[tables, 256], table_size: int32 = starts.shape[1] - 1)"
)
class AnsDecoder(Structure):
    """Reads symbols back in the order in which they were encoded.

    Parameters
    ----------
    coder : AnsCoder
        The tables.
    words : ndarray of uint32, shape (words,)
        Words in reading order.

    Raises
    ------
    StreamError
        If the first word is 0: an encoder never writes that, and not every coder would notice.
    """

    next_word: int
    state: int

    def __init__(self, coder: AnsCoder, words: NDArray[np.uint32]) -> None:
        if words.size and words[0] == 0:
            raise StreamError("entropy-coded data start with an empty word: the segment is corrupt")
        self.coder = coder
        state = 0
        for word in words[:2].tolist():
            state = state << _WORD | word
        super().__init__(
            words=np.ascontiguousarray(words, dtype=np.uint32),
            next_word=min(len(words), 2),
            state=state,
            starts=coder.starts,
            guess=coder.guess,
        )

    def decode(self, count: int, table: int) -> NDArray[np.int32]:
        """Read symbols of one table.

        Parameters
        ----------
        count : int
            Number of symbols. Behind the end of the words there is symbol 0 for ever.
        table : int
            Number of the table that codes them.

        Returns
        -------
        ndarray of int32, shape (count,)
        """
        symbols = np.empty(count, dtype=np.int32)
        _decode(self, table, symbols)
        return symbols

    def finish(self) -> None:
        """Check that everything was read.

        Raises
        ------
        StreamError
            If words or information are left over, which happens to a corrupt stream only.
        """
        if self.state or self.next_word != len(self.arrays["words"]):
            raise StreamError("entropy-coded data do not end where they should: the segment is corrupt")


def _append(symbols: bytearray, runs: Sequence[Run]) -> None:
    """Append what all runs hold."""
    for run in runs:
        symbols += run.symbols.data


@compiled(
    "bf_pushes(starts: uint32[tables, *], tables: int64, table_size: int32 = starts.shape[1] - 1,"
    " pushes: out(uint64[tables, table_size, 2]))"
)
def _find_pushes(starts: NDArray[np.uint32], pushes: NDArray[np.uint64]) -> None:
    """Replace divisions by frequencies, since processors multiply several times as fast as they divide.

    The first word of a symbol holds, from its lowest bit, a shift (6 bits), the sum of the frequencies
    before it (32), its frequency (25) and 0 or 1; the second one a reciprocal. The quotient of a state below
    ``frequency * 2**40`` is ``(state + that 0 or 1) * reciprocal``, shifted by 64 and the shift: exactly, by
    Granlund and Montgomery (Division by invariant integers using multiplication, 1994).
    """
    for table, bounds in enumerate(starts.tolist()):
        for symbol, start in enumerate(bounds[:-1]):
            frequency = bounds[symbol + 1] - start
            shift = max((frequency - 1).bit_length() - 1, 0)
            reciprocal, rest = divmod(1 << (_STATE + shift), frequency)
            error = frequency - rest if rest else 0
            more = frequency == 1 or error * frequency > 1 << (PRECISION + shift)
            # That of frequency 1 would have 65 bits.
            reciprocal += -1 if frequency == 1 else int(rest > 0 and not more)
            told = more << _MORE_BIT | frequency << _FREQUENCY_BIT | start << _START_BIT | shift
            pushes[table, symbol, 0], pushes[table, symbol, 1] = told, reciprocal


@compiled(
    "bf_encode(symbols: uint8[*], tables: int32[groups], counts: int32[groups], ends: int64[parts],"
    " parts: int64, pushes: uint64[*, table_size, 2], table_size: int32, words: out(uint32[*]),"
    " lengths: out(int64[parts]))"
)
def _encode(
    symbols: NDArray[np.uint8],
    tables: NDArray[np.int32],
    counts: NDArray[np.int32],
    ends: NDArray[np.int64],
    pushes: NDArray[np.uint64],
    words: NDArray[np.uint32],
    lengths: NDArray[np.int64],
) -> None:
    """Fill the words of each part from the end of its room, and tell how many there are."""
    begin = end = room = 0
    for part, last in enumerate(ends.tolist()):
        end += int(counts[begin:last].sum())
        room += int(counts[begin:last].sum()) + _SLACK
        lengths[part] = _encode_part(
            symbols[:end], tables[begin:last], counts[begin:last], pushes, words[:room]
        )
        begin = last


def _encode_part(
    symbols: NDArray[np.uint8],
    tables: NDArray[np.int32],
    counts: NDArray[np.int32],
    pushes: NDArray[np.uint64],
    words: NDArray[np.uint32],
) -> int:
    """Encode the last of the symbols; fill words from their end, and return how many there are."""
    state, left, end = 0, len(words), len(symbols)
    for table, count in zip(tables[::-1].tolist(), counts[::-1].tolist(), strict=True):
        row = pushes[table, :, 0].tolist()
        for symbol in symbols[end - count : end][::-1].tolist():
            frequency = row[symbol] >> _FREQUENCY_BIT & _FREQUENCY_MASK
            start = row[symbol] >> _START_BIT & _WORD_MASK
            # A symbol of frequency f is pushed once state < f * 2**(64 - 24).
            if state >> (64 - PRECISION) >= frequency:
                left -= 1
                words[left] = state & _WORD_MASK
                state >>= _WORD
            state = (state // frequency << PRECISION) + start + state % frequency
        end -= count
    while state:
        left -= 1
        words[left] = state & _WORD_MASK
        state >>= _WORD
    return len(words) - left


@compiled("bf_decode(reader: out(bf_reader), table: int32, count: int64, symbols: out(int32[count]))")
def _decode(reader: AnsDecoder, table: int, symbols: NDArray[np.int32]) -> None:
    row, words = reader.coder.rows[table], reader.arrays["words"]
    state, place = reader.state, reader.next_word
    for index in range(len(symbols)):
        low = state & _MASK
        symbol = bisect_right(row, low) - 1
        state = (row[symbol + 1] - row[symbol]) * (state >> PRECISION) + low - row[symbol]
        if state >> _WORD == 0 and place < len(words):
            state = state << _WORD | int(words[place])
            place += 1
        symbols[index] = symbol
    reader.state, reader.next_word = state, place


def to_tokens(magnitudes: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Split magnitudes into tokens and numbers of raw bits.

    Parameters
    ----------
    magnitudes : ndarray of int64, shape (n,)
        0 to `LARGEST_MAGNITUDE`.

    Returns
    -------
    tokens : ndarray of int32, shape (n,)
        Symbols, 0 to ``TOKENS - 1``.
    widths : ndarray of int32, shape (n,)
        Low bits of the magnitude that follow raw.
    """
    tokens = magnitudes.astype(np.int32)
    widths = np.zeros_like(tokens)
    large = np.flatnonzero(magnitudes >= DIRECT)
    if large.size:
        value = magnitudes[large]
        exponent = np.frexp(value.astype(np.float64))[1].astype(np.int64) - 1
        tokens[large] = DIRECT + 2 * (exponent - 4) + ((value >> (exponent - 1)) & 1)
        widths[large] = exponent - 1
    return tokens, widths


def token_base(tokens: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Smallest magnitude of each token and the number of raw bits to add: the inverse of `to_tokens`.

    Parameters
    ----------
    tokens : ndarray of int32, shape (n,)
        Symbols, 0 to ``TOKENS - 1``.

    Returns
    -------
    base : ndarray of int64, shape (n,)
        What the raw bits are added to.
    widths : ndarray of int32, shape (n,)
        Raw bits that follow.
    """
    base = tokens.astype(np.int64)
    widths = np.zeros_like(tokens)
    large = tokens >= DIRECT
    if large.any():
        octave, half = np.divmod(tokens[large].astype(np.int64) - DIRECT, 2)
        base[large] = (2 + half) << (octave + 3)
        widths[large] = octave + 3
    return base, widths
