"""Weights of least squares: those that made a band, in a unit that is worth telling."""

import numpy as np
import pytest

from bandfold.bitstream.refinement.band_prediction import WEIGHT_BITS, ReferencePlanes
from bandfold.bitstream.refinement.least_squares import ReferenceMoments, looked_at
from bandfold.common import kernels

ONE = 1 << WEIGHT_BITS


def _fit(target, planes, absent=None, base=None):
    """Fit a band behind others whose differences are known."""
    pixels, count = target.size, len(planes)
    references = ReferencePlanes(np.zeros((count + 2, pixels), np.int32) if base is None else base)
    moments = ReferenceMoments(references, looked_at(absent, pixels))
    for band in range(count + 1):
        for slot in references.enter(band):
            moments.learn(slot)
        if band < count:
            references.plane(references.difference(band))[:] = planes[band]
            moments.learn(references.difference(band))
    return moments.fit(count, target + references.band_base, 0)


def _planes(count, pixels=20000):
    return np.rint(np.random.default_rng(2).normal(0, 60, (count, pixels))).astype(np.int32)


def test_a_mixture_is_found():
    planes = _planes(3)
    noise = np.random.default_rng(3).normal(5, 4, planes.shape[1])
    target = np.rint(0.75 * planes[2] - 0.3 * planes[1] + noise).astype(np.int32)
    told = _fit(target, planes)
    prediction = told.prediction
    weights = np.array(prediction.weights) / ONE
    assert np.allclose(weights[:2], [0.75, -0.3], atol=0.01)
    assert abs(prediction.offset / 16 - 5) < 0.3
    assert all(weight % (1 << told.unit) == 0 for weight in prediction.weights)


def test_what_does_not_pay_is_not_told():
    noise = np.rint(np.random.default_rng(4).normal(0, 9, (20, 20000))).astype(np.int32)
    assert np.mean([len(_fit(target, _planes(5)).prediction.weights) for target in noise]) < 0.3


def test_references_that_are_equal_or_empty_do_no_harm():
    plane = _planes(1)[0]
    prediction = _fit(plane, [plane, np.zeros_like(plane), plane]).prediction
    assert abs(sum(prediction.weights[::2]) / ONE - 1) < 0.02


def test_absent_pixels_are_not_looked_at():
    planes = _planes(1)
    absent = np.arange(planes.shape[1]) % 2 == 0
    target = np.where(absent, 60000, planes[0]).astype(np.int32)
    prediction = _fit(target, planes, absent).prediction
    assert abs(prediction.weights[0] / ONE - 1) < 0.01
    assert abs(prediction.offset) < 16
    assert _fit(target, planes, np.ones_like(absent)).prediction.weights == ()


def test_the_bend_of_the_base_is_seen():
    random = np.random.default_rng(7)
    base = np.rint(random.normal(3000, 400, (3, 20000))).astype(np.int32)
    target = np.rint(0.25 * (base[0] - 2 * base[1] + base[2]) + random.normal(0, 3, 20000)).astype(np.int32)
    told = _fit(target, [np.zeros(20000, np.int32)], base=base)
    assert np.allclose(np.array(told.prediction.around) / ONE, [0.25, -0.5, 0.25], atol=1e-3)
    assert told.around_unit > 2


@pytest.mark.parametrize("size", [1e-3, 1.0, 60.0, 3e4, 1.6e7])
@pytest.mark.parametrize("seed", range(4))
def test_numpy_finds_the_weights_that_c_finds(size, seed):
    """Planes of all sizes, alike and not, some of them equal or empty."""
    generator = np.random.default_rng(seed)
    mixed = generator.normal(0, size, (10, 3)) @ generator.normal(0, 1, (3, 900))
    mixed += generator.normal(0, size * 10.0 ** -generator.integers(0, 5), mixed.shape)
    planes = np.clip(np.rint(mixed), -(2**24), 2**24).astype(np.int32)
    planes[generator.integers(10)] = planes[generator.integers(10)]
    planes[generator.integers(10)] = 0
    base = np.cumsum(np.clip(planes, -(2**20), 2**20), axis=0)[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]].astype(
        np.int32
    )
    found = _fit(planes[9], planes[:8], base=base)
    with kernels.switched_off():
        assert _fit(planes[9], planes[:8], base=base) == found
