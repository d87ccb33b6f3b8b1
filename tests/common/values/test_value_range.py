"""The range of a scene is that of its ordinary values, whatever a few others are."""

import numpy as np
import pytest

from bandfold.common.values.value_range import sampled_lines, value_range
from bandfold.onboard.samples.samples import ArraySource


def plain(bands=6, lines=30, samples=25, seed=1):
    spectrum = 1 + np.arange(bands)[:, None, None] / bands
    return spectrum * np.random.default_rng(seed).normal(10, 1, (bands, lines, samples))


def ranged(cube):
    return value_range(cube, np.ones(cube.shape, bool))


def test_without_outliers_it_is_the_least_and_the_greatest_value():
    cube = plain()
    assert ranged(cube).bounds == (cube.min(), cube.max())


@pytest.mark.parametrize("value", [1e6, -9999.0, 9.97e36, -(2.0**31), np.inf, np.nan, 1e308])
@pytest.mark.parametrize("count", [1, 60])
def test_outliers_do_not_widen_it(value, count):
    cube = plain()
    expected = ranged(cube).bounds
    places = np.random.default_rng(2).choice(cube.size, count, replace=False)
    cube.reshape(-1)[places] = value
    low, high = ranged(cube).bounds
    assert expected[0] <= low <= expected[0] + 1
    assert expected[1] - 1 <= high <= expected[1]


def test_bright_clouds_are_ordinary():
    cube = plain()
    cube[:, 10:12] *= 40
    assert ranged(cube).bounds[1] == cube.max()


def test_bad_bands_have_a_range_of_their_own():
    cube = plain(24)
    good = ranged(cube)
    cube[[3, 7]] = np.random.default_rng(3).normal(0, 1e6, (2, *cube.shape[1:]))
    found = ranged(cube)
    assert np.flatnonzero(found.wild).tolist() == [3, 7]
    assert found.bounds == good.bounds
    assert found.spread[3] > 1e5


def test_a_band_of_one_value_with_a_spike():
    cube = np.full((1, 20, 20), 0.5)
    cube[0, 3, 4] = 1e6
    assert ranged(cube).bounds == (0.5, 0.5)
    cube[0, :3] = 1.0
    assert ranged(cube).bounds == (0.5, 1.0)


def test_nothing_has_no_range():
    assert ranged(np.full((2, 3, 4), np.nan)).bounds is None


def test_a_large_scene_is_looked_at_in_parts(monkeypatch):
    monkeypatch.setattr("bandfold.common.values.value_range.SAMPLES_SEEN", 6000)
    cube = np.arange(3 * 500 * 40).reshape(3, 500, 40).astype("f4")
    block, complete = sampled_lines(ArraySource(cube))
    assert not complete
    assert block.size <= 7000
    assert block[0, 0, 0] == cube[0, 0, 0]
    assert block[-1, -1].max() >= cube[-1, -1, -6]
