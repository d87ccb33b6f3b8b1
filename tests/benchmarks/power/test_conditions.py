"""Clocks, temperatures and throttling through a run."""

import pytest

from bandfold.benchmarks.power.conditions import Conditions, clocks, governors

from .boards import cores, orin_nano, raspberry, write


def test_clocks_of_each_core(tmp_path):
    cores(tmp_path, {0: 1500, 1: 2400})
    conditions = Conditions(tmp_path)
    conditions.look()
    cores(tmp_path, {0: 2400, 1: 2400})
    conditions.look()
    found = conditions.summary()
    assert found["megahertz"] == {
        "cpu0": {"min": 1500, "mean": 1950, "max": 2400},
        "cpu1": {"min": 2400, "mean": 2400, "max": 2400},
    }
    assert found["governors"] == governors(tmp_path) == ["ondemand"]
    assert found["throttled"] == []


def test_throttling_that_is_over_before_the_end_is_told(tmp_path):
    cores(orin_nano(tmp_path), {0: 1500, 1: 1500}, limit=1500)
    conditions = Conditions(tmp_path)
    conditions.look()
    write(tmp_path, {"sys/class/thermal/cooling_device1/cur_state": 3})
    cores(tmp_path, {0: 729, 1: 729}, limit=729)
    conditions.look()
    write(tmp_path, {"sys/class/thermal/cooling_device1/cur_state": 0})
    cores(tmp_path, {0: 1500, 1: 1500}, limit=1500)
    conditions.look()
    found = conditions.summary()
    assert found["megahertz"]["cpu0"]["min"] == 729
    assert found["throttled"] == [
        "cpufreq-cpu0 (cooling_device1) slowed down",
        "clock limit lowered from 1500 to 729 MHz",
    ]


def test_the_clock_that_the_firmware_of_a_raspberry_pi_measures(tmp_path):
    # The kernel goes on to tell what it has asked for.
    cores(raspberry(tmp_path), {0: 2400})
    assert clocks(tmp_path) == {"cpu0": 2400, "arm": pytest.approx(1500.398464)}


def test_clocks_of_a_machine_without_cpufreq(tmp_path):
    write(tmp_path, {"proc/cpuinfo": "model name: x\ncpu MHz\t\t: 2596.142\n\ncpu MHz\t\t: 2600.0"})
    assert clocks(tmp_path) == {"cpu0": 2596.142, "cpu1": 2600.0}


def test_a_board_that_tells_nothing(tmp_path):
    conditions = Conditions(tmp_path)
    conditions.look()
    assert conditions.summary() == {"governors": [], "megahertz": {}, "celsius": {}, "throttled": None}
