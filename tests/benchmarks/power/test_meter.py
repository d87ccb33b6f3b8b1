"""External meters: programs that print watts, and that fail in all ways."""

import sys
import threading
import time

import pytest

from bandfold.benchmarks.power.meter import CalledMeter, RunningMeter, parse_watts
from bandfold.benchmarks.power.sensor import SensorError
from bandfold.benchmarks.power.sensor_choice import SensorSource
from bandfold.benchmarks.power.watch import Watch


def program(tmp_path, text):
    path = tmp_path / "meter.py"
    path.write_text(text)
    return f"{sys.executable} {path}"


@pytest.mark.parametrize(
    ("line", "watts"), [("5.31", 5.31), (" 5e-1 W\n", 0.5), ("", None), ("# volts", None), ("-0.01", -0.01)]
)
def test_lines(line, watts):
    assert parse_watts(line) == watts


@pytest.mark.parametrize("line", ["five", "5,3", "nan", "inf", "3 mW", "1 2"])
def test_lines_that_are_none(line):
    with pytest.raises(SensorError, match="a line must be a number of watts"):
        parse_watts(line)


def test_a_meter_that_goes_on(tmp_path):
    text = "import time\nprint('# W')\nwhile True:\n    print('7.5 W', flush=True)\n    time.sleep(0.02)"
    before = threading.active_count()
    with SensorSource(meter=program(tmp_path, text)).open() as (meter, reason):
        assert reason is None
        with Watch(meter, interval=0.02) as watch:
            time.sleep(0.2)
        assert watch.energy.joules == pytest.approx(7.5 * watch.seconds)
        # Lines may arrive a little nearer to each other than they were written.
        assert 0.015 <= meter.update < 0.2
        process = meter._process
    assert process.poll() is not None
    assert threading.active_count() == before


def test_what_a_meter_has_started_ends_with_it(tmp_path):
    meter = RunningMeter(f"sh -c '(sleep 0.5; touch {tmp_path}/late) & echo 1; wait'")
    assert meter.value() == 1
    before = time.perf_counter()
    meter.close()
    assert time.perf_counter() - before < 0.5
    time.sleep(0.6)
    assert not (tmp_path / "late").exists()


def test_a_meter_that_dies_is_an_error(tmp_path):
    text = "import sys, time\nprint(5, flush=True)\ntime.sleep(0.1)\nsys.exit('unplugged')"
    with (
        SensorSource(meter=program(tmp_path, text)).open() as (meter, _),
        pytest.raises(SensorError) as caught,
        Watch(meter, interval=0.02),
    ):
        time.sleep(0.6)
    assert "has ended with status 1: unplugged" in str(caught.value)


def test_a_meter_that_falls_silent_is_an_error():
    meter = RunningMeter("sh -c 'echo 5; sleep 60'", patience=0.2)
    try:
        assert meter.value() == 5
        time.sleep(0.3)
        with pytest.raises(SensorError, match="has printed nothing for 0"):
            meter.value()
    finally:
        meter.close()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("false", "has ended with status 1; one that prints a single reading"),
        ("echo watts", "the meter prints 'watts'"),
        ("no-such-meter --watts", "cannot be started: No such file"),
        ("'open", "is no command"),
        ("", "empty command"),
    ],
)
def test_meters_that_do_not_go_on(command, message):
    with pytest.raises(SensorError, match=message), SensorSource(meter=command).open():
        pytest.fail("it is open")


def test_a_meter_that_is_called(tmp_path):
    (tmp_path / "watts").write_text("# meter 3\n4.25 W\n")
    meter = CalledMeter(f"cat {tmp_path / 'watts'}", 0.5)
    assert (meter.value(), meter.interval) == (4.25, 0.5)
    (tmp_path / "watts").write_text("\n")
    with pytest.raises(SensorError, match="prints no reading"):
        meter.value()
    (tmp_path / "watts").unlink()
    with pytest.raises(SensorError, match="fails with status 1: cat: "):
        meter.value()
    with pytest.raises(SensorError, match="cannot be run"):
        CalledMeter("no-such-meter", 1).value()
