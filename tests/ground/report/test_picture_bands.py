"""Bands of the picture in colours: what the header tells, or clear ones."""

import numpy as np
import pytest

from bandfold.common.scene import SceneInfo
from bandfold.ground.report.picture_bands import clear_bands, told_bands

BANDS = 60


def info(**metadata):
    return SceneInfo(
        BANDS, 8, 8, np.dtype(np.uint16), metadata={"wavelength units": "Nanometers", **metadata}
    )


def scene(noisy=()):
    """Spectra of two materials with some noise, and bands of nothing but noise."""
    random = np.random.default_rng(5)
    material = random.random((16, 40))
    axis = np.linspace(0, 3, BANDS)[:, None, None]
    values = 1000 + 400 * material * np.sin(axis) + 300 * (1 - material) * np.cos(axis)
    values += random.normal(0, 2, values.shape)
    values[list(noisy)] = random.normal(1000, 150, (len(noisy), 16, 40))
    return values.astype(np.float32)


def test_the_header_and_the_user_are_asked_first():
    wavelengths = tuple(str(400 + 10 * band) for band in range(BANDS))
    assert told_bands(info(), (3, 2, 1)) == (3, 2, 1)
    assert told_bands(info(wavelength=wavelengths)) == (25, 15, 6)
    assert told_bands(info(**{"default bands": ("7", "5", "2"), "wavelength": wavelengths})) == (6, 4, 1)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"default bands": ("1", "2", "61")},
        {"default bands": ("1", "2", "x")},
        # Shortwave infrared: one band would be the nearest to all three colours.
        {"wavelength": tuple(str(1000 + 10 * band) for band in range(BANDS))},
        {"wavelength": ("nan",) * BANDS},
    ],
)
def test_nothing_is_told(metadata):
    assert told_bands(info(**metadata)) is None


def test_bands_of_noise_are_not_taken():
    noisy = [*range(12, 18), *range(28, 36), *range(40, 56)]
    red, green, blue = clear_bands(scene(noisy))
    assert {red, green, blue}.isdisjoint(noisy)
    assert blue < 20 <= green < 40 <= red


def test_absent_samples_do_not_count():
    values = scene(range(40, 56))
    values[:, :, ::3] = np.nan
    assert clear_bands(values)[0] >= 56


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("fill", [5.0, np.nan])
def test_scenes_without_any_difference_have_a_picture_too(bands, fill):
    chosen = clear_bands(np.full((bands, 4, 6), fill, np.float32))
    assert all(0 <= band < bands for band in chosen)
