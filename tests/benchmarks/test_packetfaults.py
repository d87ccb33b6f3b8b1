"""The campaign of lost packets finds what it is there to find."""

import json

from click.testing import CliRunner

from bandfold.benchmarks.packetfaults import main


def test_the_table(tmp_path):
    path = tmp_path / "a.json"
    result = CliRunner().invoke(main, ["--lines", "32", "--rounds", "2", "--json", str(path)])
    assert result.exit_code == 0
    assert result.output.count("\n| ") == 9
    tallies = json.loads(path.read_text())
    assert [tally["rounds"] for tally in tallies] == [2] * 9
    assert {tally["inexact"] + tally["wrong"] + tally["silent"] for tally in tallies} == {0}
