import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.transforms.band_prediction import (
    FARTHEST,
    LARGEST_WEIGHT,
    WEIGHT_UNIT,
    Prediction,
    predict,
)
from bandfold.common import kernels


def _planes(seed, bands, pixels, largest):
    return np.random.default_rng(seed).integers(-largest, largest + 1, (bands, pixels)).astype(np.int32)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    pixels=st.integers(1, 100),
    largest=st.sampled_from([10, 1 << 20, FARTHEST]),
    weights=st.lists(st.integers(-LARGEST_WEIGHT, LARGEST_WEIGHT), max_size=4),
    base=st.integers(-FARTHEST, FARTHEST),
)
def test_both_kernels_predict_what_python_does(seed, pixels, largest, weights, base):
    planes = _planes(seed, 5, pixels, largest)
    means = _planes(seed + 1, 4, 1, 1 << 20)[:, 0]
    references = (3, 0, 4, 1)
    prediction = Prediction(tuple(weights))
    found = predict(planes, references, prediction, means, base)
    with kernels.switched_off():
        other = predict(planes, references, prediction, means, base)
    np.testing.assert_array_equal(found, other)
    for pixel in range(pixels):
        total = WEIGHT_UNIT // 2 + sum(
            weight * (int(planes[reference, pixel]) - int(mean))
            for weight, reference, mean in zip(weights, references, means, strict=False)
        )
        expected = min(max(base + (total >> 10), -FARTHEST), FARTHEST)
        assert found[pixel] == expected


def test_a_band_without_references_is_its_mean():
    planes = _planes(1, 2, 6, 100)
    means = np.array([50], dtype=np.int32)
    assert (predict(planes, (0,), Prediction(), means, 77) == 77).all()


def test_equal_bands_predict_each_other():
    planes = _planes(2, 2, 50, 1 << 16)
    means = np.array([1000], dtype=np.int32)
    np.testing.assert_array_equal(predict(planes, (0,), Prediction((1024,)), means, 1000), planes[0])
