"""Gains of components from latents of the first fold are those of the fold itself, but for roundings."""

from dataclasses import replace

import numpy as np
import pytest

from bandfold.bitstream.transforms.klt import Fold
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.planning.component_latents import ComponentLatents, fold_gains
from bandfold.onboard.vector_quantisation import quantise_vectors

STEP = 4.0
ENDS = (10, 24)


@pytest.fixture(name="blocks", scope="module")
def fixture_blocks():
    generator = np.random.default_rng(3)
    spectra = np.cumsum(generator.normal(size=(24, 5)), axis=0) * np.array([400.0, 150, 60, 20, 5])
    smooth = np.cumsum(generator.normal(size=(5, 120, 64)), axis=2) / 8
    noise = generator.normal(scale=1.5, size=(24, 120, 64))
    return np.rint(np.tensordot(spectra, smooth, 1) + noise).astype(np.int32)


@pytest.fixture(name="bases", scope="module")
def fixture_bases(blocks):
    flat = blocks.reshape(24, -1)
    covariances = np.cov(flat)
    spectra = [np.linalg.eigh(covariances[part, part]) for part in (slice(0, 10), slice(10, 24))]
    return [vectors[:, ::-1] for _, vectors in spectra], [values[::-1] for values, _ in spectra]


def fold_of(blocks, bases, places, merged):
    """A fold of some components, the first of which are merged by any rotation."""
    means = np.rint(blocks.mean(axis=(1, 2)) * 64).astype(np.int64)
    first = tuple(
        quantise_vectors(vectors[:, place], values[place], STEP / 8, 1 << 24)
        for vectors, values, place in zip(*bases, places, strict=True)
    )
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(sum(merged), sum(merged))))[0]
    second = quantise_vectors(turn, np.full(sum(merged), 1e4), STEP, 1 << 24)
    return Fold(ENDS, means, 0, first, merged, second)


@pytest.mark.parametrize("workers", [ALONE, Workers(2)])
def test_gains_are_those_of_the_fold(blocks, bases, workers):
    places = [np.array([0, 1, 2, 5]), np.array([0, 2, 3])]
    fold = fold_of(blocks, bases, places, (2, 2))
    latents = ComponentLatents([one[:, :8] for one in bases[0]], ENDS, fold.means, blocks, workers)
    assert latents.counts == (8, 8)
    assert latents.pixels == 120 * 64
    found, expected = latents.gains(fold, places, STEP), fold_gains(fold, blocks, STEP, workers)
    assert expected.max() > 100
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.01 * expected.max())


def test_gains_do_not_depend_on_the_number_of_threads(blocks, bases):
    places = [np.arange(6), np.arange(6)]
    fold = fold_of(blocks, bases, places, (4, 3))
    first, second = (
        ComponentLatents([one[:, :6] for one in bases[0]], ENDS, fold.means, blocks, workers)
        for workers in (ALONE, Workers(3))
    )
    np.testing.assert_array_equal(first.gains(fold, places, STEP), second.gains(fold, places, STEP))


def test_a_fold_of_nothing_gains_nothing(blocks, bases):
    nothing = [np.zeros(0, dtype=np.intp)] * 2
    fold = fold_of(blocks, bases, nothing, (0, 0))
    latents = ComponentLatents([one[:, :2] for one in bases[0]], ENDS, fold.means, blocks, ALONE)
    assert latents.gains(fold, nothing, STEP).shape == (0,)
    with pytest.raises(ValueError, match="unfolded"):
        latents.gains(replace(fold, second=None), nothing, STEP)
