"""Rows that triangular vectors tell."""

import numpy as np
import pytest

from bandfold.bitstream.transforms.triangular import OpenRows, closing_vectors


def test_each_vector_closes_the_row_of_its_largest_entry():
    left = OpenRows(4)
    left.close(np.array([1, -7, 7, 3]))
    assert left.rows.tolist() == [0, 2, 3]
    left.close(np.array([0, 0, 0]))
    assert left.rows.tolist() == [2, 3]
    left.close(np.array([-2, 5]))
    assert left.rows.tolist() == [2]


def test_vectors_are_triangular_where_pivots_are_zero():
    codes = np.array([[1, 4, 0], [-7, 0, 0], [7, 9, 0], [3, -9, 2]])
    assert closing_vectors(codes).tolist() == [3, 0, 1, 2]
    for row, column in ((1, 1), (1, 2), (2, 2)):
        other = codes.copy()
        other[row, column] = 1
        assert closing_vectors(other) is None
    assert closing_vectors(np.zeros((5, 0), dtype=np.int64)).tolist() == [0] * 5
    assert closing_vectors(np.zeros((0, 0), dtype=np.int64)).tolist() == []
    assert closing_vectors(np.zeros((3, 3), dtype=np.int64)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("seed", range(40))
def test_rows_close_one_by_one(seed):
    """As a decoder finds them, whatever vectors there are, of zeros too."""
    rng = np.random.default_rng(seed)
    length = int(rng.integers(1, 9))
    codes = rng.integers(-3, 4, (length, int(rng.integers(0, length + 1)))) * rng.integers(0, 2, (length, 1))
    left = [OpenRows(length)]
    for column in codes.T:
        keep = np.isin(np.arange(length), left[-1].rows)
        if seed % 4:
            np.multiply(column, keep, out=column)
        left.append(OpenRows(length))
        left[-1].rows = left[-2].rows
        left[-1].close(column[left[-1].rows])
    alone = [np.isin(np.arange(length), one.rows) for one in left[:-1]]
    triangular = all(not column[~keep].any() for column, keep in zip(codes.T, alone, strict=True))
    numbers = closing_vectors(codes)
    assert (numbers is not None) == triangular
    for place, keep in enumerate(alone if triangular else []):
        np.testing.assert_array_equal(numbers >= place, keep)
