"""Logarithms of refinement in exact integers, against floats."""

import numpy as np
import pytest

from bandfold.bitstream.refinement import scales


def test_logarithms_of_ratios():
    ratios = np.maximum(np.arange(scales.RATIOS), 1)
    assert np.array_equal(scales.LOGARITHMS, np.floor(8 * np.log2(ratios / 256) + 1e-9))


def test_inverse_scales():
    means = 2.0 ** ((np.arange(len(scales.inverse_scales())) - scales.UNIT_SCALE) / 8)
    assert np.allclose(scales.inverse_scales(), np.minimum(2**20 / means, 1 << 24), atol=1)


@pytest.mark.parametrize("mean", [1e-3, 0.02, 0.5, 1.0, 3.3, 127.0, 70000.0, 4e9])
def test_scale_of_a_mean(mean):
    count = 100000
    found = scales.scale_of(round(mean * count), count)
    assert found == max(np.floor(8 * np.log2(mean) + 96.5), 0)
    assert found <= scales.LARGEST_SCALE
    rest = found - 8 * scales.raw_bits(found)
    assert 0 <= rest < len(scales.inverse_scales())
    assert 0 <= scales.class_of(rest) < scales.CLASSES
    assert 0 <= scales.weight_group(rest) < scales.WEIGHT_GROUPS
