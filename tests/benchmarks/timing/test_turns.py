"""Who runs when, and what is fitted. Never how fast."""

import pytest

from bandfold.benchmarks.timing.turns import elapsed_times, growth, spread, take_turns


class Scribe:
    def __init__(self, name, log):
        self.name = name
        self._log = log

    def encode(self, path):
        self._log.append(self.name)
        return b"12345"

    def decode(self, stream):
        self._log.append(f"-{self.name}")
        assert stream == b"12345"


def test_codecs_take_turns_in_alternating_order_after_a_warm_up(tmp_path):
    log = []
    first, second = take_turns([Scribe("a", log), Scribe("b", log)], tmp_path, 2)
    assert log == ["b", "-b", "a", "-a", "a", "-a", "b", "-b", "b", "-b", "a", "-a"]
    assert (first.name, second.name) == ("a", "b")
    assert [len(times) for times in (first.encode, first.decode, second.encode, second.decode)] == [2] * 4
    assert first.size == 5


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_law_is_found(exponent):
    bands = [56, 112, 224, 448]
    assert growth(bands, [0.01 * count**exponent for count in bands]) == pytest.approx(exponent)


def test_elapsed_times_leave_out_a_warm_up(tmp_path):
    log = []
    first, second = elapsed_times([Scribe("a", log), Scribe("b", log)], tmp_path, 2)
    assert log == ["a", "b"] * 3
    assert (first.name, len(first.encode), len(second.encode)) == ("a", 2, 2)


def test_spread_is_median_and_range():
    assert spread([3.0, 1.0, 1.5]) == "1.50 (1.00-3.00)"
