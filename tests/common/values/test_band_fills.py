"""Fill values of single bands are found where no value is that of all bands, and data are not mistaken."""

import numpy as np
import pytest

from bandfold.common.values.band_fills import FoundFills


def plain(seed=1, bands=12):
    """Reflectance."""
    return np.random.default_rng(seed).normal(0.3, 0.05, (bands, 40, 50)).astype("f4")


def found(cube):
    return FoundFills.of(cube, np.ones(cube.shape, bool))


def some(share, seed=2):
    return np.random.default_rng(seed).random((40, 50)) < share


def test_nothing_is_found_where_there_is_nothing():
    assert found(plain()) == FoundFills()
    assert FoundFills().texts() == []
    assert not FoundFills().mask(plain()).any()


@pytest.mark.parametrize(
    "values", [-9999 * np.linspace(0.5, 2, 12), -1.0 - np.arange(12), 1e30 * np.arange(1, 13)]
)
def test_a_border_with_a_value_of_each_band(values):
    cube = plain()
    cube[:, :6] = values.astype("f4")[:, None, None]
    fills = found(cube)
    assert len(fills.values) + len(fills.bands) == 12
    assert all(fills.of_band(band)[-1] == value for band, value in enumerate(values.astype("f4").tolist()))
    np.testing.assert_array_equal(fills.mask(cube), np.arange(40)[None, :, None] < np.full((12, 1, 50), 6))


def test_single_samples_with_a_value_of_each_band():
    cube = plain()
    values = (500.5 + 7 * np.arange(12)).astype("f4")
    cube[:, some(0.02)] = values[:, None]
    assert found(cube).bands == tuple(enumerate(values.tolist()))


def test_one_band_alone_has_a_value_of_its_own():
    cube = plain(bands=60)
    cube[7, some(0.02)] = -1234.5
    fills = found(cube)
    assert (fills.values, fills.bands) == ((), ((7, -1234.5),))
    assert fills.of_band(7) == (-1234.5,)
    assert fills.of_band(8) == ()
    assert fills.texts() == ["-1234.5 in band 7"]


def test_values_of_all_bands_are_not_told_again_for_each():
    cube = plain()
    cube[:, :4] = -9999
    cube[:, :, :5] = np.where(np.arange(12) % 2, -9999, 40 + np.arange(12))[:, None, None]
    fills = found(cube)
    assert [one.value for one in fills.values] == [-9999]
    assert [band for band, _ in fills.bands] == [0, 2, 4, 6, 8, 10]
    assert fills.texts()[1] == "40 in band 0, 42 in band 2, 44 in band 4 and others in 3 bands"


def test_zeros_at_one_border_and_another_value_at_the_other():
    cube = plain() + 0.2
    cube[:, :4], cube[:, :, -3:] = -9999, 0
    fills = found(cube)
    assert sorted(one.value for one in fills.values) == [-9999, 0]
    assert fills.bands == ()


def test_a_border_that_takes_no_precision_is_left_as_it_is():
    cube = plain()
    cube[:, :6] = 0.12 - np.arange(12, dtype="f4")[:, None, None] / 1000
    assert found(cube) == FoundFills()


def test_a_flat_border_among_other_values_is_data():
    cube = plain()
    cube[:, :6] = 0.3 + np.arange(12, dtype="f4")[:, None, None] / 1000
    assert found(cube) == FoundFills()


def test_clouds_that_saturate_are_data():
    brightness = np.where(some(0.3), 5 * np.random.default_rng(5).random((40, 50)), 0)
    cube = np.minimum(plain() + brightness, 2 + np.arange(12)[:, None, None] / 8).astype("f4")
    assert (cube == cube.max(axis=(1, 2), keepdims=True)).mean() > 0.1
    assert found(cube) == FoundFills()


def test_integers_have_them_too():
    cube = (plain() * 1e6).astype("i4")
    cube[:, :6] = (-2_000_000_000 + np.arange(12))[:, None, None]
    assert found(cube).bands == tuple((band, -2e9 + band) for band in range(12))
