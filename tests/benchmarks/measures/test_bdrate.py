"""Delta rates: cases whose answer is known without computing it."""

import math

import pytest

from bandfold.benchmarks.measures.bdrate import bd_rate, mean, quality_at

ANCHOR = [(0.05, 60.0), (0.1, 64.0), (0.25, 69.0), (0.5, 73.0), (1.0, 77.5), (2.0, 83.0)]


def scaled(factor):
    return [(rate * factor, quality) for rate, quality in ANCHOR]


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.25, 3.0])
def test_a_constant_factor_of_the_rate_is_found_exactly(factor):
    figure = bd_rate(ANCHOR, scaled(factor))
    assert figure.percent == pytest.approx(100 * (factor - 1))
    assert (figure.low, figure.high, figure.coverage) == (60.0, 83.0, pytest.approx(1))
    assert figure.reason == ""


def test_a_constant_factor_is_found_over_a_range_of_rates_too():
    figure = bd_rate(ANCHOR, scaled(0.9), (0.05, 1.0))
    assert figure.percent == pytest.approx(-10)
    assert (figure.low, figure.high) == (pytest.approx(60), pytest.approx(77.5))


def test_swapping_the_curves_inverts_the_ratio():
    other = [(0.05, 61.0), (0.2, 68.5), (0.6, 75.0), (1.5, 81.0)]
    forth, back = bd_rate(ANCHOR, other).percent, bd_rate(other, ANCHOR).percent
    assert (1 + forth / 100) * (1 + back / 100) == pytest.approx(1)
    assert forth < 0 < back


def test_straight_lines_have_the_area_between_them():
    # log2(rate) = dB / 3 against log2(rate) = dB / 3 - (dB - 60) / 30: mean difference over 60 to 90 is -1/2.
    anchor = [(2.0 ** (quality / 3 - 24), quality) for quality in (60.0, 70.0, 80.0, 90.0)]
    other = [(2.0 ** (quality / 3 - 24 - (quality - 60) / 30), quality) for quality in (60.0, 75.0, 90.0)]
    assert bd_rate(anchor, other).percent == pytest.approx(100 * (2**-0.5 - 1))


def test_what_lies_outside_the_range_of_rates_does_not_count():
    # Twice the bytes above 1 bps only: seen without a range, unseen with it.
    worse = [(rate * (2 if rate > 1 else 1), quality) for rate, quality in ANCHOR]
    assert bd_rate(ANCHOR, worse, (0.05, 0.5)).percent == pytest.approx(0, abs=1e-6)
    assert bd_rate(ANCHOR, worse).percent > 3


def test_coverage_is_the_shared_part_of_the_anchor():
    figure = bd_rate(ANCHOR, [(0.06, 70.0), (0.3, 77.5)], (0.05, 1.0))
    assert (figure.low, figure.high) == (70.0, pytest.approx(77.5))
    assert figure.coverage == pytest.approx(7.5 / 17.5)


def test_order_and_useless_points_change_nothing():
    useless = [(0.3, 66.0), (0.5, 72.0)]
    assert bd_rate(
        ANCHOR, [*reversed(scaled(0.8)), *[(0.8 * r, q) for r, q in useless]]
    ).percent == pytest.approx(-20)


def test_curves_without_shared_quality_have_a_reason_in_place_of_a_figure():
    figure = bd_rate(ANCHOR, [(0.05, 84.0), (1.0, 95.0)])
    assert math.isnan(figure.percent)
    assert figure.coverage == 0
    assert "no shared quality" in figure.reason


def test_an_anchor_outside_the_range_of_rates_has_a_reason():
    assert "between 3 and 4 bps" in bd_rate(ANCHOR, scaled(0.9), (3.0, 4.0)).reason


def test_a_single_point_has_a_reason():
    assert "two points" in bd_rate(ANCHOR, [(0.1, 64.0)]).reason
    # Lossless points have no decibels.
    assert "two points" in bd_rate(ANCHOR, [(0.1, 64.0), (9.0, math.inf)]).reason


def test_quality_between_points_rises_with_the_rate():
    assert quality_at(ANCHOR, 0.25) == pytest.approx(69)
    assert 69 < quality_at(ANCHOR, 0.3) < quality_at(ANCHOR, 0.4) < 73


def test_quality_outside_is_unknown_but_two_percent_are_forgiven():
    assert math.isnan(quality_at(ANCHOR, 0.04))
    assert math.isnan(quality_at(ANCHOR, 2.05))
    assert quality_at([(0.1, 60.0), (0.4915, 70.0)], 0.5) == pytest.approx(70)


def test_the_mean_leaves_out_what_does_not_exist():
    assert mean([-10.0, math.nan, -20.0]) == -15
    assert math.isnan(mean([math.nan]))
