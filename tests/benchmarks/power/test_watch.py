"""A watch beside work."""

import threading
import time

import pytest

from bandfold.benchmarks.power.conditions import Conditions
from bandfold.benchmarks.power.sensor import SensorError
from bandfold.benchmarks.power.watch import Watch

from .boards import orin_nano, write
from .sensors import Loaded, Steady


@pytest.mark.parametrize("counts", [False, True])
def test_a_watch_measures_its_body(counts):
    with Watch(Steady(5.0, counts), interval=0.01) as watch:
        time.sleep(0.15)
    assert watch.seconds >= 0.15
    assert watch.energy.joules == pytest.approx(5 * watch.seconds, rel=0.02)
    assert watch.energy.readings > 3


def test_a_load_between_two_rests_is_not_mixed_with_them():
    sensor = Loaded(interval=0.02)
    with Watch(sensor) as watch:
        sensor.work(0.3)
    assert watch.energy.joules == pytest.approx(12 * watch.seconds, rel=0.1)


def test_a_watch_sees_clocks_and_temperatures(tmp_path):
    orin_nano(tmp_path)
    zone = {"sys/class/thermal/thermal_zone0/temp": 71000}
    conditions = Conditions(tmp_path)
    with Watch(None, conditions):
        write(tmp_path, zone)
    with Watch(None, conditions) as watch:
        write(tmp_path, dict.fromkeys(zone, 40000))
    assert watch.energy is None
    course = conditions.summary()["celsius"]["cpu-thermal"]
    assert course == {"min": 48.937, "mean": pytest.approx((48.937 + 71) / 2), "max": 71.0}


def test_a_sensor_that_goes_away_is_an_error():
    watch = Watch(Steady(1.0, fails_after=2), interval=0.005)
    with pytest.raises(SensorError, match="gone"), watch:
        time.sleep(0.1)
    # Not after hours, if it is so at the beginning.
    with pytest.raises(SensorError, match="gone"), Watch(Steady(1.0, fails_after=0)):
        pytest.fail("the body runs")
    # An error of the body itself is not hidden behind it.
    watch = Watch(Steady(1.0, fails_after=1), interval=0.005)
    with pytest.raises(ZeroDivisionError), watch:
        watch.seconds = 1 / (time.sleep(0.05) or 0)


def test_a_fault_of_a_reader_is_told_too_and_no_thread_stays():
    sensor = Steady(1.0)
    sensor.value = iter([1.0]).__next__
    before = threading.active_count()
    with pytest.raises(StopIteration), Watch(sensor, interval=0.005):
        time.sleep(0.05)
    assert threading.active_count() == before
