"""Masks of absent samples come back exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.payloads.no_data_code import read_mask, write_mask
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.common.errors import StreamError

TABLES = load_tables()


def _round_trip(mask):
    writer = PayloadWriter(TABLES)
    write_mask(writer, mask)
    data = writer.data()
    reader = PayloadReader(TABLES, data)
    found = read_mask(reader, mask.shape)
    reader.finish()
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, mask)
    return data


@settings(max_examples=80, deadline=None)
@given(st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)), st.data())
def test_any_mask_comes_back(shape, data):
    size = int(np.prod(shape))
    cells = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    _round_trip(np.array(cells).reshape(shape))


@pytest.mark.parametrize("value", [False, True])
def test_all_alike(value):
    assert len(_round_trip(np.full((30, 16, 17), value))) < 10


def test_whole_absent_pixels_are_two_runs_each():
    mask = np.zeros((200, 8, 9), dtype=bool)
    mask[:, 3, 2:5] = True
    writer = PayloadWriter(TABLES)
    writer.integers([2], 256, signed=False)
    writer.integers([(3 * 9 + 2) * 200, 3 * 200], 262144, signed=False)
    assert _round_trip(mask) == writer.data()


@pytest.mark.parametrize(
    ("runs", "message"),
    [([1] * 9, "more runs"), ([8], "past the end"), ([3, 5], "past the end"), ([1 << 36 - 1], "past")],
)
def test_runs_that_do_not_fit_are_refused(runs, message):
    writer = PayloadWriter(TABLES)
    writer.integers([len(runs)], 256, signed=False)
    writer.integers(runs, 262144, signed=False)
    with pytest.raises(StreamError, match=message):
        read_mask(PayloadReader(TABLES, writer.data()), (2, 2, 2))


def test_an_empty_run_is_refused():
    writer = PayloadWriter(TABLES)
    writer.integers([3], 256, signed=False)
    writer.integers([2, 0, 1], 262144, signed=False)
    with pytest.raises(StreamError):
        read_mask(PayloadReader(TABLES, writer.data()), (2, 2, 2))
