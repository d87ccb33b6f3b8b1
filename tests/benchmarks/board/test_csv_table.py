"""Figures as CSV."""

import csv

import pytest

from bandfold.benchmarks.board.csv_table import COLUMNS, write_csv
from bandfold.common.errors import OutputError

from .reports import failed, measurement, report


def test_rows_are_read_back(tmp_path):
    path = tmp_path / "board.csv"
    write_csv(path, report(measurement(warnings=['It is "hot", they say.']), failed()))
    with path.open(newline="") as file:
        encode, decode, fault = csv.DictReader(file)
    assert tuple(encode) == COLUMNS
    assert (encode["operation"], decode["operation"], fault["operation"]) == ("encode", "decode", "")
    assert encode["board"] == fault["board"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert float(encode["net_joules_per_sample"]) == pytest.approx(1e-6)
    assert float(encode["net_joules_per_sample_ci95"]) == pytest.approx(1.2421e-6, rel=1e-4)
    assert (encode["strip_ms_p99"], decode["strip_ms_p99"]) == ("21.0", "")
    assert (encode["started"], encode["streamed"]) == ("2026-03-01T12:00:00+00:00", "True")
    assert (encode["executions"], encode["repetitions"]) == ("6", "3")
    assert (encode["least_mhz"], encode["mean_mhz"], encode["hottest_celsius"]) == (
        "1500.0",
        "2350.0",
        "61.5",
    )
    assert (encode["throttled"], encode["onnxruntime"], encode["model"]) == ("no", "", "")
    assert encode["warnings"] == 'It is "hot", they say.'
    assert (fault["model"], fault["error"]) == ("innovations", "it is not exact")


def test_without_a_sensor_energy_is_empty(tmp_path):
    path = tmp_path / "board.csv"
    write_csv(path, report(measurement(sensor=None, decode=False, conditions=None)))
    with path.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert {row["watts"], row["joules_per_sample"], row["sensor"], row["idle_watts"]} == {""}
    assert row["throttled"] == ""


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        write_csv(tmp_path / "no" / "board.csv", report(measurement()))
