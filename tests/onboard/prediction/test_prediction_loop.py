"""A band before and behind the network: C and Python choose, predict and code the same."""

from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.segments.predicted_codec import codec_of
from bandfold.bitstream.transforms.band_order import Hierarchy
from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.predicted_bands import PredictedBands
from bandfold.common import kernels
from bandfold.onboard.prediction.prediction_loop import PredictionLoop
from bandfold.onboard.quantisation.rdoq import ComponentQuantiser
from bandfold.onboard.settings import find_package

CODEC = codec_of(find_package("innovations"))


def _coded(counts, step_code, shift, outputs, hierarchy):
    """What all bands come to: predictions, inputs of the network, levels, planes, errors."""
    bands, lines, samples = counts.shape
    positions = -(-lines // 8), -(-samples // 8)
    means = (counts.reshape(bands, -1).mean(axis=1) * 64).astype(np.int64)
    fold = Fold((bands,), means, engines=(0,), prediction=hierarchy)
    strip = PredictedBands(fold, CODEC.kernels, CODEC.points, step_code, positions)
    quantiser = ComponentQuantiser(CODEC.mode, positions)
    loop = PredictionLoop(strip, quantiser, CODEC, counts, shift)
    found = []
    for number in range(bands):
        found += [*loop.predict(number), loop.prediction.copy(), loop.inputs.copy()]
        found += [*loop.code(number, outputs[number], 0), loop.plane(number).copy(), loop.latents.copy()]
        found += [held.copy() for held in quantiser.component(number)]
    return found


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    kind=st.sampled_from(["noise", "alike", "flat", "multiples", "extremes"]),
    step_code=st.sampled_from([1, 37, 256, 20_000, 3_000_000]),
    shift=st.integers(0, 8),
    tiers=st.integers(0, 2),
)
def test_c_and_python_code_the_same(seed, kind, step_code, shift, tiers):
    generator = np.random.default_rng(seed)
    shape = 6, 20, 27
    field = generator.integers(0, 3000, shape[1:])
    counts = {
        "noise": generator.integers(0, 60000, shape),
        "alike": 20000 + field + generator.integers(0, 9, shape),
        "flat": np.full(shape, 777),
        "multiples": np.arange(1, 7)[:, None, None] ** 2 * field // 3,
        "extremes": generator.integers(0, 2, shape) * 65535,
    }[kind].astype(np.uint16)
    outputs = generator.integers(-128, 128, (6, 5, 6, 64)).astype(np.int8)
    ways = []
    for way in (nullcontext(), kernels.switched_off()):
        with way:
            ways.append(_coded(counts, step_code, shift, outputs, Hierarchy((2,) * tiers, 0)))
    for one, other in zip(*ways, strict=True):
        np.testing.assert_array_equal(getattr(one, "weights", one), getattr(other, "weights", other))
        assert getattr(one, "offset", 0) == getattr(other, "offset", 0)


def test_c_and_python_look_at_the_same_blocks_of_large_strips():
    generator = np.random.default_rng(5)
    field = generator.integers(0, 3000, (128, 130))
    counts = (9000 + field + generator.integers(0, 40, (4, 128, 130))).astype(np.uint16)
    outputs = generator.integers(-60, 60, (4, 18, 19, 64)).astype(np.int8)
    found = _coded(counts, 2000, 0, outputs, Hierarchy())
    with kernels.switched_off():
        plain = _coded(counts, 2000, 0, outputs, Hierarchy())
    assert found[::10] == plain[::10]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16])
def test_errors_are_of_counts_within_their_range(dtype):
    counts = np.full((1, 8, 8), np.iinfo(dtype).max, dtype)
    outputs = np.zeros((1, 3, 3, 64), np.int8)
    outputs[..., 0] = 100
    found = _coded(counts, 256, 0, outputs, Hierarchy())
    assert found[6].min() > 16 * np.iinfo(dtype).max
    assert found[5] == 0
