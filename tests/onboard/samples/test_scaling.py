"""Counts stand for the samples to half a count, and what they cannot stand for is named."""

import numpy as np
import pytest

from bandfold.common.errors import SceneError
from bandfold.common.scene import Scaling
from bandfold.common.values.fill_values import no_data_mask
from bandfold.onboard.samples.samples import ArraySource
from bandfold.onboard.samples.scaling import ScaledSource

EVERYTHING = slice(0, 3), slice(0, 4)


def floats(dtype="float32"):
    return np.random.default_rng(2).normal(0.3, 0.1, (3, 4, 5)).astype(dtype)


def counts_of(cube, scaling, no_data=None):
    source = ScaledSource(ArraySource(cube, scaling=scaling, no_data=no_data))
    return source.read(slice(0, cube.shape[0]), slice(0, cube.shape[1]))


@pytest.mark.parametrize(
    ("dtype", "no_data", "marked"),
    [
        ("uint16", None, 0),
        ("uint16", 7.0, 1),
        ("uint16", 7.5, 0),
        ("uint16", -7.0, 0),
        ("uint16", 65543.0, 0),
        ("uint16", np.nan, 0),
        ("uint16", np.inf, 0),
        ("int8", 7.0, 1),
        ("uint32", 7.0, 1),
        ("float32", 7.0, 1),
        ("float32", 7.0000000001, 1),
        ("float64", 7.0000000001, 0),
        ("float32", np.nan, 0),
        ("float32", 1e39, 0),
        ("float32", -np.inf, 0),
    ],
)
def test_no_data_is_compared_in_the_type_of_the_block(dtype, no_data, marked):
    block = np.arange(24).reshape(2, 3, 4).astype(dtype)
    mask = no_data_mask(block, no_data)
    assert mask.shape == block.shape
    assert mask.sum() == marked
    assert mask[0, 1, 3] == bool(marked)


def test_nan_infinity_and_extremes_can_mark_absent_data():
    block = np.array([[[np.nan, np.inf, -np.inf, np.finfo("f4").max]]], "f4")
    for index, value in enumerate((np.nan, np.inf, -np.inf, 3.40282347e38)):
        assert no_data_mask(block, value).ravel().tolist() == [place == index for place in range(4)]


def test_counts_are_rounded_and_may_be_signed_or_mirrored():
    cube = np.array([[[-1.0, 0.0, 0.24, 0.26, 16383.5, -16384.0]]])
    assert counts_of(cube, Scaling(0.5, 0.0)).tolist() == [[[-2, 0, 0, 1, 32767, -32768]]]
    assert counts_of(cube[..., :4], Scaling(-0.5, 1.0)).tolist() == [[[4, 2, 2, 1]]]


def test_info_describes_the_counts():
    source = ArraySource(floats(), scaling=Scaling(0.1), no_data=5.0, metadata={"description": "x"})
    scaled = ScaledSource(source)
    assert scaled.info.dtype == np.dtype("int16")
    assert scaled.info.scaling is None
    assert scaled.info.no_data is None
    assert scaled.info.metadata == {"description": "x"}
    assert scaled.source is source


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "the sample nan at band 2, line 3, sample 1 .* is not finite"),
        (np.inf, "the sample inf at band 2, line 3, sample 1"),
        (-np.inf, "the sample -inf at band 2, line 3, sample 1"),
        (3276.8, r"the sample 3276.8 at band 2, line 3, sample 1 .* is outside -3276.8 to 3276.7"),
        (-3277.0, "the sample -3277 at band 2, line 3, sample 1 .* is outside"),
        (1e308, "is outside"),
    ],
)
def test_sample_without_a_count_is_named(value, message):
    cube = floats("float64")
    cube[2, 3, 1] = value
    source = ScaledSource(ArraySource(cube, scaling=Scaling(0.1), no_data=-9999.0))
    assert source.read(slice(0, 2), slice(0, 4)).shape == (2, 4, 5)
    with pytest.raises(SceneError, match=message):
        source.read(slice(1, 3), slice(2, 4))


def test_overflow_of_a_tiny_scale_is_named():
    with pytest.raises(SceneError, match="is outside"):
        counts_of(np.full((1, 1, 1), 1e300), Scaling(1e-300))


def test_scene_without_scaling_is_refused():
    with pytest.raises(SceneError, match="declares no scaling"):
        ScaledSource(ArraySource(np.zeros((1, 1, 1), "int16")))
