"""Sums of strips are brought into a range with few codings."""

import pytest

from bandfold.onboard.rate.lambda_trim import LARGEST_TRIM, trim
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER


class Strips:
    """Strips whose bytes follow the multiplier with a slope of their own."""

    def __init__(self, sizes, slope):
        self.first = list(sizes)
        self.sizes = list(sizes)
        self.slope = slope
        self.multipliers = {}
        self.calls = 0

    def recode(self, index, multiplier):
        self.calls += 1
        self.multipliers[index] = multiplier
        self.sizes[index] = round(self.first[index] * (multiplier / LAGRANGE_MULTIPLIER) ** self.slope)
        return self.sizes[index]


def test_nothing_is_coded_again_where_the_sum_is_good():
    strips = Strips([500, 400], -0.6)
    assert trim(strips.sizes, (880, 900), 895, strips.recode)
    assert strips.calls == 0


@pytest.mark.parametrize("slope", [-0.4, -0.6, -0.9])
@pytest.mark.parametrize("total", [9_750, 10_010, 10_190])
def test_a_percent_takes_a_few_strips(slope, total):
    strips = Strips([total // 10] * 9 + [total - 9 * (total // 10)], slope)
    assert trim(list(strips.sizes), (9_850, 10_000), 9_940, strips.recode)
    assert 9_850 <= sum(strips.sizes) <= 10_000
    assert strips.calls <= 7


def test_the_multiplier_rises_where_bytes_are_too_many_and_falls_where_they_are_too_few():
    many, few = Strips([1020], -0.6), Strips([970], -0.6)
    trim([1020], (990, 1000), 995, many.recode)
    trim([970], (990, 1000), 995, few.recode)
    assert many.multipliers[0] > LAGRANGE_MULTIPLIER > few.multipliers[0]


def test_the_largest_strip_is_first():
    strips = Strips([100, 5000, 4990], -0.6)
    trim(list(strips.sizes), (9_900, 10_000), 9_980, strips.recode)
    assert list(strips.multipliers) == [1]


def test_what_cannot_be_reached_is_told():
    strips = Strips([1000, 1000], 0.0)
    assert not trim(strips.sizes, (900, 1000), 980, strips.recode)
    # Both were tried, and by no more than is allowed each time.
    assert set(strips.multipliers) == {0, 1}
    assert max(strips.multipliers.values()) < LAGRANGE_MULTIPLIER * (1 - LARGEST_TRIM) ** (-3 / 0.6) * 1.01
