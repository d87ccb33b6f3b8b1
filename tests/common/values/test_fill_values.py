"""Fill values are found by how they lie among the others, not by their names."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bandfold.common.values.fill_values import find_fill_values

FILLS = [-9999.0, -999.0, -32768.0, 9.969209968386869e36, -(2.0**31), -1.0]


def plain(seed=1):
    """Reflectance of 12 bands."""
    return np.random.default_rng(seed).normal(0.3, 0.05, (12, 40, 50)).astype("f4")


def found(cube):
    return [one.value for one in find_fill_values(cube, np.ones(cube.shape, bool))]


@pytest.mark.parametrize("value", FILLS)
@pytest.mark.parametrize("share", [0.005, 0.3, 0.9])
def test_a_value_that_is_repeated_far_outside(value, share):
    cube = plain()
    cube[:, np.random.default_rng(2).random(cube.shape[1:]) < share] = value
    assert found(cube) == [np.float32(value)]


def test_two_values_and_nan():
    cube = plain()
    cube[:, :10], cube[:, 20:24], cube[:, 30] = -9999, -32768, np.nan
    fills = find_fill_values(cube, np.ones(cube.shape, bool))
    assert [one.value for one in fills][:2] == [-9999, -32768]
    assert math.isnan(fills[2].value)
    assert fills[0].share == pytest.approx(0.25)
    assert str(fills[0]) == "-9999 in 25 % of the samples"
    assert str(replace(fills[0], share=0.9999)) == "-9999 in 100 % of the samples"


def test_a_border_of_zeros_in_all_bands():
    cube = plain() + 0.2
    cube[:, :, :4] = 0
    assert found(cube) == [0]


def test_zeros_that_belong_to_the_data():
    cube = np.maximum(plain() - 0.3, 0)
    assert found(cube) == []


def test_a_name_alone_proves_nothing():
    depth = -np.random.default_rng(3).integers(9000, 11000, (5, 40, 40)).astype("f4")
    assert (depth == -9999).sum() > 2
    assert found(depth) == []


def test_values_of_classes_and_constants_are_data():
    classes = np.random.default_rng(4).integers(0, 3, (2, 30, 30)).astype("f4")
    assert found(classes) == []
    assert found(np.full((2, 3, 4), -9999.0)) == []
    assert found(plain()) == []


def test_integers_with_the_least_of_their_type():
    cube = np.random.default_rng(5).integers(70000, 75000, (4, 20, 20)).astype("i4")
    cube[:, :3] = np.iinfo("i4").min
    assert found(cube) == [-(2**31)]
