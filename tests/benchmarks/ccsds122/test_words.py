"""Code words of CCSDS 122: some by hand from the tables, and all of them read back."""

from itertools import product

import numpy as np
import pytest

from bandfold.benchmarks.ccsds122.bits import BitReader
from bandfold.benchmarks.ccsds122.differences import code_differences, read_differences
from bandfold.benchmarks.ccsds122.words import (
    CODES,
    FAMILIES_WORD,
    FOURS_WORD,
    LENGTHS,
    OPTIONS,
    PLAIN,
    READING,
)


def text(size, kind, option, word):
    return format(CODES[size, kind, option, word], f"0{LENGTHS[size, kind, option, word]}b")


@pytest.mark.parametrize(
    ("size", "kind", "option", "word", "code"),
    [
        (2, PLAIN, 0, 0b00, "1"),
        (2, PLAIN, 0, 0b01, "001"),
        (2, PLAIN, 1, 0b01, "10"),
        (3, PLAIN, 0, 0b010, "1"),
        (3, PLAIN, 1, 0b000, "11"),
        (3, FAMILIES_WORD, 0, 0b111, "000110"),
        (3, PLAIN, 3, 0b111, "111"),
        (4, PLAIN, 0, 0b0000, "00001010"),
        (4, PLAIN, 2, 0b1000, "100"),
        (4, FOURS_WORD, 1, 0b1111, "0001110"),
        (4, FOURS_WORD, 3, 0b0111, "1011"),
    ],
)
def test_words_of_the_tables(size, kind, option, word, code):
    assert text(size, kind, option, word) == code


@pytest.mark.parametrize("size", [2, 3, 4])
def test_words_come_back(size):
    for kind, option in product((PLAIN, FAMILIES_WORD, FOURS_WORD), OPTIONS[size]):
        for word in range(1 << size):
            length = LENGTHS[size, kind, option, word]
            if length:
                window = CODES[size, kind, option, word] << (8 - length)
                for rest in (0, (1 << (8 - length)) - 1):
                    assert READING[size, kind, option][window + rest] == (word, length)
            else:
                # Where something is known to be significant the word of zeros cannot be.
                assert word == 0


def test_differences_by_hand():
    # Four bits, from -8 to 7. Code 0 named in two bits; the first number as it is; differences 2, 0, 1.
    bits = code_differences(np.array([5, 6, 6, 5]), 4, signed=True)
    assert "".join(map(str, bits)) == "000101001101"


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("width", [2, 3, 5, 8, 9, 10])
def test_differences_come_back_as_far_as_they_go(width, signed):
    rng = np.random.default_rng(width)
    low = -(1 << (width - 1)) if signed else 0
    wild = rng.integers(0, 1 << width, 40) + low
    calm = np.clip(rng.integers(-1, 2, 60).cumsum(), low, low + (1 << width) - 1)
    for values in (wild, calm, np.concatenate([wild, calm]), wild[:1]):
        bits = code_differences(values, width, signed=signed)
        data = np.packbits(bits).tobytes()
        reader = BitReader(data, 0, len(data))
        assert (read_differences(reader, len(values), width, signed=signed) == values).all()
        assert reader.position == len(bits)
        cut = read_differences(BitReader(data, 0, len(data) // 2), len(values), width, signed=signed)
        assert len(cut) < len(values)
        assert (cut == values[: len(cut)]).all()
