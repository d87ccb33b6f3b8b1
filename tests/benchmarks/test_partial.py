"""Reading parts of a stream through xarray: what is counted is what is touched."""

import json

import pytest
from click.testing import CliRunner

pytest.importorskip("xarray")

from bandfold.benchmarks.partial import main


def test_figures(tmp_path):
    out = tmp_path / "partial.json"
    given = ("--lines", "130", "--samples", "40", "--bands", "12", "--bps", "1", "--runs", "1")
    done = CliRunner().invoke(main, [*given, "--json", str(out)])
    assert done.exit_code == 0, done.output
    content = json.loads(out.read_text())
    readings = {one["name"]: one for one in content["readings"]}
    assert [one["segments"] for one in content["readings"]] == [0, 1, 1, 3, 3]
    assert readings["opened"]["read"] < readings["one interval, one strip"]["read"] < content["bytes"]
    # The heads of three sections are read twice: once to find the next one.
    assert content["bytes"] <= readings["everything"]["read"] < content["bytes"] + 300
    assert done.output.count("\n") == 6
