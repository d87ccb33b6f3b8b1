"""Rotation matrices and maps come back; the map costs next to nothing where neighbours agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.payloads.klt_code import MOST_ROTATED, MOST_ROTATIONS, read_matrices, write_matrices
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.bitstream.segments.segment import read_map, write_map
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.errors import StreamError

TABLES = load_tables()


def _map_round_trip(chosen, count):
    writer = PayloadWriter(TABLES)
    write_map(writer, chosen, count)
    data = writer.data()
    reader = PayloadReader(TABLES, data)
    np.testing.assert_array_equal(read_map(reader, *chosen.shape, count), chosen)
    reader.finish()
    return data


@settings(max_examples=60, deadline=None)
@given(st.integers(1, MOST_ROTATIONS), st.integers(1, 5), st.integers(1, 5), st.data())
def test_any_map_comes_back(count, rows, columns, data):
    cells = st.lists(st.integers(0, count - 1), min_size=rows * columns, max_size=rows * columns)
    _map_round_trip(np.array(data.draw(cells), dtype=np.uint8).reshape(rows, columns), count)


def test_agreeing_neighbours_are_cheap():
    same = np.full((20, 20), 5, dtype=np.uint8)
    mixed = np.random.default_rng(0).integers(0, 8, size=(20, 20)).astype(np.uint8)
    assert len(_map_round_trip(same, 8)) < 20
    assert len(_map_round_trip(mixed, 8)) > 100


def test_ranks_of_a_map():
    """Left first, then above, then the others in order."""
    writer, expected = PayloadWriter(TABLES), PayloadWriter(TABLES)
    write_map(writer, np.array([[2, 2, 0], [1, 2, 3]], dtype=np.uint8), 4)
    # First row: 2 of 0123, 2 of 2013, 0 of 2013. Second row: 1 of 2013, 2 of 1203, 3 of 2013.
    expected.integers([2, 0, 1, 2, 1, 3], 256, signed=False)
    assert writer.data() == expected.data()


def test_a_choice_that_does_not_exist_is_refused():
    writer = PayloadWriter(TABLES)
    writer.integers([0, 3], 256, signed=False)
    with pytest.raises(StreamError, match="does not exist"):
        read_map(PayloadReader(TABLES, writer.data()), 1, 2, 3)


def _matrix(size, seed):
    codes = np.random.default_rng(seed).integers(-64, 65, size=(size, size))
    return Vectors(codes.astype(np.int64), np.arange(size, dtype=np.int64) % 16 + 1)


@pytest.mark.parametrize(
    ("count", "size"), [(1, 1), (3, 5), (16, 16), (MOST_ROTATIONS, 2), (1, MOST_ROTATED)]
)
def test_matrices_come_back(count, size):
    matrices = tuple(_matrix(size, seed) for seed in range(count))
    writer = PayloadWriter(TABLES)
    write_matrices(writer, matrices)
    reader = PayloadReader(TABLES, writer.data())
    found = read_matrices(reader, size)
    reader.finish()
    assert len(found) == count
    for one, other in zip(found, matrices, strict=True):
        np.testing.assert_array_equal(one.codes, other.codes)
        np.testing.assert_array_equal(one.precision, other.precision)


@pytest.mark.parametrize(
    ("count", "size", "components"), [(0, 1, 9), (65, 1, 9), (1, 0, 9), (1, 10, 9), (1, 65, 99), (1, 1, 0)]
)
def test_impossible_numbers_are_refused(count, size, components):
    writer = PayloadWriter(TABLES)
    writer.integers([count, size], 2048, signed=False)
    with pytest.raises(StreamError, match="rotations"):
        read_matrices(PayloadReader(TABLES, writer.data()), components)
