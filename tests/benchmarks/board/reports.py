"""A report that is made up: two configurations, and one that failed."""

from bandfold.benchmarks.board.configuration import Configuration
from bandfold.benchmarks.board.load import Load
from bandfold.benchmarks.board.measurement import summarise
from bandfold.benchmarks.power.energy import Energy

SENSOR = {"name": "INA3221", "rails": ["VDD_IN"]}


def loads(joules=(12.0, 20.0, 28.0)):
    """Loads of 4 s, each of two encodes of 2 s."""
    return [Load([2.0, 2.0], 4.0, 6.0, None if one is None else Energy(one, 40, 20)) for one in joules]


def measurement(sensor=SENSOR, decode=True, **changes):
    """A measurement of 1 W at rest."""
    joules = (12.0, 20.0, 28.0) if sensor else (None,) * 3
    idle = 1.0 if sensor else None
    return {
        **Configuration(bps=0.5, quantiser="uniform").describe(),
        "sensor": sensor,
        "no_sensor": None if sensor else "there is none",
        "engines": [],
        "stream_bytes": 500,
        "bits_per_sample": 0.5,
        "streamed": True,
        "strip_milliseconds": {"p50": 10.0, "p95": 20.0, "p99": 21.0, "worst": 22.0, "count": 9},
        "idle_watts": idle,
        "idle": [{"seconds": 10.0, "watts": idle, "busy": 1.0}] * 2,
        "encode": summarise(loads(joules), 8_000_000, idle, 50 << 20),
        "decode": summarise(loads(joules), 8_000_000, idle, 60 << 20) if decode else None,
        "sampling": None,
        "conditions": {
            "governors": ["performance"],
            "megahertz": {
                "cpu0": {"min": 1500.0, "mean": 2300.0, "max": 2400.0},
                "cpu1": {"min": 2400.0, "mean": 2400.0, "max": 2400.0},
            },
            "celsius": {
                "cpu-thermal": {"min": 40.0, "mean": 50.0, "max": 61.5},
                "gpu-thermal": {"min": 40.0, "mean": 50.0, "max": 51.5},
            },
            "throttled": [],
        },
        "warnings": [],
        **changes,
    }


def report(*measurements):
    """A report of measurements; the sensor is that of the first one."""
    return {
        "started": "2026-03-01T12:00:00+00:00",
        "machine": {
            "board": "Raspberry Pi 5 Model B Rev 1.0",
            "processor": "4 x Cortex-A76",
            "kernel": "6.6.31",
            "power_mode": None,
            "bandfold": "0.1.0",
            "python": "3.11.2",
            "numpy": "2.0.0",
            "onnxruntime": None,
            "litert": "2.1.0",
        },
        "scene": {"bands": 10, "lines": 800, "samples": 1000, "dtype": "uint16"},
        "plan": {"repeat": 3, "seconds": 4.0, "warm_up": 1, "rest": 10.0, "decode": True},
        "sensor": measurements[0].get("sensor"),
        "no_sensor": measurements[0].get("no_sensor"),
        "measurements": list(measurements),
    }


def failed():
    """A configuration that could not be measured."""
    one = Configuration(bps=0.5, model="innovations", engine="litert", threads=2)
    return {**one.describe(), "error": "it is not exact"}
