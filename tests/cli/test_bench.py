"""`bandfold bench`."""

import csv
import json
import sys

import pytest

from bandfold.benchmarks.board.csv_table import COLUMNS
from bandfold.benchmarks.board.job import Job
from bandfold.onboard.networks.engine_choice import ENGINES

from .conftest import check_failure

SMALL = ("--lines", 16, "--samples", 16, "--bands", 4, "--bps", 4, "--strip-lines", 8)
SHORT = ("--warm-up", 0, "--idle", 0.1, "--seconds", 0)


@pytest.fixture
def here(monkeypatch):
    """Measure in this process: starting another one takes a second."""
    monkeypatch.setattr(Job, "run_alone", Job.run)


@pytest.fixture
def board(tmp_path):
    """A Jetson with one rail that takes 5 W, idle or not."""
    root = tmp_path / "board"
    folder = root / "sys/class/hwmon/hwmon0"
    folder.mkdir(parents=True)
    for name, content in {
        "name": "ina3221",
        "in1_label": "VDD_IN",
        "in1_input": 5000,
        "curr1_input": 1000,
        "update_interval": 20,
    }.items():
        (folder / name).write_text(f"{content}\n")
    (root / "proc/device-tree").mkdir(parents=True)
    (root / "proc/device-tree/model").write_text("NVIDIA Jetson Orin Nano Developer Kit\0")
    return root


def keys(told, depth=2):
    """Names in a report, down to some depth; of a list those of its first item."""
    if isinstance(told, list):
        return keys(told[0], depth) if told and depth else None
    if isinstance(told, dict) and depth:
        return {name: keys(value, depth - 1) for name, value in told.items()}
    return None


def test_a_board_with_a_sensor(run, board):
    options = ("--warm-up", 0, "--idle", 0.2, "--seconds", 0.3, "--repeat", 2, "--decode", "--json")
    result = run("bench", *SMALL, *options, "--root", board)
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    assert report["sensor"] == {"name": "INA3221", "rails": ["VDD_IN"]}
    assert report["machine"]["board"] == "NVIDIA Jetson Orin Nano Developer Kit"
    (found,) = report["measurements"]
    assert len(found["encode"]["loads"]) == len(found["decode"]["loads"]) == 2
    assert all(load["seconds"] >= 0.3 for load in found["encode"]["loads"])
    assert found["idle_watts"] == pytest.approx(5)
    assert found["encode"]["watts"]["mean"] == pytest.approx(5)
    assert found["encode"]["net_joules_per_sample"]["mean"] == pytest.approx(0, abs=1e-9)
    assert found["strip_milliseconds"]["count"] == 4
    assert found["streamed"] is True
    assert found["sampling"]["update_seconds"] == 0.02
    assert any("too slow" in said for said in found["warnings"])


ESTIMATED = [
    "msamples_per_second",
    "seconds_each",
    "cpu_seconds_each",
    "watts",
    "net_watts",
    "joules_per_sample",
    "net_joules_per_sample",
]


def test_the_report_keeps_its_form(run, here, board):
    report = json.loads(run("bench", *SMALL, *SHORT, "--root", board, "--repeat", 2, "--json").out)
    # What a program reads: another SCHEMA where one of these goes or changes.
    assert report["schema"] == "bandfold-bench-1"
    assert set(report) == {
        "schema",
        "started",
        "machine",
        "scene",
        "plan",
        "sensor",
        "no_sensor",
        "measurements",
    }
    assert keys(report["plan"], 1) == dict.fromkeys(["repeat", "seconds", "warm_up", "rest", "decode"])
    settings = ["model", "engine", "threads", "quantiser", "effort", "rate", "bps", "step", "strip_lines"]
    figures = ["stream_bytes", "bits_per_sample", "streamed", "idle_watts", "warnings", "engines", "decode"]
    estimated = dict.fromkeys(["mean", "ci95", "median", "min", "max"])
    loads = ["executions", "seconds", "seconds_each", "cpu_seconds_each", "msamples_per_second", "joules"]
    energies = ["watts", "net_watts", "joules_per_sample", "net_joules_per_sample", "readings"]
    percentiles = dict.fromkeys(["p50", "p95", "p99", "worst", "count"])
    assert keys(report["measurements"][0], 3) == {
        **dict.fromkeys([*settings, *figures, "no_sensor"]),
        "sensor": {"name": None, "rails": None},
        "strip_milliseconds": percentiles,
        "idle": dict.fromkeys(["seconds", "watts", "busy"]),
        "encode": {
            **dict.fromkeys(ESTIMATED, estimated),
            "milliseconds": percentiles,
            "peak_rss": None,
            "loads": dict.fromkeys([*loads, *energies]),
        },
        "sampling": dict.fromkeys(
            [
                "counts",
                "interval_seconds",
                "update_seconds",
                "observed_update_seconds",
                "least_readings",
                "shortest_load_seconds",
            ]
        ),
        "conditions": {"governors": None, "megahertz": {}, "celsius": {}, "throttled": None},
    }


