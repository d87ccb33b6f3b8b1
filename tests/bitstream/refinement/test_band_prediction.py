"""Predictions of bands: sums in 32 bits, where they fit, are those of NumPy in 64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.refinement.band_prediction import (
    FARTHEST,
    LARGEST_WEIGHT,
    PLANES,
    BandPrediction,
    Bounds,
    ReferencePlanes,
)
from bandfold.bitstream.refinement.quantisation import UniformSteps
from bandfold.common import kernels

PIXELS = 1100
BAND = 9


def found(dtype, weights, offset, limit, seed):
    """Everything that coding and decoding find of a band, its planes at the ends of what they may hold."""
    generator = np.random.default_rng(seed)
    bounds = Bounds.of(np.dtype(dtype))
    ends = [bounds.lowest, bounds.highest]
    base = generator.choice(ends, (BAND + 2, PIXELS)).astype(dtype)
    references = ReferencePlanes(base)
    for band in range(BAND + 1):
        references.enter(band)
    reach = min(bounds.highest - bounds.lowest, FARTHEST)
    for band in range(BAND):
        references.plane(references.difference(band))[:] = generator.choice([-reach, 0, reach], PIXELS)
    references.weigh(BAND, BandPrediction(weights[:8], weights[8:], offset))
    samples = generator.integers(bounds.lowest, bounds.highest, PIXELS, endpoint=True).astype(np.int32)
    steps = UniformSteps(limit, bounds)
    predicted = references.predict(bounds)
    slot = references.difference(BAND)
    held = references.plane(slot).copy()
    coded = steps.code(references, slot, samples, None)
    lacking = references.plane(slot).copy()
    references.plane(slot)[:] = held
    decoded = steps.decode(references, slot, coded[0])
    return predicted, *coded, lacking, decoded, references.plane(slot)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32"])
@settings(max_examples=30, deadline=None)
@given(
    unit=st.integers(0, 18),
    most=st.integers(1, 1 << 22),
    offset=st.integers(-(1 << 20), 1 << 20),
    limit=st.sampled_from([0, 1, 40, 70_000]),
    seed=st.integers(0, 1 << 20),
)
def test_compiled_kernels_and_numpy_predict_alike(dtype, unit, most, offset, limit, seed):
    largest = min(most, LARGEST_WEIGHT - 1) >> unit
    numbers = np.random.default_rng(seed).integers(-largest, largest, PLANES, endpoint=True) << unit
    given = dtype, tuple(numbers.tolist()), offset, limit, seed
    compiled = found(*given)
    with kernels.switched_off():
        plain = found(*given)
    for one, other in zip(compiled, plain, strict=True):
        np.testing.assert_array_equal(one, other)
