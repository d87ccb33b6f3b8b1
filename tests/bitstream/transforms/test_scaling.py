"""Counts become samples again, in every type."""

import numpy as np
import pytest

from bandfold.bitstream.transforms.scaling import apply_scaling
from bandfold.common.scene import Scaling, SceneInfo
from bandfold.onboard.samples.samples import ArraySource
from bandfold.onboard.samples.scaling import ScaledSource


def info(dtype, scaling=None):
    return SceneInfo(1, 1, 3, np.dtype(dtype), scaling=scaling)


@pytest.mark.parametrize(
    ("dtype", "scaling", "expected"),
    [
        ("float32", Scaling(0.1, 1.0), [np.float32(-3275.8), 1.0, np.float32(3277.7)]),
        ("float64", Scaling(0.1, 1.0), [-32768 * 0.1 + 1, 1.0, 32767 * 0.1 + 1]),
        ("int32", Scaling(0.25, 0.375), [-8192, 0, 8192]),
        ("int32", Scaling(1e6), [-(2**31), 0, 2**31 - 1]),
        ("uint32", Scaling(1e6, 7.0), [0, 7, 2**32 - 1]),
        ("float32", Scaling(1e36), [np.finfo("f4").min, 0, np.finfo("f4").max]),
    ],
)
def test_values_are_rounded_and_clipped(dtype, scaling, expected):
    counts = np.array([[[-32768, 0, 32767]]], "int16")
    values = apply_scaling(counts, info(dtype, scaling))
    assert values.dtype == dtype
    assert values.ravel().tolist() == expected


def test_counts_without_scaling_are_the_samples():
    counts = np.array([[[1, 2, 3]]], "uint16")
    np.testing.assert_array_equal(apply_scaling(counts, info("uint16")), counts)


@pytest.mark.parametrize("counts_type", ["int16", "uint16"])
def test_every_count_survives_the_round_trip(counts_type):
    limits = np.iinfo(counts_type)
    counts = np.arange(limits.min, limits.max + 1).astype(counts_type).reshape(4, 128, 128)
    scaling = Scaling(0.0371, -12.5, np.dtype(counts_type))
    values = apply_scaling(counts, SceneInfo(*counts.shape, np.dtype("float32"), scaling=scaling))
    again = ScaledSource(ArraySource(values, scaling=scaling)).read(slice(0, 4), slice(0, 128))
    np.testing.assert_array_equal(again, counts)