def test_a_scene_on_a_board_without_a_sensor(run, here, tmp_path, scene):
    result = run("bench", "scene.hdr", "--step", 8, *SHORT, "--runs", 1, "--root", tmp_path)
    assert (result.status, result.err) == (0, "")
    assert "\n24 x 20 x 40 uint16; 1 x 0 s or more; mean" in result.out
    assert "| settings |  | fold, dependent-32, 1 thread, step 8 |" in result.out
    assert "| encoding, throughput | Msamples/s | " in result.out
    assert "No energy is reported: no INA238, no INA3221, " in result.out
    assert "µJ" not in result.out


def test_combinations(run, here, scene, tmp_path):
    pytest.importorskip("matplotlib")
    options = ("--model", "none,innovations", "--engine", "auto", "--quantiser", "dependent,uniform")
    files = ("--csv", "board.csv", "--plot", "board.png")
    result = run("bench", "scene.hdr", "--step", 40, *options, *SHORT, "--repeat", 1, *files, "--json")
    assert result.status == 0
    assert result.err.splitlines()[2] == "3 of 3: innovations, auto, 1 thread, step 40"
    report = json.loads(result.out)
    assert [one["quantiser"] for one in report["measurements"]] == ["dependent", "uniform", None]
    assert report["measurements"][2]["engines"][0] in ENGINES
    with (tmp_path / "board.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [tuple(row) for row in rows] == [COLUMNS] * 3
    assert [float(row["bits_per_sample"]) for row in rows] == [
        one["bits_per_sample"] for one in report["measurements"]
    ]
    assert (tmp_path / "board.png").read_bytes().startswith(b"\x89PNG")


def test_a_failure_in_between_leaves_the_others(run, here, scene, monkeypatch):
    from bandfold.common.errors import BudgetError

    measured = Job.run

    def run_alone(job):
        if job.configuration.threads == 2:
            raise BudgetError("no budget")
        return measured(job)

    monkeypatch.setattr(Job, "run_alone", run_alone)
    options = ("--step", 40, *SHORT, "--repeat", 1, "--csv", "board.csv")
    result = run("bench", "scene.hdr", "--threads", "2,1", *options)
    assert result.status == 10
    assert "warning: fold, dependent-32, 2 threads, step 40: no budget\n" in result.err
    assert "| fold, dependent-32, 2 threads, step 40 | failed |" in result.out
    check_failure(run("bench", "scene.hdr", "--threads", 2, *options), 4, "no budget")


def test_a_meter(run, here, scene, tmp_path):
    program = "import time\nwhile True:\n    print(6.5, flush=True)\n    time.sleep(0.01)"
    (tmp_path / "meter.py").write_text(program)
    options = ("--step", 40, *SHORT, "--repeat", 1, "--json")
    meter = f"{sys.executable} meter.py"
    report = json.loads(run("bench", "scene.hdr", *options, "--meter", meter).out)
    assert report["sensor"]["name"] == f"meter {meter!r}"
    assert report["measurements"][0]["encode"]["watts"]["mean"] == pytest.approx(6.5)
    called = ("--meter", "echo 3.5", "--meter-interval", 0.05)
    report = json.loads(run("bench", "scene.hdr", *options, *called).out)
    assert report["measurements"][0]["idle_watts"] == pytest.approx(3.5)


def test_a_meter_that_dies(run, scene):
    check_failure(
        run("bench", "scene.hdr", "--step", 40, *SHORT, "--meter", "echo 5"), 1, "has ended with status 0"
    )


def test_failures(run, monkeypatch, scene):
    check_failure(run("bench", "--repeat", 0), 2, "0 is not in the range x>=1")
    check_failure(run("bench", "--bps", 1, "--step", 8), 2, "give one of them")
    check_failure(run("bench", "no.hdr"), 3, "no.hdr is not there")
    check_failure(run("bench", "--engine", "litert"), 2, "give --model, or leave out --engine")
    check_failure(run("bench", "--threads", "1,none"), 2, "'none' is no number of threads")
    check_failure(run("bench", "--threads", ","), 2, "give a value, or several with commas between")
    check_failure(run("bench", "--meter-interval", 1), 2, "give a meter, or leave it out")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "matplotlib" else object())
    check_failure(run("bench", "--plot", "a.png"), 2, "pip install 'bandfold[ground]'")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    check_failure(run("bench", "scene.hdr"), 2, "bench needs psutil: pip install 'bandfold[power]'")
