"""A made-up scene and small settings; everything here needs PyTorch."""

import dataclasses

import numpy as np
import pytest

from bandfold.onboard.samples.samples import ArraySource
from bandfold.training.config import load_config
from bandfold.training.training_scenes import TrainingScene, centred, scene_deviation


def make_scene(seed=0, bands=10, lines=48, samples=40):
    """Smooth bands, one of them constant."""
    rng = np.random.default_rng(seed)
    rough = rng.normal(0, 1, (bands, lines, samples))
    smooth = np.cumsum(np.cumsum(rough, axis=1), axis=2)
    cube = np.rint(1000 + 20 * smooth / smooth.std()).astype(np.int16)
    cube[3] = 7
    return cube


@pytest.fixture
def scene():
    cube = make_scene()
    planes = centred(cube)[0]
    return TrainingScene("made-up", planes, scene_deviation(planes), (2, 4, 6, 8, 10))


@pytest.fixture
def counted(scene):
    """The scene with its counts, for views that do what the encoder does."""
    return dataclasses.replace(scene, counts=ArraySource(make_scene()))


@pytest.fixture
def source():
    return ArraySource(make_scene())


@pytest.fixture
def smoke():
    return load_config("balle48-smoke")
