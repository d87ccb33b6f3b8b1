"""Entries told by running means: they come back, with kernels and without, and bytes are the same."""

import contextlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.entropy.ans import LARGEST_MAGNITUDE
from bandfold.bitstream.payloads.entry_code import read_entries, write_entries
from bandfold.bitstream.payloads.payload import SIDE_UNIT, PayloadReader, PayloadWriter, side_class
from bandfold.bitstream.payloads.vector_code import FINEST_PRECISION, LARGEST_ENTRY, RowMeans
from bandfold.common import kernels
from bandfold.common.errors import StreamError

TABLES = load_tables()

LARGEST_MEAN = LARGEST_MAGNITUDE * SIDE_UNIT

MAGNITUDES = st.integers(0, 40) | st.integers(0, LARGEST_MAGNITUDE)


def _kernels(quickly):
    return contextlib.nullcontext() if quickly else kernels.switched_off()


def _written(vectors, mean, rows):
    """Bytes of vectors of the same rows, and running means behind them."""
    writer, rows = PayloadWriter(TABLES), rows.copy()
    for entries in vectors:
        write_entries(writer, entries, mean, rows)
    return writer.data(), rows


def _read(data, count, mean, rows):
    reader, rows = PayloadReader(TABLES, data), rows.copy()
    vectors = [read_entries(reader, mean, rows) for _ in range(count)]
    reader.finish()
    return vectors, rows


@st.composite
def _vectors(draw):
    length = draw(st.integers(1, 12))
    signed = MAGNITUDES.flatmap(lambda size: st.sampled_from([size, -size]))
    entries = st.lists(signed, min_size=length, max_size=length)
    rows = draw(st.lists(st.integers(0, 20) | st.integers(0, LARGEST_MEAN), min_size=length, max_size=length))
    vectors = draw(st.lists(entries, min_size=1, max_size=4))
    return np.array(vectors, dtype=np.int64), np.array(rows, dtype=np.int64)


@settings(max_examples=80, deadline=None)
@given(_vectors(), st.integers(1, 1 << 24))
@example((np.full((3, 2), -LARGEST_MAGNITUDE), np.full(2, LARGEST_MEAN)), 1)
@example((np.array([[LARGEST_MAGNITUDE, 0], [0, -LARGEST_MAGNITUDE], [0, 0]]), np.zeros(2, np.int64)), 1)
def test_entries_come_back_with_kernels_and_without(drawn, mean):
    vectors, rows = drawn
    data, behind = _written(vectors, mean, rows)
    with kernels.switched_off():
        slowly, slowly_behind = _written(vectors, mean, rows)
        slowly_found, slowly_found_behind = _read(data, len(vectors), mean, rows)
    assert data == slowly
    found, found_behind = _read(data, len(vectors), mean, rows)
    np.testing.assert_array_equal(found, vectors)
    np.testing.assert_array_equal(slowly_found, vectors)
    for other in (slowly_behind, found_behind, slowly_found_behind):
        np.testing.assert_array_equal(behind, other)
    assert behind.min() >= 1


@pytest.mark.parametrize("quickly", [True, False])
def test_tables_follow_both_means(quickly, monkeypatch):
    """A row of which nothing is known follows its vector, which moves by a half; rows move by a quarter."""
    runs = []
    writer = PayloadWriter(TABLES)
    monkeypatch.setattr(writer, "append", lambda run, bits: runs.append((run, bits)))
    rows = np.zeros(3, np.int64)
    with _kernels(quickly):
        write_entries(writer, np.array([4, -8, 0]), 2 * SIDE_UNIT, rows)
        write_entries(writer, np.array([0, 8, -20]), 2 * SIDE_UNIT, rows)
    # Of vectors 2, 3, 5.5 and 2, 1, 4.5; the second time with 4, 8 and 1 / 256 of rows.
    expected = [[512, 768, 1408], [(512 + 1024) // 2, (256 + 2048) // 2, (1152 + 1) // 2]]
    first = TABLES.first_table("side")
    for (run, bits), means, signs in zip(runs, expected, ([0, 1], [0, 1]), strict=True):
        assert run.tables.tolist() == [first + side_class(mean) for mean in means]
        assert bits.tolist()[-2:] == signs
    assert rows.tolist() == [1024 - 256, 2048, 1 + ((20 * 256 - 1) >> 2)]


@pytest.mark.parametrize("quickly", [True, False])
@pytest.mark.parametrize("entries", [[1 << 20], [0, 3, -1, 4, 1, -5, 9, 2, 6]])
def test_raw_bits_that_end_too_early_are_refused(quickly, entries):
    """Of a magnitude, or signs."""
    rows = np.zeros(len(entries), np.int64)
    data, _ = _written([np.array(entries)], SIDE_UNIT, rows)
    # Raw bits are behind words.
    reader = PayloadReader(TABLES, data[:-1])
    with _kernels(quickly), pytest.raises(StreamError, match="raw bits end too early"):
        read_entries(reader, SIDE_UNIT, rows)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, (1 << 32) - 1), max_size=8), st.binary(max_size=60), st.integers(1, 40))
def test_whatever_comes_is_read_alike(words, bits, length):
    data, found = bytes([len(words)]) + np.array(words, "<u4").tobytes() + bits, []
    for quickly in (True, False):
        rows = np.zeros(length, np.int64)
        with _kernels(quickly):
            try:
                found.append((read_entries(PayloadReader(TABLES, data), 40 * SIDE_UNIT, rows), rows))
            except StreamError:
                found.append(None)
    assert (found[0] is None) == (found[1] is None)
    if found[0] is not None:
        np.testing.assert_array_equal(found[0], found[1])


def test_means_of_rows_follow_the_precision_of_vectors():
    means, every = RowMeans(np.zeros(3, np.int64), follow=True), np.arange(3)
    first, rows = means.begin(every, 5)
    assert first == 205 * 2**5 // 3**0.5
    assert rows.tolist() == [0, 0, 0]
    means.end(every[:2], np.array([3, 800]))
    assert means.begin(every, 7)[1].tolist() == [12, 3200, 0]
    assert means.begin(every[1:], 2)[1].tolist() == [100, 0]
    assert means.begin(every, 1)[1].tolist() == [1, 50, 0]


def test_rows_that_are_shifted_expect_less():
    """Of the first row that is told; running means of rows stay, whatever the precision."""
    means = RowMeans(np.array([0, 4, 16]))
    usual = 205 * 2**6 // 2**0.5
    assert means.begin(np.array([1, 2]), 6)[0] == usual // 16
    means.end(np.array([1, 2]), np.array([70, 9]))
    first, rows = means.begin(np.array([2]), 1)
    assert first == 1
    assert rows.tolist() == [9]


def test_no_entry_that_passes_is_too_large_to_shift():
    """NumPy says nothing where integers overflow in a shift, so what comes back is looked at."""
    means, largest = RowMeans(np.zeros(2, np.int64), follow=True), 4 * LARGEST_ENTRY * SIDE_UNIT
    every = np.arange(2)
    means.begin(every, 1)
    means.end(every, np.array([largest, 1]))
    assert means.begin(every, FINEST_PRECISION)[1].tolist() == [largest << 15, 1 << 15]
    assert means.begin(every, 1)[1].tolist() == [largest, 1]
