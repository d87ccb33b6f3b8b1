"""Folding is chosen where it pays: automatic coding is never worse than coding band by band."""

import numpy as np
import pytest

from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene

TOLERANCE = 0.15
"""Decibels: two codings use their budget to 1.5 percent, which is worth up to 0.1 dB."""


def noise():
    return np.random.default_rng(1).integers(0, 4000, (16, 48, 40), np.uint16)


def saturated():
    scene = SyntheticScene(48, 40, 24, seed=2)
    cube = scene.read(slice(0, 24), slice(0, 48)).astype(np.float64)
    return np.minimum(cube, np.median(cube)).astype(np.uint16)


def ordinary():
    scene = SyntheticScene(48, 40, 24, seed=3)
    return scene.read(slice(0, 24), slice(0, 48))


def unrelated():
    """Smooth bands that have nothing to do with each other: a fold has nothing to find."""
    rng = np.random.default_rng(4)
    bands = rng.normal(0, 1, (12, 48, 40)).cumsum(axis=1).cumsum(axis=2)
    spread = np.abs(bands).max(axis=(1, 2), keepdims=True)
    return np.rint(bands / spread * 8000).astype(np.int16)


def squared_error(cube, **settings):
    decoded = Decoder(Encoder(**settings).encode(cube)).decode()
    return np.mean((decoded.astype(np.float64) - cube) ** 2)


@pytest.mark.parametrize("bps", [0.3, 1.5])
@pytest.mark.parametrize("scene", [noise, saturated, ordinary, unrelated])
def test_not_worse_at_equal_bytes(scene, bps):
    cube = scene()
    automatic, banded = (squared_error(cube, bps=bps, spectral=mode) for mode in ("auto", "none"))
    assert automatic <= banded * 10 ** (TOLERANCE / 10)


def test_an_ordinary_scene_gains_much():
    cube = ordinary()
    assert squared_error(cube, bps=0.5) < 0.3 * squared_error(cube, bps=0.5, spectral="none")


def test_fewer_bytes_at_equal_quality():
    cube = noise()
    automatic, banded = (len(Encoder(psnr=50.0, spectral=mode).encode(cube)) for mode in ("auto", "none"))
    assert automatic <= 1.01 * banded
