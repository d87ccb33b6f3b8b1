"""Averages over pixels that look alike: against a slow loop, and cut into columns."""

import numpy as np
import pytest

from bandfold.common.kernels import switched_off
from bandfold.ground.restoration.bilateral_filter import BLOCKS_AT_ONCE, FilterKernel, bilateral_filter
from bandfold.ground.restoration.pixel_similarity import MARGIN, similarity

KERNELS = (FilterKernel(3.0, 0.0), FilterKernel(20.0, 2.0), FilterKernel(0.0, 1.0))


@pytest.fixture
def planes():
    rng = np.random.default_rng(5)
    steps = np.repeat(np.repeat(rng.normal(0, 4, (3, 4, 6)), 4, axis=1), 8, axis=2)
    return (steps + rng.normal(0, 0.5, steps.shape)).astype(np.float32)


def slowly(planes, kernel, line, sample):
    """The average at one pixel, and the sum of its weights."""
    block = [8 * (line // 8), 8 * (sample // 8)]
    lines, samples = planes.shape[1:]
    total, weights = np.zeros(len(planes)), 0.0
    for other_line in range(max(block[0] - MARGIN, 0), min(block[0] + 8 + MARGIN, lines)):
        for other_sample in range(max(block[1] - MARGIN, 0), min(block[1] + 8 + MARGIN, samples)):
            exponent = 0.0
            if kernel.bandwidth:
                difference = planes[:, line, sample] - planes[:, other_line, other_sample]
                exponent += float(difference @ difference) / kernel.bandwidth
            if kernel.sigma:
                exponent += ((other_line - line) ** 2 + (other_sample - sample) ** 2) / (2 * kernel.sigma**2)
            total += np.exp(-exponent) * planes[:, other_line, other_sample]
            weights += np.exp(-exponent)
    return total / weights, weights


def test_averages_are_those_of_the_formula(planes):
    averages, weights = bilateral_filter(planes, slice(0, 6), KERNELS)
    assert averages.shape == (3, *planes.shape)
    for number, kernel in enumerate(KERNELS):
        for line, sample in ((0, 0), (7, 21), (9, 30), (15, 47)):
            expected, _ = slowly(planes, kernel, line, sample)
            np.testing.assert_allclose(averages[number][:, line, sample], expected, rtol=1e-4, atol=1e-4)
        logs = [np.log(slowly(planes, kernel, line, sample)[1]) for line in range(8) for sample in range(8)]
        assert weights[number, 0, 0] == pytest.approx(np.mean(logs), abs=1e-4)


def test_columns_are_those_of_the_whole(planes):
    averages, weights = bilateral_filter(planes, slice(0, 6), KERNELS)
    part, part_weights = bilateral_filter(planes, slice(2, 5), KERNELS)
    np.testing.assert_allclose(part, averages[..., 16:40], atol=1e-4)
    np.testing.assert_allclose(part_weights, weights[..., 2:5], atol=1e-4)


@pytest.mark.parametrize("huge", [1e160, 1e300])
def test_windows_beyond_all_pixels_weigh_all_alike(planes, huge):
    whole = slice(0, planes.shape[2] // 8)
    found, weights = bilateral_filter(planes, whole, [FilterKernel(huge, huge), FilterKernel(0.0, 0.0)])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(weights[0], weights[1])


def test_pixels_that_differ_do_not_mix():
    planes = np.zeros((2, 8, 16), dtype=np.float32)
    planes[:, :, 5:] = 1000.0
    averages, _ = bilateral_filter(planes, slice(0, 2), [FilterKernel(4.0, 0.0)])
    np.testing.assert_array_equal(averages[0], planes)


def test_a_bright_plane_does_not_drown_small_differences():
    """Squares of 1e10 and differences of 1: what a product in float32 loses."""
    planes = np.full((1, 8, 8), 1e5, dtype=np.float32)
    planes[0, :, 4:] += 1.0
    averages, _ = bilateral_filter(planes, slice(0, 1), [FilterKernel(0.05, 0.0)])
    np.testing.assert_allclose(averages[0], planes, atol=0.02)


def test_weights_have_the_same_bits_without_compiled_kernels():
    rng = np.random.default_rng(6)
    others = rng.normal(0, 3, (3, 2, 576)).astype(np.float32)
    present = (rng.random((3, 576)) < 0.8).astype(np.float32)
    falls = np.array([(-2.0, 0.0), (-0.1, -0.5), (0.0, -0.125), (-1e30, 0.0)], dtype=np.float32)
    weights, sums = similarity(others, present, falls)
    with switched_off():
        expected, expected_sums = similarity(others, present, falls)
    np.testing.assert_array_equal(weights, expected)
    np.testing.assert_array_equal(sums, expected_sums)
    assert 0.1 < (weights > 0).mean() < 0.9
    np.testing.assert_allclose(sums, weights.sum(axis=3), rtol=1e-5)


def test_exponents_are_those_of_the_exponential_function():
    """A component of 0, and one pixel that differs from all others by what the exponent is to be."""
    others = np.zeros((1, 1, 576), dtype=np.float32)
    others[0, 0] = np.linspace(0.0, 9.3, 576)
    weights, _ = similarity(others, np.ones((1, 576), np.float32), np.array([(-1.0, 0.0)], np.float32))
    own = 8 * 24 + 8
    exponent = -np.square((others[0, 0] - others[0, 0, own]).astype(np.float64))
    np.testing.assert_allclose(weights[0, 0, 0], np.exp(exponent), rtol=3e-6, atol=1e-17)
    assert weights[0, 0, 0, own] == 1.0


def test_blocks_are_compared_once_for_all_averages(planes, monkeypatch):
    """Work grows with the blocks, however many averages are made."""
    blocks = []

    def counted(others, present, falls):
        blocks.append(len(others))
        return similarity(others, present, falls)

    monkeypatch.setattr("bandfold.ground.restoration.bilateral_filter.similarity", counted)
    bilateral_filter(planes, slice(0, 6), KERNELS)
    assert sum(blocks) == planes[0].size // 64
    assert max(blocks) <= BLOCKS_AT_ONCE


def test_components_without_anything_near_are_left_out(planes, monkeypatch):
    """A component that is zero around a block is not compared there, and its average is zero."""
    counts = []

    def counted(others, present, falls):
        counts.append(others.shape[1])
        return similarity(others, present, falls)

    monkeypatch.setattr("bandfold.ground.restoration.bilateral_filter.similarity", counted)
    expected, expected_weights = bilateral_filter(planes, slice(0, 6), KERNELS)
    more = np.concatenate([planes[:1], 0 * planes[:1], planes[1:]])
    averages, weights = bilateral_filter(more, slice(0, 6), KERNELS)
    np.testing.assert_array_equal(np.delete(averages, 1, axis=1), expected)
    assert not averages[:, 1].any()
    np.testing.assert_array_equal(weights, expected_weights)
    assert set(counts) == {len(planes)}


def test_falls_that_are_powers_of_another_are_as_exact_as_exponential_functions():
    rng = np.random.default_rng(7)
    others = rng.normal(0, 1, (1, 3, 576)).astype(np.float32)
    present = np.ones((1, 576), np.float32)
    falls = np.array([(-2.0, 0.0), (-0.25, 0.0), (-1 / 256, -0.125), (-0.25, -0.125)], np.float32)
    weights, _ = similarity(others, present, falls)
    for kernel in range(len(falls)):
        alone, _ = similarity(others, present, falls[kernel : kernel + 1])
        np.testing.assert_allclose(weights[kernel], alone[0], rtol=1e-4, atol=1e-8)
