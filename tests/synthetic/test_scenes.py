"""A made-up scene is the same however it is read, and behaves like a real one."""

import itertools

import numpy as np
import pytest

from bandfold.common.errors import SceneError, SettingsError
from bandfold.synthetic.landscape import fractal, make_landscape
from bandfold.synthetic.scenes import SyntheticScene
from bandfold.synthetic.spectra import MATERIALS, atmosphere, reflectances, wavelengths

PINNED = [1670, 1848, 1474, 130, 47, 88, 49, 85]


def whole(scene):
    info = scene.info
    return scene.read(slice(0, info.bands), slice(0, info.lines))


@pytest.fixture(scope="module")
def cube():
    return whole(SyntheticScene(80, 96, 224, seed=3)).astype(np.float64)


def test_same_seed_same_scene_other_seed_other_scene():
    first, again, other = (whole(SyntheticScene(9, 8, 40, seed)) for seed in (1, 1, 2))
    assert first.dtype == np.uint16
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.5


def test_seed_zero_is_pinned():
    samples = whole(SyntheticScene(4, 4, 3))
    # Sines and transforms of another machine may round to the neighbouring count.
    np.testing.assert_allclose(samples.ravel()[::6], PINNED, atol=1)


def test_samples_do_not_depend_on_the_blocks():
    scene = SyntheticScene(70, 33, 6, seed=4)
    expected = whole(scene)
    for bands, lines in itertools.product(
        ((0, 6), (2, 3), (3, 6), (1, 1)), ((0, 70), (0, 1), (31, 33), (64, 70))
    ):
        block = scene.read(slice(*bands), slice(*lines))
        np.testing.assert_array_equal(block, expected[slice(*bands), slice(*lines)])


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 17, 2), (17, 1, 2), (2, 2, 224), (13, 37, 1), (5, 3, 33)])
def test_any_geometry(shape):
    scene = SyntheticScene(*shape)
    lines, samples, bands = shape
    assert scene.info.shape == (bands, lines, samples)
    assert whole(scene).shape == (bands, lines, samples)
    assert len(scene.info.metadata["wavelength"]) == bands
    assert len(scene.info.metadata["bbl"]) == bands


@pytest.mark.parametrize("shape", [(0, 1, 1), (1, 0, 1), (1, 1, 0), (-1, 1, 1)])
def test_empty_scene_is_refused(shape):
    with pytest.raises(SceneError, match="at least 1 is needed"):
        SyntheticScene(*shape)


def test_negative_seed_is_refused():
    with pytest.raises(SettingsError, match="seed -1"):
        SyntheticScene(1, 1, 1, -1)


def test_two_bands_are_dead_and_listed(cube):
    constant = np.flatnonzero(np.ptp(cube, axis=(1, 2)) == 0)
    listed = SyntheticScene(1, 1, 224, seed=3).info.metadata["bbl"]
    assert len(constant) == 2
    assert [index for index, good in enumerate(listed) if good == "0"] == constant.tolist()


def test_neighbouring_bands_correlate_like_real_ones(cube):
    planes = cube.reshape(224, -1)
    pairs = [
        np.corrcoef(first, second)[0, 1]
        for first, second in itertools.pairwise(planes)
        if np.ptp(first) and np.ptp(second)
    ]
    assert 0.997 < np.median(pairs) < 0.99995


def test_water_vapour_leaves_nothing(cube):
    centres = wavelengths(224)
    dead, near = np.abs(centres - 1870).argmin(), np.abs(centres - 1640).argmin()
    assert cube[dead].mean() < 5
    assert cube[near].mean() > 100


def test_noise_is_like_that_of_a_sensor(cube):
    # What no few spectral components explain is noise.
    planes = cube.reshape(224, -1) - cube.mean(axis=(1, 2)).reshape(-1, 1)
    strongest = np.linalg.eigh(np.cov(planes))[1][:, -24:]
    noise = (planes - strongest @ (strongest.T @ planes)).std(axis=1)
    for band in (24, 60, 190):
        assert 60 < cube[band].mean() / noise[band] < 600


def test_few_components_hold_the_scene(cube):
    planes = cube.reshape(224, -1)
    values = np.linalg.eigvalsh(np.cov(planes))[::-1]
    assert values[:12].sum() > 0.999 * values.sum()
    assert values[5] > 100


def test_fractal_is_normalised_and_smooth_as_asked():
    rough, smooth = (fractal(64, 48, exponent, np.random.default_rng(1)) for exponent in (1.0, 3.5))
    for surface in (rough, smooth):
        assert surface.dtype == np.float32
        assert surface.mean() == pytest.approx(0, abs=1e-5)
        assert surface.std() == pytest.approx(1, abs=1e-4)
    assert np.diff(smooth).std() < 0.5 * np.diff(rough).std()


def test_cover_is_a_partition_of_every_pixel():
    land = make_landscape(50, 61, np.random.default_rng(2))
    assert land.cover.shape == (len(MATERIALS), 50, 61)
    assert land.cover.min() >= 0
    np.testing.assert_allclose(land.cover.sum(axis=0), 1, atol=1e-5)
    assert land.light.min() > 0


@pytest.mark.parametrize("bands", [1, 2, 224])
def test_spectra_are_physical(bands):
    centres = wavelengths(bands)
    curves = reflectances(centres)
    assert curves.shape == (len(MATERIALS), bands)
    assert 0 <= curves.min() <= curves.max() <= 1
    air = atmosphere(centres)
    assert (air.gain >= 0).all()
    assert (air.path >= 0).all()
