"""Weights of least squares: those that made a band, in a unit that is worth telling."""

import numpy as np

from bandfold.bitstream.refinement.band_prediction import MOST_REFERENCES
from bandfold.bitstream.refinement.least_squares import ReferenceMoments, looked_at


def _fit(target, planes, absent=None):
    pixels = target.size
    moments = ReferenceMoments(looked_at(absent, pixels), pixels)
    held = np.zeros((MOST_REFERENCES, pixels), np.int32)
    for band, plane in enumerate(planes):
        held[band] = plane
        moments.learn(held, band)
    return moments.fit(held, len(planes), target, 0)


def _planes(count, pixels=20000):
    return np.rint(np.random.default_rng(2).normal(0, 60, (count, pixels))).astype(np.int32)


def test_a_mixture_is_found():
    planes = _planes(3)
    noise = np.random.default_rng(3).normal(5, 4, planes.shape[1])
    target = np.rint(0.75 * planes[2] - 0.3 * planes[1] + noise).astype(np.int32)
    prediction, unit = _fit(target, planes)
    weights = np.array(prediction.weights) / 4096
    assert np.allclose(weights[:2], [0.75, -0.3], atol=0.01)
    assert abs(prediction.offset / 16 - 5) < 0.3
    assert all(weight % (1 << unit) == 0 for weight in prediction.weights)


def test_what_does_not_pay_is_not_told():
    noise = np.rint(np.random.default_rng(4).normal(0, 9, (20, 20000))).astype(np.int32)
    assert np.mean([len(_fit(target, _planes(5))[0].weights) for target in noise]) < 0.3


def test_references_that_are_equal_or_empty_do_no_harm():
    plane = _planes(1)[0]
    prediction, _ = _fit(plane, [plane, np.zeros_like(plane), plane])
    assert abs(sum(prediction.weights[::2]) / 4096 - 1) < 0.02


def test_absent_pixels_are_not_looked_at():
    planes = _planes(1)
    absent = np.arange(planes.shape[1]) % 2 == 0
    target = np.where(absent, 60000, planes[0]).astype(np.int32)
    prediction, _ = _fit(target, planes, absent)
    assert abs(prediction.weights[0] / 4096 - 1) < 0.01
    assert abs(prediction.offset) < 16
    assert _fit(target, planes, np.ones_like(absent))[0].weights == ()
