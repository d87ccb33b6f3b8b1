"""Energy, latency and their summary: figures that can be worked out by hand."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from bandfold.benchmarks.power.measure import Idle, Run, encode_once, idle, measure, summary
from bandfold.benchmarks.power.sensor import SensorError
from bandfold.benchmarks.power.strips import StripClock, strip_latencies
from bandfold.benchmarks.power.text import markdown
from bandfold.benchmarks.power.watch import Watch, energy
from bandfold.onboard import Encoder
from bandfold.onboard.samples.samples import ArraySource
from bandfold.onboard.settings import EncoderSettings

from .boards import orin_nano, write

NOWHERE = Path("/no such folder")


class Steady:
    """A sensor that always reads the same power, or counts it."""

    name, rails, interval = "steady", ("all",), 0.05

    def __init__(self, watts, counts=False, fails_after=None):
        self.watts, self.counts, self.left = watts, counts, fails_after
        self.start = time.perf_counter()

    def value(self):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise SensorError("gone")
        return self.watts * (time.perf_counter() - self.start) if self.counts else self.watts


def test_power_is_integrated():
    readings = [(10.0, 2.0), (11.0, 4.0), (13.0, 4.0)]
    assert energy(readings, counts=False, seconds=3.0) == pytest.approx(3 + 8)
    assert energy(readings, counts=False, seconds=1.5) == pytest.approx(5.5)
    assert energy([(0.0, 7.0), (2.0, 9.0)], counts=True, seconds=2.0) == pytest.approx(2)


@pytest.mark.parametrize("counts", [False, True])
def test_a_watch_measures_its_body(counts):
    with Watch(Steady(5.0, counts), NOWHERE, interval=0.01) as watch:
        time.sleep(0.15)
    assert watch.seconds >= 0.15
    assert watch.joules == pytest.approx(5 * watch.seconds, rel=0.02)
    assert watch.hottest is None


def test_a_watch_sees_the_highest_temperature(tmp_path):
    orin_nano(tmp_path)
    zone = {"sys/class/thermal/thermal_zone0/temp": 71000}
    with Watch(None, tmp_path, interval=0.005) as watch:
        write(tmp_path, zone)
        time.sleep(0.1)
        write(tmp_path, dict.fromkeys(zone, 40000))
    assert watch.hottest == 71.0
    assert watch.joules is None


def test_a_sensor_that_goes_away_is_an_error():
    watch = Watch(Steady(1.0, fails_after=2), NOWHERE, interval=0.005)
    with pytest.raises(SensorError, match="gone"), watch:
        time.sleep(0.1)
    # An error of the body itself is not hidden behind it.
    watch = Watch(Steady(1.0, fails_after=1), NOWHERE, interval=0.005)
    with pytest.raises(ZeroDivisionError), watch:
        watch.seconds = 1 / (time.sleep(0.05) or 0)


def test_strips_are_timed_in_the_last_pass():
    times = iter([0.0, 1.0, 3.0, 4.0, 9.0, 10.0, 12.0, 12.5, 20.0])
    clock = StripClock(lambda: next(times))
    clock("plan", 0.0)
    for done in (0.5, 1.0):
        clock("code", done)
    assert clock.seconds == [2.0, 1.0]
    clock("plan", 0.0)
    for done in (1 / 3, 2 / 3, 1.0):
        clock("code", done)
    assert clock.seconds == [1.0, 2.0, 0.5]
    clock("code", 0.5)
    assert clock.seconds == [1.0, 2.0, 0.5]


class Watched(ArraySource):
    """A scene whose reading takes an hour, on a clock that goes on by a second whenever it is read."""

    now = 0.0

    def read(self, bands, lines):
        self.now += 3600
        return super().read(bands, lines)

    def clock(self):
        self.now += 1
        return self.now


def test_latency_is_from_the_last_line_to_the_segment():
    source = Watched(np.arange(4 * 20 * 9, dtype=np.uint16).reshape(4, 20, 9))
    # A second: nothing but the clock itself goes on between line and segment.
    assert (
        strip_latencies(source, EncoderSettings(step=4.0, strip_lines=8, stream=True), clock=source.clock)
        == [1.0] * 3
    )


def test_latency_of_a_real_clock():
    source = ArraySource(np.arange(4 * 16 * 9, dtype=np.uint16).reshape(4, 16, 9))
    before = time.perf_counter()
    latencies = strip_latencies(source, EncoderSettings(bps=8.0, strip_lines=8, stream=True))
    assert len(latencies) == 2
    assert min(latencies) > 0
    assert sum(latencies) < time.perf_counter() - before


def a_run(**changes):
    values = {
        "seconds": 2.0,
        "cpu_seconds": 3.0,
        "strip_seconds": [0.1, 0.2],
        "peak_rss": 1 << 20,
        "stream_bytes": 99,
        "joules": 12.0,
        "hottest": 50.0,
        "megahertz": None,
    }
    return Run(**{**values, **changes})


def test_summary_is_what_the_runs_say():
    runs = [a_run(), a_run(seconds=4.0, joules=20.0), a_run(seconds=3.0, joules=30.0, peak_rss=2 << 20)]
    rests = [Idle(10.0, 2.0, 1.0), Idle(10.0, 4.0, 30.0)]
    found = summary(runs, rests, 6.0)
    assert found["msamples_per_second"] == {"median": 2.0, "low": 1.5, "high": 3.0}
    assert found["idle_watts"] == 3.0
    # Above 3 W: 12 - 6, 20 - 12 and 30 - 9 J, of 6 Msamples.
    assert found["joules_per_msample_above_idle"] == {"median": 8 / 6, "low": 1.0, "high": 3.5}
    assert found["joules_per_msample"] == {"median": 20 / 6, "low": 2.0, "high": 5.0}
    assert found["watts"]["median"] == 6.0
    assert found["strip_milliseconds"]["median"] == pytest.approx(150)
    assert found["strip_milliseconds"]["p95"] == pytest.approx(200)
    assert (found["strips"], found["peak_rss"], found["hottest"]) == (6, 2 << 20, 50.0)
    assert found["idle_busy_percent"] == 30.0


def report(runs, rests, sensor):
    return {
        "machine": {"processor": "a board"},
        "scene": {"bands": 2, "lines": 3, "samples": 4, "dtype": "uint16"},
        "settings": {"rate": "step 8", "strip_lines": 64, "streamed": True},
        "sensor": sensor,
        "no_sensor": None if sensor else "there is none",
        "runs": runs,
        "summary": summary(runs, rests, 6.0),
        "throttled": None,
    }


def test_table():
    sensor = {"name": "INA3221", "rails": ["VDD_IN"]}
    text = markdown(report([a_run()] * 5, [Idle(1.0, 3.0, 50.0)] * 2, sensor))
    assert "| throughput | Msamples/s | 3.00 (3.00-3.00) |" in text
    name = "latency of a strip of 64 lines, from its last line to its segment"
    assert f"| {name} | ms | median 150.0, p95 200.0, p99 200.0, max 200.0 |" in text
    assert "| energy above idle | J/Msample | 1.000 (1.000-1.000) |" in text
    assert "| throttling |  | not told |" in text
    assert "Energy: INA3221; sum of VDD_IN." in text
    assert "Something else used 50 % of the processors" in text


def test_without_a_sensor_no_energy_is_reported():
    runs = [a_run(joules=None, hottest=None)] * 5
    given = report(runs, [Idle(1.0, None, 0.0)] * 2, None)
    given["settings"]["streamed"] = False
    text = markdown(given)
    assert "| time of a strip of 64 lines of a whole scene | ms | " in text
    assert "No energy is reported: there is none." in text
    assert "J/Msample" not in text
    assert "| highest temperature | °C | not told |" in text
    assert given["summary"]["joules_per_msample_above_idle"] is given["summary"]["idle_watts"] is None
    assert "Something else" not in text


def test_idle_and_runs_of_a_real_encoder():
    cube = np.arange(6 * 32 * 24, dtype=np.uint16).reshape(6, 32, 24)
    rest = idle(Steady(4.0), 0.1, NOWHERE)
    assert rest.seconds >= 0.1
    assert rest.watts == pytest.approx(4.0)
    assert 0 <= rest.busy <= 100

    def encode(progress):
        return len(Encoder(step=4.0, strip_lines=8, progress=progress).encode(cube))

    one = encode_once(encode, Steady(4.0), NOWHERE)
    assert len(one.strip_seconds) == 4
    assert sum(one.strip_seconds) <= one.seconds
    assert one.joules == pytest.approx(4 * one.seconds)
    assert one.stream_bytes == encode(lambda stage, done: None)
    assert one.cpu_seconds > 0
    assert one.peak_rss > 1 << 20
    calls = []

    def latencies():
        calls.append(len(calls))
        return [0.5, 0.25 * len(calls), 0.125, 0.125]

    found = measure(
        encode,
        ArraySource(cube).info,
        None,
        runs=5,
        warm_up=1,
        idle_seconds=0.1,
        root=NOWHERE,
        latencies=latencies,
    )
    assert len(calls) == 6
    assert [run["strip_seconds"][1] for run in found["runs"]] == [0.5, 0.75, 1.0, 1.25, 1.5]
    assert len(found["runs"]) == 5
    assert len(found["idle"]) == 2
    assert found["summary"]["strips"] == 20
    assert found["throttled"] is None
    json.dumps(found, allow_nan=False)
