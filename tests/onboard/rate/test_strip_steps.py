"""Sums of strips are brought into a range with few codings."""

import pytest

from bandfold.common.exact import log2_of
from bandfold.onboard.coding.scene_strips import turns
from bandfold.onboard.rate.step_search import moved_step
from bandfold.onboard.rate.strip_steps import LARGEST_MOVE, MOST_ROUNDS, trim

CODE = 2000


class Strips:
    """Strips whose bytes follow the step with a slope of their own."""

    def __init__(self, sizes, slope):
        self.first = list(sizes)
        self.slope = slope
        self.codes = {}
        self.calls = 0

    def recode(self, index, code):
        self.calls += 1
        self.codes[index] = code
        return round(self.first[index] * (code / CODE) ** self.slope)

    def trim(self, accept, aim, slope=-1.0):
        return trim(self.first, [CODE] * len(self.first), accept, aim, slope, self.recode)


def test_nothing_is_coded_again_where_the_sum_is_good():
    strips = Strips([500, 400], -1.0)
    assert strips.trim((880, 900), 895)
    assert strips.calls == 0


@pytest.mark.parametrize("slope", [-0.6, -1.0, -1.5])
@pytest.mark.parametrize("total", [9_750, 10_010, 10_190])
def test_a_percent_takes_a_few_strips(slope, total):
    strips = Strips([total // 10] * 9 + [total - 9 * (total // 10)], slope)
    assert strips.trim((9_850, 10_000), 9_940)
    assert strips.calls <= 5


def test_steps_grow_where_bytes_are_too_many_and_shrink_where_they_are_too_few():
    many, few = Strips([1020], -1.0), Strips([970], -1.0)
    assert many.trim((990, 1000), 995)
    assert few.trim((990, 1000), 995)
    assert many.codes[0] > CODE > few.codes[0]


def test_the_largest_strip_is_first():
    strips = Strips([100, 5000, 4990], -1.0)
    assert strips.trim((9_900, 10_000), 9_980)
    assert list(strips.codes) == [1]


def test_what_cannot_be_reached_is_told():
    strips = Strips([1000, 1000], 0.0)
    assert not strips.trim((900, 1000), 980)
    # Both were tried, and by no more than is allowed each time.
    assert set(strips.codes) == {0, 1}
    assert max(strips.codes.values()) < CODE * (1 - LARGEST_MOVE) ** -MOST_ROUNDS * 1.01


def test_a_step_moves_along_the_slope():
    assert moved_step(CODE, log2_of(1.1), -1.0) == round(CODE / 1.1)
    assert moved_step(CODE, log2_of(0.9), -0.5) == round(CODE / 0.81)
    assert moved_step(CODE, 100.0, -0.3) == CODE // 2


@pytest.mark.parametrize("strips", [*range(1, 18), 100])
def test_turns_are_all_strips_in_their_order(strips):
    found = turns(strips)
    assert [index for turn in found for index in turn] == list(range(strips))
    assert all(len(turn) for turn in found)
    assert len(found) == min(strips, 4)
    assert len(found[0]) == max(len(turn) for turn in found)
