"""Averages over pixels that look alike: against a slow loop, and cut into columns."""

import numpy as np
import pytest

from bandfold.common.kernels import switched_off
from bandfold.ground.restoration.bilateral_filter import BilateralFilter, FilterKernel
from bandfold.ground.restoration.pixel_similarity import MARGIN

KERNELS = (FilterKernel(3.0, 0.0), FilterKernel(20.0, 2.0), FilterKernel(0.0, 1.0))
SHIPPED = [(0.5, 0.0), (4.0, 0.0), (32.0, 0.0), (256.0, 0.0), (4.0, 2.0), (64.0, 2.0), (0.0, 1.0)]


def town(components=3, seed=5):
    rng = np.random.default_rng(seed)
    steps = np.repeat(np.repeat(rng.normal(0, 4, (components, 4, 6)), 4, axis=1), 8, axis=2)
    return (steps + rng.normal(0, 0.5, steps.shape)).astype(np.float32)


@pytest.fixture
def planes():
    return town()


def averaged(planes, kernels, columns=None):
    """Averages of shape (kernels, components, lines, samples), and the sums of weights of each block."""
    columns = columns or slice(0, planes.shape[2] // 8)
    found = BilateralFilter(planes, kernels).averages(columns)
    rows, wanted = planes.shape[1] // 8, columns.stop - columns.start
    blocks = found.changes.reshape(rows, wanted, len(kernels), 8, 8, -1)
    changes = blocks.transpose(2, 5, 0, 3, 1, 4).reshape(len(kernels), -1, 8 * rows, 8 * wanted)
    return changes + planes[:, :, 8 * columns.start : 8 * columns.stop], found.sums


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
    averages, sums = averaged(planes, KERNELS)
    assert averages.shape == (3, *planes.shape)
    for number, kernel in enumerate(KERNELS):
        for line, sample in ((0, 0), (7, 21), (9, 30), (15, 47)):
            expected, weight = slowly(planes, kernel, line, sample)
            # Weights are whole multiples of 1 / 4096, planes of 1 / 1024.
            np.testing.assert_allclose(averages[number][:, line, sample], expected, atol=5e-3)
            block = line // 8 * 6 + sample // 8
            assert sums[block, number, line % 8 * 8 + sample % 8] == pytest.approx(weight, rel=2e-3)


def test_columns_are_those_of_the_whole(planes):
    averages, sums = averaged(planes, KERNELS)
    part, part_sums = averaged(planes, KERNELS, slice(2, 5))
    np.testing.assert_array_equal(part, averages[..., 16:40])
    np.testing.assert_array_equal(part_sums.reshape(2, 3, 3, 64), sums.reshape(2, 6, 3, 64)[:, 2:5])


@pytest.mark.parametrize("huge", [1e160, 1e300])
def test_windows_beyond_all_pixels_weigh_all_alike(planes, huge):
    found, weights = averaged(planes, [FilterKernel(huge, huge), FilterKernel(0.0, 0.0)])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(weights[:, 0], weights[:, 1])


def test_pixels_that_differ_do_not_mix():
    planes = np.zeros((2, 8, 16), dtype=np.float32)
    planes[:, :, 5:] = 1000.0
    averages, _ = averaged(planes, [FilterKernel(4.0, 0.0)])
    np.testing.assert_array_equal(averages[0], planes)


def test_a_bright_plane_does_not_drown_small_differences():
    """Squares of 1e10 and differences of 1: what a product in float32 loses."""
    planes = np.full((1, 8, 8), 1e5, dtype=np.float32)
    planes[0, :, 4:] += 1.0
    averages, _ = averaged(planes, [FilterKernel(0.05, 0.0)])
    np.testing.assert_allclose(averages[0], planes, atol=0.02)


@pytest.mark.parametrize("components", [1, 8, 29])
def test_averages_have_the_same_bits_without_compiled_kernels(components):
    planes = town(components)
    # Far from all others, near by, and nothing at all: what compiled kernels skip.
    planes[:, :6, :9] += 500.0
    planes[components // 2 :, :, 16:] = 0.0
    planes[0, 3, 30] = 1e9
    kernels = [FilterKernel(*one) for one in (*SHIPPED, (0.0, 0.0), (1e-31, 0.0), (1e6, 3.0))]
    for some in (kernels, kernels[:1], kernels[6:8]):
        found = BilateralFilter(planes, some).averages(slice(0, 6))
        with switched_off():
            expected = BilateralFilter(planes, some).averages(slice(0, 6))
        np.testing.assert_array_equal(found.changes, expected.changes)
        np.testing.assert_array_equal(found.sums, expected.sums)
        assert found.changes.any()


def test_averages_do_not_depend_on_those_made_with_them():
    """The factor of one follows from that of another by squaring, if its bandwidth allows that."""
    planes = town(3, seed=7) / 4
    together, sums = averaged(planes, [FilterKernel(*one) for one in SHIPPED])
    for number, one in enumerate(SHIPPED):
        alone, own_sums = averaged(planes, [FilterKernel(*one)])
        np.testing.assert_allclose(together[number], alone[0], atol=2e-3)
        np.testing.assert_allclose(sums[:, number], own_sums[:, 0], rtol=1e-3)


def test_components_without_anything_near_change_nothing(planes):
    """A component that is zero around a block is not compared there, and its average is zero."""
    expected, expected_sums = averaged(planes, KERNELS)
    more = np.concatenate([planes[:1], 0 * planes[:1], planes[1:]])
    averages, sums = averaged(more, KERNELS)
    np.testing.assert_array_equal(np.delete(averages, 1, axis=1), expected)
    assert not averages[:, 1].any()
    np.testing.assert_array_equal(sums, expected_sums)
