"""Samples of blocks: all of a small scene, and every column of a large one."""

import numpy as np
import pytest

from bandfold.onboard.planning.block_sample import FEW_BLOCKS, sample_blocks
from bandfold.onboard.samples.samples import ArraySource, Samples


def _numbered(rows, columns):
    """A scene whose blocks hold their own number."""
    blocks = np.arange(rows * columns, dtype=np.uint16).reshape(rows, columns)
    return ArraySource(np.repeat(np.repeat(blocks, 8, axis=0), 8, axis=1)[None])


def test_a_small_scene_is_its_own_sample():
    sample = sample_blocks(_numbered(20, 20))
    np.testing.assert_array_equal(sample.blocks[0, :, 0], np.arange(400))
    np.testing.assert_array_equal(sample.rows, np.arange(400) // 20)
    assert sample.pixels == 400 * 64
    assert sample.few is not None
    assert sample.few.shape == sample.blocks.shape


@pytest.mark.parametrize("rows", [64, 90, 130])
@pytest.mark.parametrize("columns", [64, 72, 80, 85, 96])
@pytest.mark.parametrize("enough", [400, 800, 1600])
def test_every_column_of_a_large_scene_is_met(rows, columns, enough):
    """Else a stripe that a pushbroom instrument leaves would be seen in all of its lines, or in none."""
    sample = sample_blocks(_numbered(rows, columns), enough=enough)
    count = sample.blocks.shape[1]
    assert count >= min(enough, rows * columns) * 0.8
    met = np.bincount(sample.blocks[0, :, 0].astype(int) % columns, minlength=columns)
    assert met.min() >= 1
    assert met.max() - met.min() <= 2
    assert sample.few.shape[1] <= 2 * FEW_BLOCKS
    np.testing.assert_array_equal(sample.blocks[0, :, 0] // columns, sample.rows)


def test_bands_may_be_left_out():
    cube = np.arange(7 * 16 * 16, dtype=np.int16).reshape(7, 16, 16)
    whole, some = (sample_blocks(ArraySource(cube), stride=stride) for stride in (1, 3))
    np.testing.assert_array_equal(some.blocks, whole.blocks[::3])
    assert (whole.stride, some.stride) == (1, 3)


@pytest.mark.parametrize("absent", [0, 3, 15])
def test_moments_of_pixels_that_count_are_those_of_the_scene(absent):
    """Without what mirrors it beyond its borders, and without what fills absent samples."""
    cube = np.random.default_rng(7).normal(9000, 800, (5, 21, 19)).astype(np.uint16)
    cube[:, :, :absent] = 0
    sample = sample_blocks(Samples.of(ArraySource(cube, no_data=0.0)), counted=True)
    there = cube[:, :, absent:].reshape(5, -1)
    mean, covariances = sample.counted_moments
    np.testing.assert_allclose(mean, there.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(covariances, np.cov(there, bias=True), rtol=1e-9, atol=1e-6)
    assert sample_blocks(ArraySource(cube)).counted is None
