"""`bandfold bench`."""

import json

import pytest

from .conftest import check_failure

SMALL = (
    "--lines",
    16,
    "--samples",
    16,
    "--bands",
    4,
    "--bps",
    4,
    "--strip-lines",
    8,
    "--warm-up",
    0,
    "--idle",
    0.1,
)


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
    }.items():
        (folder / name).write_text(f"{content}\n")
    return root


def test_a_board_with_a_sensor(run, board):
    result = run("bench", *SMALL, "--root", board, "--json")
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    assert report["sensor"] == {"name": "INA3221", "rails": ["VDD_IN"]}
    assert len(report["runs"]) == 5
    assert report["summary"]["idle_watts"] == pytest.approx(5)
    assert report["summary"]["watts"]["median"] == pytest.approx(5)
    assert report["summary"]["joules_per_msample_above_idle"]["median"] == pytest.approx(0, abs=1e-6)
    assert report["summary"]["strips"] == 10
    assert report["settings"]["rate"] == "4 bits per sample"
    assert report["settings"]["streamed"] is True


def test_a_scene_on_a_board_without_one(run, tmp_path, scene):
    result = run("bench", "scene.hdr", "--step", 8, "--warm-up", 1, "--idle", 0.1, "--root", tmp_path)
    assert (result.status, result.err) == (0, "")
    assert ": 24 x 20 x 40 uint16, step 8, 5 runs, median (range)\n" in result.out
    assert "| throughput | Msamples/s | " in result.out
    assert "No energy is reported: no INA3221, " in result.out
    assert "J/Msample" not in result.out


def test_a_model_that_predicts_bands_streams(run, scene):
    options = ("--model", "innovations", "--engine", "auto", "--step", 40, "--idle", 0.1)
    report = json.loads(run("bench", "scene.hdr", *options, "--json").out)
    wanted = {"model": "innovations", "engine": "auto", "threads": 1, "streamed": True}
    assert wanted.items() <= report["settings"].items()


def test_failures(run, monkeypatch, scene):
    check_failure(run("bench", "--runs", 4), 2, "4 is not in the range x>=5")
    check_failure(run("bench", "--bps", 1, "--step", 8), 2, "give one of them")
    check_failure(run("bench", "no.hdr"), 3, "no.hdr is not there")
    monkeypatch.setattr("bandfold.cli.bench.find_spec", lambda name: None)
    check_failure(run("bench", "scene.hdr"), 2, "pip install 'bandfold[power]'")
