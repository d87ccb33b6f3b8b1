"""Samples that are kept exactly come back bit by bit, and cost little where they are alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.payloads.escape_code import LOW_BITS, Escapes, read_escapes, write_escapes
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.common.errors import StreamError

TABLES = load_tables()


def written(block, mask):
    payload = PayloadWriter(TABLES)
    write_escapes(payload, Escapes.of(block, mask), block.shape)
    return payload.data()


def read(data, shape, dtype):
    payload = PayloadReader(TABLES, data)
    found = read_escapes(payload, shape, np.dtype(dtype))
    payload.finish()
    return found


def bits_of(values):
    return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}")


@settings(max_examples=60, deadline=None)
@given(data=st.data(), dtype=st.sampled_from(sorted(LOW_BITS)))
def test_any_samples_come_back_bit_by_bit(data, dtype):
    shape = data.draw(st.tuples(*(st.integers(1, 6),) * 3))
    # Of the bits of the type all patterns are possible: NaN with a payload, subnormal numbers, -0.
    patterns = data.draw(arrays.arrays(f"u{np.dtype(dtype).itemsize}", shape))
    mask = data.draw(arrays.arrays(bool, shape))
    if not mask.any():
        assert Escapes.of(patterns.view(dtype), mask) is None
        return
    found = read(written(patterns.view(dtype), mask), shape, dtype)
    samples = np.zeros(shape, dtype)
    found.put(samples, slice(0, shape[0]), shape[1])
    np.testing.assert_array_equal(bits_of(samples)[mask], patterns[mask])
    assert not bits_of(samples)[~mask].any()


def test_some_bands_take_theirs():
    block = np.arange(60, dtype="f4").reshape(5, 4, 3)
    found = Escapes.of(block, block % 7 == 0)
    samples = np.zeros((2, 4, 3), "f4")
    found.put(samples, slice(2, 4), 4)
    np.testing.assert_array_equal(samples, np.where(block[2:4] % 7 == 0, block[2:4], 0))


@pytest.mark.parametrize("whole", ["band", "pixels"])
def test_whole_bands_and_whole_pixels_cost_a_few_bytes(whole):
    block = np.full((40, 32, 50), np.nan, "f4")
    mask = np.zeros(block.shape, bool)
    if whole == "band":
        mask[[3, 20]] = True
    else:
        mask[:, 5:9] = True
    assert len(written(block, mask)) < 40


def test_scattered_outliers_cost_little_more_than_their_bits():
    generator = np.random.default_rng(1)
    block = generator.normal(0, 1e6, (20, 30, 40)).astype("f4")
    mask = generator.random(block.shape) < 1e-2
    assert len(written(block, mask)) < 6 * mask.sum()


def test_what_is_corrupt_is_named():
    block = np.arange(24, dtype="f4").reshape(2, 3, 4)
    data = written(block, block > 20)
    assert read(data, (2, 3, 4), "f4").places.tolist() == [21, 22, 23]
    with pytest.raises(StreamError):
        read(data, (2, 3, 3), "f4")
    with pytest.raises(StreamError, match="beside counts"):
        read(data, (2, 3, 4), "u2")
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 0x55
        try:
            read(bytes(damaged), (2, 3, 4), "f4")
        except StreamError:
            continue
