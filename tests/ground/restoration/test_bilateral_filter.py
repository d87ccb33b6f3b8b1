"""Averages over pixels that look alike: against a slow loop, and cut into columns."""

import numpy as np
import pytest

from bandfold.common.kernels import switched_off
from bandfold.ground.restoration.bilateral_filter import FilterKernel, weighing_of
from bandfold.ground.restoration.block_turns import BlockTurns
from bandfold.ground.restoration.pixel_similarity import averages
from bandfold.ground.restoration.strip_blocks import MARGIN, StripBlocks
from bandfold.ground.synthesis.decoded_latents import DecodedLatents

KERNELS = (FilterKernel(3.0, 0.0), FilterKernel(20.0, 2.0), FilterKernel(0.0, 1.0))
SHIPPED = [(0.5, 0.0), (4.0, 0.0), (32.0, 0.0), (256.0, 0.0), (4.0, 2.0), (64.0, 2.0), (0.0, 1.0)]


def town(components=3, seed=5):
    rng = np.random.default_rng(seed)
    steps = np.repeat(np.repeat(rng.normal(0, 4, (components, 4, 6)), 4, axis=1), 8, axis=2)
    return (steps + rng.normal(0, 0.5, steps.shape)).astype(np.float32)


@pytest.fixture
def planes():
    return town()


def strip_of(planes):
    """A strip of any planes: levels do not matter."""
    components, rows, columns = len(planes), planes.shape[1] // 8, planes.shape[2] // 8
    empty = np.zeros((64, components, rows, columns), dtype=np.int32)
    strip = StripBlocks(
        DecodedLatents(empty, empty.astype(np.uint8), np.zeros((1, 3)), None, ()), BlockTurns(())
    )
    inner = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    strip.arrays["pixels"][(*inner, slice(0, components))] = planes.transpose(1, 2, 0)
    front = min(len(strip.arrays["front"]), components)
    strip.arrays["front"][(slice(0, front), *inner)] = planes[:front]
    return strip


def of_blocks(planes, kernels):
    strip = strip_of(planes)
    return averages(strip, weighing_of(kernels), strip.starts)


def averaged(planes, kernels):
    """Averages of shape (kernels, components, lines, samples), and the sums of weights of each block."""
    found = of_blocks(planes, kernels)
    rows, columns = planes.shape[1] // 8, planes.shape[2] // 8
    blocks = found.changes[..., : len(planes)].reshape(rows, columns, len(kernels), 8, 8, -1)
    changes = blocks.transpose(2, 5, 0, 3, 1, 4).reshape(len(kernels), *planes.shape)
    return changes + planes, found.sums


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
            # Weights are whole multiples of 1 / 4096.
            np.testing.assert_allclose(averages[number][:, line, sample], expected, atol=5e-3)
            block = line // 8 * 6 + sample // 8
            assert sums[block, number, line % 8 * 8 + sample % 8] == pytest.approx(weight, rel=2e-3)


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


@pytest.mark.parametrize("components", [1, 16, 29, 83])
def test_averages_have_the_same_bits_without_compiled_kernels(components):
    planes = town(components) / np.float32(components**0.5)
    # Far from all others, near by, and nothing at all: what compiled kernels skip.
    planes[:, :6, :9] += 500.0
    planes[components // 2 :, :, 16:] = 0.0
    planes[0, 3, 30] = 1e9
    kernels = [FilterKernel(*one) for one in (*SHIPPED, (0.0, 0.0), (1e-31, 0.0), (1e6, 3.0))]
    for some in (kernels, kernels[:1], kernels[6:8]):
        found = of_blocks(planes, some)
        with switched_off():
            expected = of_blocks(planes, some)
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


def test_components_without_anything_change_nothing(planes):
    expected, expected_sums = averaged(planes, KERNELS)
    more = np.concatenate([planes, np.zeros((30, *planes.shape[1:]), dtype=np.float32)])
    averages, sums = averaged(more, KERNELS)
    np.testing.assert_allclose(averages[:, :3], expected, atol=1e-4)
    assert not averages[:, 3:].any()
    np.testing.assert_allclose(sums, expected_sums, rtol=1e-3)
