"""Magnitudes as tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bandfold.bitstream.entropy.ans import DIRECT, LARGEST_MAGNITUDE, TOKENS, to_tokens, token_base


def test_tokens_cover_all_magnitudes_without_gap():
    base, widths = token_base(np.arange(TOKENS, dtype=np.int32))
    assert base[0] == 0
    np.testing.assert_array_equal(base[1:], base[:-1] + (1 << widths[:-1].astype(np.int64)))
    np.testing.assert_array_equal(base[:DIRECT], np.arange(DIRECT))
    assert not widths[:DIRECT].any()


def test_the_largest_magnitude_is_the_end_of_the_last_token():
    base, widths = token_base(np.array([TOKENS - 1], dtype=np.int32))
    assert int(base[0]) + (1 << int(widths[0])) - 1 == LARGEST_MAGNITUDE


@pytest.mark.parametrize(
    ("magnitude", "token", "width"),
    [
        (0, 0, 0),
        (15, 15, 0),
        (16, 16, 3),
        (23, 16, 3),
        (24, 17, 3),
        (31, 17, 3),
        (32, 18, 4),
        (65535, 39, 14),
    ],
)
def test_known_tokens(magnitude, token, width):
    tokens, widths = to_tokens(np.array([magnitude], dtype=np.int64))
    assert (int(tokens[0]), int(widths[0])) == (token, width)


@given(st.lists(st.integers(0, (1 << 36) - 1) | st.integers(0, 40), max_size=20))
def test_token_and_low_bits_give_the_magnitude_back(magnitudes):
    array = np.array(magnitudes, dtype=np.int64)
    tokens, widths = to_tokens(array)
    base, same = token_base(tokens)
    np.testing.assert_array_equal(widths, same)
    np.testing.assert_array_equal(base + (array & ((1 << widths.astype(np.int64)) - 1)), array)


@pytest.mark.parametrize("octave", range(4, 36))
def test_borders_of_every_octave(octave):
    # The exponent comes from a float: the last integer of an octave must not be rounded into the next one.
    array = np.array(
        [(1 << octave) - 1, 1 << octave, (3 << (octave - 1)) - 1, 3 << (octave - 1)], dtype=np.int64
    )
    tokens, _ = to_tokens(array)
    first = DIRECT + 2 * (octave - 4)
    assert tokens.tolist() == [first - 1, first, first, first + 1]
