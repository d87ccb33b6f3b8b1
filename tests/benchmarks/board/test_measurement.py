"""Loads and their summary: figures that can be worked out by hand."""

import json
import time

import pytest

from bandfold.benchmarks.board.estimates import estimate, percentiles
from bandfold.benchmarks.board.load import apply_load, rest
from bandfold.benchmarks.board.measurement import Plan, Work, measure, summarise
from bandfold.benchmarks.board.measurement_warnings import warnings_of
from bandfold.benchmarks.power.conditions import Conditions

from ..power.boards import cores
from ..power.sensors import Loaded, Steady
from .reports import loads, measurement

QUICK = Plan(repeat=3, seconds=0.0, warm_up=0, rest=0.1)


def test_work_is_repeated_until_the_time_has_passed():
    load = apply_load(lambda: time.sleep(0.03), 0.1, Steady(5.0))
    assert len(load.executions) in (3, 4)
    assert load.seconds >= sum(load.executions) >= 0.1
    assert load.energy.joules == pytest.approx(5 * load.seconds)
    assert load.cpu_seconds < 0.05
    assert len(apply_load(lambda: time.sleep(0.03), 0.0, None).executions) == 1


def test_a_slow_sensor_sees_a_load_that_lasts():
    sensor = Loaded(interval=0.05, update=0.2)
    sensor.value()
    short = apply_load(sensor.work, 0.0, sensor)
    long = apply_load(sensor.work, 0.8, sensor)
    # 12 W; a sensor with a new value every 0.2 s has nothing to say of 0.05 s.
    assert short.energy.joules / short.seconds < 8
    assert long.energy.joules / long.seconds == pytest.approx(12, rel=0.05)


def test_rest_begins_after_the_load_has_faded():
    found = rest(Steady(4.0), 0.1)
    assert found.seconds >= 0.1
    assert found.watts == pytest.approx(4.0)
    assert 0 <= found.busy <= 100
    assert rest(None, 0.1).watts is None


def test_known_power_is_known_energy():
    sensor = Loaded(interval=0.01)
    work = Work(
        samples=1_000_000,
        encode=lambda: sensor.work(0.02) or b"stream",
        latencies=lambda: [0.25, 0.5],
        decode=lambda stream: sensor.work(0.04),
    )
    found = measure(work, Plan(repeat=3, seconds=0.3, warm_up=1, rest=0.1), sensor)
    assert found["idle_watts"] == pytest.approx(2)
    assert found["encode"]["net_watts"]["mean"] == pytest.approx(10, rel=0.1)
    each = found["encode"]["seconds_each"]["mean"]
    assert found["encode"]["net_joules_per_sample"]["mean"] == pytest.approx(10 * each / 1e6, rel=0.1)
    assert found["decode"]["joules_per_sample"]["mean"] == pytest.approx(12 * 0.04 / 1e6, rel=0.2)
    assert found["strip_milliseconds"]["count"] == 6
    assert found["strip_milliseconds"]["worst"] == 500
    assert found["bits_per_sample"] == 48 / 1e6
    assert found["sampling"]["least_readings"] > 10
    json.dumps(found, allow_nan=False)


def test_without_a_sensor_there_is_no_energy():
    done = []
    work = Work(8, lambda: done.append(1) or b"", list, streamed=False)
    found = measure(work, QUICK, None)
    assert len(done) == 3
    assert found["idle_watts"] is found["sampling"] is found["decode"] is found["encode"]["watts"] is None
    assert found["strip_milliseconds"] == {"p50": None, "p95": None, "p99": None, "worst": None, "count": 0}


def test_summary_of_loads():
    found = summarise(loads(), 8_000_000, 1.0, 1 << 20)
    assert found["msamples_per_second"]["mean"] == 4
    assert found["cpu_seconds_each"]["mean"] == 3
    # 12, 20 and 28 J in 4 s, of which 4 are those of rest, for 2 x 8 Msamples.
    assert found["watts"] == {"mean": 5, "ci95": pytest.approx(4.3027 * 2 / 3**0.5, rel=1e-4)} | {
        "median": 5,
        "min": 3,
        "max": 7,
    }
    assert found["net_watts"]["mean"] == 4
    assert found["joules_per_sample"]["mean"] == pytest.approx(20 / 16e6)
    assert found["net_joules_per_sample"]["mean"] == pytest.approx(16 / 16e6)
    assert found["net_joules_per_sample"]["ci95"] == pytest.approx(4.3027 * 8 / 3**0.5 / 16e6, rel=1e-4)
    assert found["milliseconds"]["count"] == 6


def test_estimates():
    assert estimate([]) is None
    assert estimate([2.0]) == {"mean": 2.0, "ci95": None, "median": 2.0, "min": 2.0, "max": 2.0}
    told = percentiles([one / 1000 for one in range(101)])
    assert [told[name] for name in ("p50", "p95", "p99", "worst", "count")] == pytest.approx(
        [50, 95, 99, 100, 101]
    )


def sampled(**changes):
    told = {
        "counts": False,
        "interval_seconds": 0.5,
        "update_seconds": None,
        "observed_update_seconds": 0.5,
        "least_readings": 20,
        "shortest_load_seconds": 10.0,
    }
    return warnings_of(measurement(sampling=told | changes))


def test_sensors_that_are_too_slow_are_told():
    assert sampled() == []
    assert sampled(counts=True, least_readings=1) == []
    (said,) = sampled(shortest_load_seconds=0.4, least_readings=0)
    assert said.startswith("The sensor is too slow for a load of 0.40 s: 0 values, one every 0.5 s. Make the")
    assert "load last 5 s or more with --seconds" in said
    (said,) = sampled(update_seconds=2.0)
    assert "5 values, one every 2 s" in said
    (said,) = sampled(observed_update_seconds=4.0)
    assert "a new power only every 4 s" in said
    (said,) = sampled(observed_update_seconds=None)
    assert "may be stuck" in said


def test_what_makes_net_figures_doubtful_is_told():
    def rests(*watts):
        return [{"seconds": 10.0, "watts": one, "busy": 1.0} for one in watts]

    assert warnings_of(measurement(idle=rests(1.0, 1.3))) == []
    (said,) = warnings_of(measurement(idle=rests(1.0, 1.5)))
    assert "from 1.00 to 1.50 W while the load takes 4.00 W more" in said
    (said,) = warnings_of(measurement(idle=[{"seconds": 1.0, "watts": 1.0, "busy": 55.0}] * 2))
    assert said.startswith("Something else used 55 % of the processors")
    idle = summarise(loads((4.0, 4.0)), 8, 1.0, 0)
    (said,) = warnings_of(measurement(encode=idle))
    assert "takes no more power than rest" in said


def test_governors_and_throttling_are_told(tmp_path):
    conditions = Conditions(cores(tmp_path, {0: 2400}))

    def encode():
        cores(tmp_path, {0: 1000}, limit=1000)
        return b""

    found = measure(Work(8, encode, list), QUICK, None, conditions)
    said = " ".join(found["warnings"])
    assert "slowed down: clock limit lowered from 2400 to 1000 MHz" in said
    assert "The frequency governor is ondemand" in said
