"""Pooled distortion."""

import math

import numpy as np
import pytest

from bandfold.benchmarks.measures.quality import mean_squared_error, psnr
from bandfold.common.errors import SceneError


def test_the_error_is_pooled_over_the_cube_and_not_averaged_over_bands():
    original = np.zeros((2, 4, 4), np.uint16)
    decoded = original.copy()
    decoded[0] = 2
    assert mean_squared_error(original, decoded) == 2
    assert psnr(original, decoded) == pytest.approx(10 * math.log10(65535**2 / 2))


def test_unsigned_types_do_not_wrap_around():
    low, high = np.zeros((1, 1, 1), np.uint16), np.full((1, 1, 1), 65535, np.uint16)
    assert mean_squared_error(low, high) == mean_squared_error(high, low) == 65535**2
    assert psnr(low, high) == 0


def test_equal_cubes_are_infinitely_good():
    cube = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    assert psnr(cube, cube.astype(np.int32)) == math.inf


def test_other_shapes_are_refused():
    with pytest.raises(SceneError, match="cannot be compared"):
        psnr(np.zeros((1, 2, 3)), np.zeros((1, 3, 2)))
