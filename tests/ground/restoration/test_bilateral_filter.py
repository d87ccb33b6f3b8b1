"""Averages over pixels that look alike: against a slow loop, and cut into columns."""

import numpy as np
import pytest

from bandfold.ground.restoration.bilateral_filter import MARGIN, FilterKernel, bilateral_filter

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
