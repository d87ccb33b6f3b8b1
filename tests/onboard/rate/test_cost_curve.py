"""Curves of error over bytes that trials are held against."""

import numpy as np
import pytest

from bandfold.onboard.rate.cost_curve import CostCurve


def test_a_curve_costs_nothing_on_itself_and_error_elsewhere():
    def error(octaves):
        return 2.0 ** (5 - 1.5 * octaves - 0.1 * octaves**2)

    curve = CostCurve.through(*((error(x), 1000 * 2.0**x) for x in (0.0, -0.5, 0.7)))
    for octaves in (-0.8, 0.0, 0.3):
        assert curve.cost(error(octaves), 1000 * 2.0**octaves) == pytest.approx(0, abs=1e-9)
        assert curve.cost(1.01 * error(octaves), 1000 * 2.0**octaves) == pytest.approx(np.log2(1.01))
    assert curve.cost(error(0.0), 900) < 0 < curve.cost(error(-0.1), 1000)
    # However far away, fewer bytes with less error are better.
    assert curve.cost(error(0.0) / 2, 1e-3) < 0 < curve.cost(error(0.0) * 2, 1e9)


@pytest.mark.parametrize("coarse", [(8.0, 1000.0), (30.0, 1000.0), (64.0, 1200.0)])
def test_where_bytes_bring_nothing_there_is_no_curve(coarse):
    assert CostCurve.through((32.0, 1000.0), coarse, (16.0, 2000.0)) is None
