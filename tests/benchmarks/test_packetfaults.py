"""The campaign of lost packets finds what it is there to find."""

import json

from click.testing import CliRunner

from bandfold.benchmarks.packetfaults import main


def test_the_table(tmp_path):
    path = tmp_path / "a.json"
    arguments = ["--lines", "32", "--rounds", "2", "--trials", "120", "--json", str(path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0
    assert result.output.count("\n| ") == 9 + 7
    figures = json.loads(path.read_text())
    tallies = figures["losses"]
    assert [tally["rounds"] for tally in tallies] == [2] * 9
    assert {tally["inexact"] + tally["wrong"] + tally["silent"] for tally in tallies} == {0}
    mixes = figures["mixes"]
    assert [mix["trials"] for mix in mixes] == [20] * 6
    assert {mix["untold"] + mix["mixed"] + mix["early"] + mix["late"] for mix in mixes} == {0}
    # Streams of which everything arrived are among them, and others.
    assert all(mix["complete"] < mix["streams"] for mix in mixes)
    assert sum(mix["complete"] for mix in mixes) > 20
