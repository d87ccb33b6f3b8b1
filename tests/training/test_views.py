"""What networks are shown."""

import dataclasses

import numpy as np
import pytest

from bandfold.common.errors import SettingsError
from bandfold.training.config import DataConfig
from bandfold.training.views import GAIN_OCTAVES, BandView

CONFIG = DataConfig(crop=32, batch=64, contrast=(2.0, 2.0))


def test_bands_come_in_steps_of_the_scene(scene):
    batch = BandView([scene], (1,), CONFIG).draw(np.random.default_rng(0))
    assert batch.shape == (64, 1, 32, 32)
    assert batch.dtype == np.float32
    counts = {float(value) for value in np.unique(scene.planes[:2])}
    for crop in batch[:8, 0]:
        # Some gain within the octaves allowed makes integers again of what are integers of two bands.
        reached = np.ptp(crop) / (2.0 / scene.deviation)
        low, high = 2.0**-GAIN_OCTAVES, 2.0**GAIN_OCTAVES
        assert low * 1 <= reached <= high * (max(counts) - min(counts))


def test_only_the_bands_of_the_part_are_shown(scene):
    planes = np.zeros_like(scene.planes)
    planes[4:6] = np.where(np.arange(planes.shape[2]) % 2, 5.0, -5.0)
    marked = dataclasses.replace(scene, planes=planes, deviation=1.0)
    batch = BandView([marked], (3,), CONFIG).draw(np.random.default_rng(0))
    sizes = np.abs(batch).max(axis=(1, 2, 3)) / 10.0
    assert (sizes >= 2.0**-GAIN_OCTAVES - 1e-6).all()
    assert (sizes <= 2.0**GAIN_OCTAVES + 1e-6).all()
    assert np.ptp(sizes) > 0.1


def test_parts_without_bands_that_vary_are_refused(scene):
    with pytest.raises(SettingsError, match="interval 7"):
        BandView([scene], (7,), CONFIG)
    with pytest.raises(SettingsError, match="interval 1"):
        BandView([dataclasses.replace(scene, planes=np.zeros_like(scene.planes))], (1,), CONFIG)


def test_the_same_chance_gives_the_same_batch(scene):
    view = BandView([scene, scene], (1, 2), CONFIG)
    first, again = (view.draw(np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != view.draw(np.random.default_rng(6))).any()
