"""The entropy coder of refinement: four interleaved rANS states over static tables, and raw bits beside them.

Numbers are coded as tokens (`bandfold.bitstream.entropy.ans.to_tokens`) of their magnitudes. States have 64
bits and emit words of 32 (J. Duda, arXiv:1311.2540; interleaving: F. Giesen, arXiv:1402.3392). The sample in
column x of a line is coded by state ``x % 4``, so that four of them are decoded at a time. All states start
at 2**32, to which a decoder must come back.

Raw bits follow in the order of samples: the sign, 1 for negative numbers, where the token is not 0; the low
bits of the magnitude that the token leaves open; and the low bits that a band writes raw.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.entropy.ans import PRECISION, TOKENS, to_tokens, token_base
from bandfold.bitstream.payloads.raw_bits import field_bits
from bandfold.common.errors import StreamError
from bandfold.common.kernels import Structure, compiled, structure

from .contexts import ABSENT, LineContexts, Past
from .scales import FIRST_CLASS, OCTAVE, class_of, raw_bits, scale_of
from .tables import RefinementTables

STATES = 4
"""Interleaved states."""

START = 1 << 32
"""Where each state starts, and the least that it may be."""

PADDING = 8
"""Bytes behind raw bits that a reader may look at."""

_WORD = 32
_WORD_MASK = (1 << _WORD) - 1
_MASK = (1 << PRECISION) - 1
_SYMBOL_BYTES = 12
_TRUNCATED = "refinement ends too early: the section is corrupt"


class SymbolWriter:
    """Collects blocks of numbers with their classes, and codes them at the end, last ones first.

    Parameters
    ----------
    tables : RefinementTables
        Frequencies of each class.
    """

    def __init__(self, tables: RefinementTables) -> None:
        self._tables = tables
        self._blocks: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = []
        self._bytes = bytearray()
        self._open = np.zeros(1, dtype=np.uint8)
        self._filled = 0

    def append(
        self,
        numbers: NDArray[np.int32],
        classes: NDArray[np.uint8],
        raw: int = 0,
        room: NDArray[np.uint8] | None = None,
    ) -> None:
        """Append numbers.

        Parameters
        ----------
        numbers : ndarray of int32, shape (lines, samples)
            The numbers.
        classes : ndarray of uint8, same shape
            Class of each; those of class `ABSENT` are left out.
        raw : int
            Low bits that are written raw, see `bandfold.bitstream.refinement.scales.raw_bits`.
        room : ndarray of uint8, shape (2, lines, samples), optional
            Memory that is left to the writer: until all is coded, it has to remember the numbers.
        """
        tokens = np.empty(numbers.shape, dtype=np.uint8) if room is None else room[0]
        if room is not None:
            room[1] = classes
            classes = room[1]
        bits = np.empty(_SYMBOL_BYTES * numbers.size + PADDING, dtype=np.uint8)
        bits[0] = self._open[0]
        end = _tokens(numbers, classes, raw, self._filled, tokens, bits)
        whole, self._filled = divmod(end, 8)
        self._bytes += bits[:whole].data
        self._open[0] = bits[whole] if self._filled else 0
        self._blocks.append((tokens, classes))

    def cheapest(self, numbers: NDArray[np.int64]) -> tuple[float, int]:
        """Find the scale with which numbers take least.

        Parameters
        ----------
        numbers : ndarray of int64, shape (n,)
            The numbers.

        Returns
        -------
        bits : float
        scale : int
            One of a class in which no bits are raw, or where numbers are larger that of their mean.
        """
        magnitudes = np.abs(numbers)
        total = int(magnitudes.sum())
        scale = scale_of(total, len(numbers)) if total else 0
        raw = raw_bits(scale)
        tokens, widths = to_tokens(np.abs(numbers >> raw))
        counts = np.bincount(tokens, minlength=TOKENS)
        costs = self._tables.costs @ counts
        more = float(widths.sum() + (raw + 1) * len(numbers) - counts[0])
        if raw:
            return float(costs[class_of(scale - OCTAVE * raw)]) + more, scale
        best = int(costs.argmin())
        return float(costs[best]) + more, FIRST_CLASS + 2 * best

    def followed_by(self, other: SymbolWriter) -> bytes:
        """All that was appended, here and then in another: words, then raw bits of each in whole bytes.

        Parameters
        ----------
        other : SymbolWriter
            Of the same tables.

        Returns
        -------
        bytes
            The number of words comes first, as 4 bytes.
        """
        blocks = self._blocks + other._blocks
        symbols = sum(tokens.size for tokens, _ in blocks)
        words = np.empty(symbols + 2 * STATES, dtype=np.uint32)
        states = np.full(STATES, START, dtype=np.uint64)
        left = len(words)
        for tokens, classes in reversed(blocks):
            left = _encode(self._tables, tokens, classes, states, words, left)
        for state in reversed(states.tolist()):
            words[left - 2 : left] = state >> _WORD, state & _WORD_MASK
            left -= 2
        found = words[left:].astype("<u4", copy=False)
        count = len(found).to_bytes(4, "little")
        return b"".join([count, found.data, *self._bits(), *other._bits()])

    def _bits(self) -> list[bytes | bytearray]:
        return [self._bytes, self._open.tobytes() if self._filled else b""]


@compiled(
    "bf_refinement_tokens(numbers: int32[lines, samples], classes: uint8[lines, samples], lines: int32,"
    " samples: int32, raw: int32, next_bit: int64, tokens: out(uint8[lines, samples]), bits: out(uint8[*]))"
    " -> int64"
)
def _tokens(
    numbers: NDArray[np.int32],
    classes: NDArray[np.uint8],
    raw: int,
    next_bit: int,
    tokens: NDArray[np.uint8],
    bits: NDArray[np.uint8],
) -> int:
    """Fill tokens and raw bits from `next_bit` on, and return where they end."""
    values = numbers.astype(np.int64).ravel()
    high = values >> raw
    found, widths = to_tokens(np.abs(high))
    tokens[:] = found.reshape(tokens.shape)
    coded = classes.ravel() != ABSENT
    values, high, found, widths = values[coded], high[coded], found[coded], widths[coded]
    fields = np.stack([high < 0, np.abs(high), values], axis=1).astype(np.int64)
    lengths = np.stack([found != 0, widths, np.full_like(found, raw)], axis=1).astype(np.int32)
    flags = field_bits(fields.ravel(), lengths.ravel())
    kept = np.unpackbits(bits[:1])[:next_bit]
    packed = np.packbits(np.concatenate([kept, flags]))
    bits[: len(packed)] = packed
    return next_bit + len(flags)


@compiled(
    "bf_refinement_encode(tables: bf_refinement, tokens: uint8[lines, samples],"
    " classes: uint8[lines, samples], lines: int32, samples: int32, states: out(uint64[4]),"
    " words: out(uint32[*]), left: int64) -> int64"
)
def _encode(
    tables: RefinementTables,
    tokens: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    states: NDArray[np.uint64],
    words: NDArray[np.uint32],
    left: int,
) -> int:
    """Code a block, last symbol first, into words that end at `left`; return where they start."""
    now = states.tolist()
    lines, samples = tokens.shape
    for line in range(lines - 1, -1, -1):
        kinds, symbols = classes[line].tolist(), tokens[line].tolist()
        for column in range(samples - 1, -1, -1):
            if kinds[column] == ABSENT:
                continue
            row, symbol, state = tables.rows[kinds[column]], symbols[column], now[column % STATES]
            frequency = row[symbol + 1] - row[symbol]
            if state >> (64 - PRECISION) >= frequency:
                left -= 1
                words[left] = state & _WORD_MASK
                state >>= _WORD
            now[column % STATES] = (state // frequency << PRECISION) + row[symbol] + state % frequency
    states[:] = now
    return left


@structure(
    "bf_refinement_reader(tables: bf_refinement, words: uint32[word_count + 1], word_count: int64,"
    " bits: uint8[byte_count + 8], byte_count: int64, states: out(uint64[4]), next_word: int64,"
    " next_bit: int64)"
)
class SymbolReader(Structure):
    """Reads what a `SymbolWriter` wrote.

    Parameters
    ----------
    tables : RefinementTables
        Those that it was written with.
    data : bytes
        The payload.

    Raises
    ------
    StreamError
        If it is shorter than it says, or a state is out of its range.
    """

    next_word: int
    next_bit: int

    def __init__(self, tables: RefinementTables, data: bytes) -> None:
        count = int.from_bytes(data[:4], "little")
        start, end = 4 + 8 * STATES, 4 + 4 * count
        if len(data) < end or end < start:
            raise StreamError(_TRUNCATED)
        states = np.frombuffer(data[4:start], dtype="<u4").reshape(STATES, 2).astype(np.uint64)
        words = np.zeros(count - 2 * STATES + 1, dtype=np.uint32)
        words[:-1] = np.frombuffer(data[start:end], dtype="<u4")
        bits = np.frombuffer(data[end:] + bytes(PADDING), dtype=np.uint8)
        self.statistics = tables
        super().__init__(
            tables=tables,
            words=words,
            word_count=len(words) - 1,
            bits=bits,
            byte_count=len(bits) - PADDING,
            states=states[:, 0] << np.uint64(_WORD) | states[:, 1],
            next_word=0,
            next_bit=0,
        )
        if int(self.arrays["states"].min()) < START:
            raise StreamError("refinement starts with a state out of range: the section is corrupt")

    def numbers(self, count: int, scale: int) -> NDArray[np.int32]:
        """Read numbers of one scale.

        Parameters
        ----------
        count : int
            How many.
        scale : int
            Of their mean magnitude, see `bandfold.bitstream.refinement.scales`.

        Returns
        -------
        ndarray of int32, shape (count,)

        Raises
        ------
        StreamError
            If the payload ends too early, or a number has more than 31 bits.
        """
        found, raw = np.empty(count, dtype=np.int32), raw_bits(scale)
        _check(_read_numbers(self, class_of(scale - OCTAVE * raw), raw, found))
        return found

    def band(self, scale: int, absent: NDArray[np.uint8] | None, past: Past) -> NDArray[np.int32]:
        """Read the numbers of a band.

        Parameters
        ----------
        scale : int
            Of the band.
        absent : ndarray of uint8, shape (lines, samples), or None
            Not 0 where a sample is not coded.
        past : Past
            What is known of the bands before; the band is added.

        Returns
        -------
        ndarray of int32, shape (lines, samples)
            0 where samples are not coded.

        Raises
        ------
        StreamError
            As for `numbers`.
        """
        numbers = np.empty(past.last.shape, dtype=np.int32)
        _check(_read_band(self, past, scale, absent, numbers))
        past.swap()
        return numbers

    def align(self) -> None:
        """Go on with the next whole byte of raw bits."""
        self.next_bit = -(-self.next_bit // 8) * 8

    def finish(self) -> None:
        """Check that everything was read.

        Raises
        ------
        StreamError
            If anything is left over, which happens to a corrupt stream only.
        """
        rest = self.arrays["bits"][self.next_bit // 8 :].copy()
        rest[:1] &= 0xFF >> self.next_bit % 8
        left = 8 * (len(self.arrays["bits"]) - PADDING) - self.next_bit
        words = self.next_word != len(self.arrays["words"]) - 1
        if words or left >= 8 or rest.any() or (self.arrays["states"] != START).any():
            raise StreamError("refinement does not end where it should: the section is corrupt")


def _check(failure: int) -> None:
    if failure:
        raise StreamError(_TRUNCATED if failure == 1 else "refinement holds a number of more than 31 bits")


@compiled(
    "bf_refinement_read_numbers(reader: out(bf_refinement_reader), kind: int32, raw: int32, count: int64,"
    " numbers: out(int32[count])) -> int32"
)
def _read_numbers(reader: SymbolReader, kind: int, raw: int, numbers: NDArray[np.int32]) -> int:
    """Read numbers of one class; return 0, 1 if the payload ends too early, 2 if a number is too large."""
    classes = np.full(numbers.shape, kind, dtype=np.uint8)
    return _read_line(reader, classes, raw, numbers)


@compiled(
    "bf_refinement_read_band(reader: out(bf_refinement_reader), past: bf_refinement_past, scale: int32,"
    " absent: uint8[lines, samples] | None, lines: int32, samples: int32,"
    " numbers: out(int32[lines, samples])) -> int32"
)
def _read_band(
    reader: SymbolReader,
    past: Past,
    scale: int,
    absent: NDArray[np.uint8] | None,
    numbers: NDArray[np.int32],
) -> int:
    """Read the numbers of a band; returns as of `_read_numbers`."""
    contexts = LineContexts(reader.statistics, scale, past)
    for line in range(len(numbers)):
        classes = contexts.classes(line)
        gone = None if absent is None else absent[line] != 0
        if gone is not None:
            classes[gone] = ABSENT
        failure = _read_line(reader, classes, contexts.shift, numbers[line])
        if failure:
            return failure
        past.own[line] = contexts.learn(np.abs(numbers[line].astype(np.int64) >> contexts.shift), gone)
    past.average_in()
    return 0


def _read_line(reader: SymbolReader, classes: NDArray[np.uint8], raw: int, numbers: NDArray[np.int32]) -> int:
    states, words, rows = reader.arrays["states"], reader.arrays["words"], reader.statistics.rows
    bits, size = reader.arrays["bits"], 8 * (len(reader.arrays["bits"]) - PADDING)
    now, place, next_bit = states.tolist(), reader.next_word, reader.next_bit
    bases, widths = (part.tolist() for part in token_base(np.arange(len(rows[0]) - 1, dtype=np.int32)))
    failure = 0

    def field(width: int) -> int:
        nonlocal next_bit
        first, next_bit = next_bit, next_bit + width
        window = int.from_bytes(bits[first // 8 : (next_bit + 7) // 8].tobytes(), "big")
        return window >> -next_bit % 8 & (1 << width) - 1

    for column, kind in enumerate(classes.tolist()):
        numbers[column] = 0
        if kind == ABSENT:
            continue
        row, state = rows[kind], now[column % STATES]
        low = state & _MASK
        token = bisect_right(row, low) - 1
        state = (row[token + 1] - row[token]) * (state >> PRECISION) + low - row[token]
        if state < START:
            if place >= len(words) - 1:
                failure = 1
                break
            state = state << _WORD | int(words[place])
            place += 1
        now[column % STATES] = state
        if next_bit + (token != 0) + widths[token] + raw > size:
            failure = 1
            break
        negative = field(1) if token else 0
        high = bases[token] + field(widths[token])
        value = (-high if negative else high) * (1 << raw) + field(raw)
        if not -(1 << 31) <= value < 1 << 31:
            failure = 2
            break
        numbers[column] = value
    states[:] = now
    reader.next_word, reader.next_bit = place, next_bit
    return failure
