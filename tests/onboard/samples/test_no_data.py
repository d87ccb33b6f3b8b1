"""Absent samples take the value of a neighbour on their line; present ones stay."""

import numpy as np
import pytest

from bandfold.onboard.samples.no_data import FilledSource, fill
from bandfold.onboard.samples.samples import ArraySource


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, None, 3], [1, 1, 3]),
        ([None, None, 3, 4], [3, 3, 3, 4]),
        ([5, None, None], [5, 5, 5]),
        ([None, 7, None, None, 2, None], [7, 7, 7, 7, 2, 2]),
        ([None, None], [0, 0]),
        ([None], [0]),
    ],
)
def test_lines(line, expected):
    absent = np.array([value is None for value in line])
    samples = np.array([-99 if value is None else value for value in line], np.int16)
    filled = fill(samples, absent)
    assert filled.tolist() == expected
    assert filled.dtype == np.int16
    # Line by line, whatever comes before.
    stacked = fill(np.stack([samples[::-1], samples])[None], np.stack([absent[::-1], absent])[None])
    assert stacked[0, 1].tolist() == expected


def test_a_filled_source_looks_at_each_block():
    rng = np.random.default_rng(0)
    cube = rng.integers(0, 99, (4, 6, 10), np.uint8)
    cube[rng.random(cube.shape) < 0.3] = 255
    source = ArraySource(cube, no_data=255.0)
    filled = FilledSource(source, source)
    assert filled.info == source.info
    whole = filled.read(slice(0, 4), slice(0, 6))
    np.testing.assert_array_equal(whole[cube != 255], cube[cube != 255])
    assert (whole[cube == 255] < 99).all()
    np.testing.assert_array_equal(filled.read(slice(1, 3), slice(2, 5)), whole[1:3, 2:5])
