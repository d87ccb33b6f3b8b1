"""Energy of readings: figures that can be worked out by hand."""

import pytest

from bandfold.benchmarks.power.energy import energy


def test_power_is_integrated_over_the_times_of_its_readings():
    readings = [(10.0, 2.0), (11.0, 4.0), (13.0, 4.0)]
    found = energy(readings, 10.0, 13.0, counts=False)
    assert (found.joules, found.readings, found.changes) == (pytest.approx(3 + 8), 3, 1)


def test_the_mean_holds_for_what_is_left_at_the_ends():
    found = energy([(1.0, 6.0), (2.0, 10.0)], 0.0, 4.0, counts=False)
    assert found.joules == pytest.approx(4 * 8)


def test_rest_before_and_behind_a_load_does_not_count():
    readings = [(-0.1, 0.0), (0.5, 10.0), (1.0, 10.0), (1.5, 10.0), (2.1, 0.0)]
    assert energy(readings, 0.0, 2.0, counts=False).joules == pytest.approx(20)


def test_what_a_sensor_has_averaged_with_the_rest_does_not_count():
    readings = [(-0.1, 0.0), (0.1, 1.0), (0.6, 8.0), (1.1, 10.0), (1.6, 10.0), (2.0, 10.0)]
    assert energy(readings, 0.0, 2.0, counts=False, update=1.0).joules == pytest.approx(20)


def test_a_load_between_two_readings_has_their_mean_and_says_so():
    found = energy([(0.0, 0.0), (0.45, 10.0)], 0.02, 0.42, counts=False)
    assert found.joules == pytest.approx(0.4 * 5)
    assert found.readings == 0
    assert energy([(0.0, 7.0)], 0.0, 2.0, counts=False).joules == pytest.approx(14)


def test_counters_are_differences_around_the_time():
    # Read once long before, which does not count.
    readings = [(-9.0, 0.0), (0.0, 100.0), (1.0, 110.0), (2.1, 121.0), (9.0, 500.0)]
    found = energy(readings, 0.0, 2.0, counts=True)
    assert found.joules == pytest.approx(20)
    assert found.readings == 3
