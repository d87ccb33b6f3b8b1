"""Latents for training are those that the encoder would code."""

import numpy as np
import pytest

from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.calibration.corpus import RATES, Latents, open_scene, scene_latents, step_for_rate
from bandfold.common.scene import Scaling
from bandfold.formats.envi.writer import EnviWriter
from bandfold.onboard.samples.samples import ArraySource


def cube(bands=10, lines=20, samples=17, seed=0):
    rng = np.random.default_rng(seed)
    planes = rng.normal(0, 300, (2, lines, samples)).cumsum(axis=1) / 3
    spectra = np.sin(np.outer(np.arange(bands), [0.1, 0.3]))
    noise = rng.normal(0, 4, (bands, lines, samples))
    return np.rint(2000 + np.tensordot(spectra, planes, 1) + noise).astype(np.int16)


def write(path, samples, **fields):
    source = ArraySource(samples, **fields)
    with EnviWriter(path, source.info, interleave="bsq") as writer:
        writer.write(slice(0, source.info.bands), slice(0, source.info.lines), samples)
    return path


def test_a_step_meets_its_rate_by_the_formula():
    variances = np.array([1e6, 1e4, 1e2, 1.0])
    steps = [step_for_rate(variances, rate) for rate in (0.1, 0.5, 2.0)]
    assert steps[0] > steps[1] > steps[2]
    for step, rate in zip(steps, (0.1, 0.5, 2.0), strict=True):
        spent = np.maximum(0.5 * np.log2(variances * 8 / step**2), 0).mean()
        assert spent == pytest.approx(1.3 * rate, abs=1e-6)


def test_a_step_stays_in_range():
    assert step_for_rate(np.zeros(3), 0.1) == pytest.approx(0.7)
    assert step_for_rate(np.full(3, 1e30), 0.1) == pytest.approx(20000.0)


def test_every_mode_and_rate_once():
    found = list(scene_latents("name", ArraySource(cube()), {"folded": (0.1, 0.5), "banded": (0.4,)}))
    assert [(one.scene, one.mode) for one in found] == [
        ("name", "folded"),
        ("name", "folded"),
        ("name", "banded"),
    ]
    banded = found[-1]
    assert [strip.shape for strip in banded.strips] == [(10, 64, 3, 3)]
    assert banded.count == 10 * 64 * 9
    # Coarse steps come first, and leave fewer components.
    assert len(found[0].strips[0]) <= len(found[1].strips[0]) < 10


def test_band_by_band_latents_hold_the_energy_of_the_bands():
    samples = cube(lines=16, samples=16)
    (found,) = scene_latents("name", ArraySource(samples), {"banded": (0.4,)})
    spread = samples.reshape(10, -1).var(axis=1)
    energy = (found.strips[0].astype(np.float64) ** 2).sum(axis=(1, 2, 3))
    # In steps squared: the same factor for all bands.
    np.testing.assert_allclose(energy / spread, (energy / spread).mean(), rtol=0.01)


def test_equal_steps_are_used_once():
    constant = np.full((3, 8, 8), 7, np.uint8)
    found = list(scene_latents("flat", ArraySource(constant), RATES))
    assert [one.mode for one in found] == ["folded", "banded"]


def test_large_latents_fit_their_integers():
    latents = Latents("a", "banded", (np.array([1e9, -1e9, 2.5], np.float32).reshape(3, 1, 1, 1),))
    (integers,) = latents.integers()
    assert integers.dtype == np.int32
    assert integers.ravel().tolist() == [3e7 * FRACTION, -3e7 * FRACTION, 2.5 * FRACTION]


def test_a_scene_of_floats_becomes_counts(tmp_path):
    values = np.linspace(-1, 1, 4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
    source = open_scene(write(tmp_path / "a.hdr", values, scaling=Scaling(1.0)))
    assert source.info.dtype == np.int16
    block = source.read(slice(0, 4), slice(0, 5))
    assert (block.min(), block.max()) == (-32766, 32766)


def test_absent_samples_are_filled(tmp_path):
    samples = cube()
    samples[3, 4, 5] = -9999
    source = open_scene(write(tmp_path / "a.hdr", samples, no_data=-9999.0))
    assert source.read(slice(3, 4), slice(4, 5))[0, 0, 5] == samples[3, 4, 4]
