"""Curves of other codecs beside points of models."""

import pytest

from bandfold.benchmarks.rate_distortion.band_panels import interpolate


def test_interpolation():
    curve = [(1.0, 40.0), (0.1, 30.0)]
    assert interpolate(curve, 10**-0.5) == pytest.approx(35)
    assert interpolate(curve, 0.05) is None
    assert interpolate(curve, 1.5) is None
