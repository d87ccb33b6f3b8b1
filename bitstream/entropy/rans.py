"""Asymmetric numeral systems in plain Python: the same bytes as constriction's ``AnsCoder``, anywhere.

A 64-bit state, 32-bit words and tables that sum to 2**24 (Duda, arXiv:1311.2540). constriction has no wheel
for Linux on ARM, which is where the encoder flies; this coder takes its place there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import StreamError

PRECISION = 24
"""Frequencies of a table sum to ``2**PRECISION``."""

_MASK = (1 << PRECISION) - 1
_WORD = 32
_WORD_MASK = (1 << _WORD) - 1


class RansTable:
    """A table of frequencies, ready for coding.

    Parameters
    ----------
    frequencies : ndarray of integers, shape (symbols,)
        Each at least 1, summing to ``2**24``.
    """

    def __init__(self, frequencies: NDArray[np.integer]) -> None:
        self.frequencies: list[int] = [int(f) for f in frequencies]
        self.starts: list[int] = [0, *np.cumsum(frequencies[:-1], dtype=np.int64).tolist()]


def encode(groups: Sequence[tuple[NDArray[np.int32], RansTable]]) -> NDArray[np.uint32]:
    """Encode groups of symbols so that `RansDecoder` reads them in the order given.

    Parameters
    ----------
    groups : sequence of (ndarray of int32, RansTable)
        Symbols and the table that codes them.

    Returns
    -------
    ndarray of uint32
        Words in the order in which a decoder reads them.
    """
    state = 0
    words: list[int] = []
    for symbols, table in reversed(groups):
        frequencies, starts = table.frequencies, table.starts
        # A symbol whose frequency is f is pushed once state < f * 2**(64 - 24).
        for symbol in reversed(symbols.tolist()):
            frequency = frequencies[symbol]
            if state >> (64 - PRECISION) >= frequency:
                words.append(state & _WORD_MASK)
                state >>= _WORD
            state = (state // frequency << PRECISION) + starts[symbol] + state % frequency
    while state:
        words.append(state & _WORD_MASK)
        state >>= _WORD
    return np.array(words[::-1], dtype=np.uint32)


class RansDecoder:
    """Reads symbols back in the order in which they were given to `encode`.

    Parameters
    ----------
    words : ndarray of uint32
        In reading order.
    """

    def __init__(self, words: NDArray[np.uint32]) -> None:
        self._words: list[int] = words.tolist()
        self._next = 0
        self._state = 0
        for _ in range(min(2, len(self._words))):
            self._state = self._state << _WORD | self._pop()

    def _pop(self) -> int:
        self._next += 1
        return self._words[self._next - 1]

    def decode(self, count: int, table: RansTable) -> NDArray[np.int32]:
        """Read symbols of one table.

        Parameters
        ----------
        count : int
        table : RansTable

        Returns
        -------
        ndarray of int32, shape (count,)
        """
        frequencies, starts = table.frequencies, table.starts
        state, result = self._state, []
        for _ in range(count):
            low = state & _MASK
            symbol = bisect_right(starts, low) - 1
            state = frequencies[symbol] * (state >> PRECISION) + low - starts[symbol]
            if state >> _WORD == 0 and self._next < len(self._words):
                state = state << _WORD | self._pop()
            result.append(symbol)
        self._state = state
        return np.array(result, dtype=np.int32)

    def finish(self) -> None:
        """Check that everything was read.

        Raises
        ------
        StreamError
            If words or information are left over, which happens to a corrupt stream only.
        """
        if self._state or self._next != len(self._words):
            raise StreamError("entropy-coded data do not end where they should: the segment is corrupt")


def refuse_empty_word(words: NDArray[np.uint32]) -> None:
    """Refuse a leading zero: an encoder never writes one, and not every coder would notice.

    Parameters
    ----------
    words : ndarray of uint32
        In reading order.

    Raises
    ------
    StreamError
        If the first word is 0.
    """
    if words.size and words[0] == 0:
        raise StreamError("entropy-coded data start with an empty word: the segment is corrupt")
