"""Code words of the bit planes: words to symbols, symbols to codes (section 4.5.3.3 of CCSDS 122.0-B-2).

A word of two to four bits says which of some coefficients, or sets of them, become significant. It is
mapped to a symbol, the likelier the smaller, and the symbol is coded with one of some codes that a gaggle
chooses for each length of words. Words of one bit and signs are written as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

PLAIN, FAMILIES_WORD, FOURS_WORD, RAW = range(4)
"""Kinds of words: parents, children and sets of grandchildren; which families have a significant descendant;
fours of grandchildren or their coefficients, one of which is known to be significant; bits not coded."""

SIZES = (2, 3, 4)
"""Bits of words that are coded."""

OPTION_BITS = {2: 1, 3: 2, 4: 2}
"""Bits that name the code that a gaggle uses for words of a size."""

_SYMBOLS = {
    (2, PLAIN): (0, 2, 1, 3),
    (3, PLAIN): (1, 4, 0, 5, 2, 6, 3, 7),
    (3, FAMILIES_WORD): (None, 3, 0, 4, 1, 5, 2, 6),
    (4, PLAIN): (10, 1, 3, 6, 2, 5, 9, 12, 0, 8, 7, 13, 4, 14, 11, 15),
    (4, FOURS_WORD): (None, 1, 3, 6, 2, 5, 9, 11, 0, 8, 7, 12, 4, 13, 10, 14),
}
"""Symbol of each word (tables 4-12 to 4-14); None marks words that cannot be."""

_CODES = {
    (2, 0): "1 01 001 000",
    (3, 0): "1 01 001 00000 00001 00010 000110 000111",
    (3, 1): "10 11 010 011 0010 0011 0000 0001",
    (4, 0): "1 01 001 0001 0000000 0000001 0000010 0000011 "
    "00001000 00001001 00001010 00001011 00001100 00001101 00001110 00001111",
    (
        4,
        1,
    ): "10 11 010 011 0010 0011 000000 000001 000010 000011 000100 000101 0001100 0001101 0001110 0001111",
    (4, 2): "100 101 110 111 0100 0101 0110 0111 00100 00101 00110 00111 00000 00001 00010 00011",
}
"""Codes of symbols, by size of the words and number of the code (tables 4-15 to 4-17)."""

_UNCODED = {2: 1, 3: 3, 4: 3}
"""Number of the code that writes the symbol as it is."""

OPTIONS = {2: (0, 1), 3: (0, 1, 3), 4: (0, 1, 2, 3)}
"""Codes that there are for each size."""


def _code(size: int, option: int) -> list[str]:
    if option == _UNCODED[size]:
        return ["".join(bits) for bits in product("01", repeat=size)]
    return _CODES[size, option].split()


def _symbols(size: int, kind: int) -> Sequence[int | None]:
    """Symbols of words; a kind without a table of its own for words of a size takes the plain one."""
    return _SYMBOLS.get((size, kind), _SYMBOLS[size, PLAIN])


def _coding_tables() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Code and length of every word, by size, kind, option and word."""
    codes, lengths = np.zeros((2, 5, 4, 4, 16), np.int64)
    for size, kind in product(SIZES, (PLAIN, FAMILIES_WORD, FOURS_WORD)):
        for option in OPTIONS[size]:
            texts = _code(size, option)
            for word, symbol in enumerate(_symbols(size, kind)):
                if symbol is not None:
                    codes[size, kind, option, word] = int(texts[symbol], 2)
                    lengths[size, kind, option, word] = len(texts[symbol])
    for size in range(1, 5):
        alike = np.arange(16)
        for kind in range(4) if size == 1 else (RAW,):
            codes[size, kind, :], lengths[size, kind, :] = alike, size
    return codes, lengths


CODES, LENGTHS = _coding_tables()
"""Code and its length in bits of every word: int64, shape (sizes, kinds, options, words)."""


def _reading_tables() -> dict[tuple[int, int, int], list[tuple[int, int]]]:
    tables = {}
    for size, kind in product(SIZES, (PLAIN, FAMILIES_WORD, FOURS_WORD)):
        for option in OPTIONS[size]:
            # A code that stands for a word that cannot be is read as no word at all.
            table = [(0, 8)] * 256
            for word, symbol in enumerate(_symbols(size, kind)):
                if symbol is not None:
                    text = _code(size, option)[symbol]
                    for rest in range(1 << (8 - len(text))):
                        table[(int(text, 2) << (8 - len(text))) + rest] = (word, len(text))
            tables[size, kind, option] = table
    return tables


READING = _reading_tables()
"""By size, kind and option: word and length of its code, for each value of the next eight bits."""
