"""Efforts beside each other: what is run and how bytes are compared. Never how fast."""

import json

import pytest
from click.testing import CliRunner

from bandfold.benchmarks.effort import Measured, effort_text, main
from bandfold.benchmarks.timing.whole_command import CommandRun, run_command
from bandfold.common.errors import BandfoldError


def test_the_program_runs_whole_commands(tmp_path):
    out = tmp_path / "effort.json"
    options = ["--lines", "32", "--samples", "64", "--bands", "16", "--bps", "2", "--runs", "1"]
    done = CliRunner().invoke(main, [*options, "--efforts", "1", "--json", str(out)])
    assert done.exit_code == 0, done.output
    assert "\n| 5 | +0.0 % | " in done.output
    content = json.loads(out.read_text())
    assert [one["effort"] for one in content["efforts"]] == [1, 5]
    # Python and NumPy alone take more.
    assert all(one["runs"][0]["peak_bytes"] > 10e6 for one in content["efforts"])


def test_bytes_are_compared_at_equal_quality():
    runs = (CommandRun(2.0, 1.0, 100_000_000),)
    usual, steeper = Measured(5, runs, 1000, 50.0), Measured(5, runs, 1100, 51.0)
    # One dB less is worth as much as 10 % more bytes.
    text = effort_text([Measured(1, runs, 1000, 49.0), usual], steeper, 4_000_000)
    assert "| 1 | +10.0 % | 2.0 | 4.0 | 100 |" in text


def test_what_a_command_says_is_told(tmp_path):
    with pytest.raises(BandfoldError, match="not there"):
        run_command(["encode", str(tmp_path / "a.hdr"), "-o", str(tmp_path / "a.bf"), "--bps", "1"])
