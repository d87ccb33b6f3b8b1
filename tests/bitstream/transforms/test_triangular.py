"""Rows that triangular vectors tell."""

import numpy as np

from bandfold.bitstream.transforms.triangular import OpenRows, is_triangular


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
    assert is_triangular(codes)
    for row, column in ((1, 1), (1, 2), (2, 2)):
        other = codes.copy()
        other[row, column] = 1
        assert not is_triangular(other)
    assert is_triangular(np.zeros((5, 0), dtype=np.int64))
    assert is_triangular(np.zeros((0, 0), dtype=np.int64))
    assert is_triangular(np.zeros((3, 3), dtype=np.int64))
