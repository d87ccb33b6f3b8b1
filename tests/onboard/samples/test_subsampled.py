"""A scene in small is made of rows of the scene."""

from dataclasses import replace

import numpy as np
import pytest

from bandfold.onboard.samples.samples import ArraySource
from bandfold.onboard.samples.subsampled import SubsampledSource, typical_rows

CUBE = np.arange(2 * 515 * 16, dtype=np.uint16).reshape(2, 515, 16)


@pytest.mark.parametrize(("height", "rows"), [(8, range(2, 64, 4)), (64, range(2, 8, 4))])
def test_rows_are_whole_and_even(height, rows):
    scene = ArraySource(CUBE)
    source = SubsampledSource(scene, typical_rows(scene.info, 515 * 16 // 4, height), height)
    expected = np.concatenate([CUBE[:, row * height : (row + 1) * height] for row in rows], axis=1)
    assert source.info.lines == expected.shape[1]
    np.testing.assert_array_equal(source.read(slice(0, 2), slice(0, source.info.lines)), expected)
    part = slice(height - 3, height + 9)
    np.testing.assert_array_equal(source.read(slice(1, 2), part), expected[1:, part])


def test_scenes_that_are_not_much_larger_stay_whole():
    info = ArraySource(CUBE).info
    assert typical_rows(info, 5000) is None
    assert typical_rows(info, 515 * 16 // 8, 64) is None


def test_long_lines_have_two_rows():
    info = replace(ArraySource(CUBE).info, lines=512, samples=4096)
    assert typical_rows(info, 5000) == range(16, 64, 32)
