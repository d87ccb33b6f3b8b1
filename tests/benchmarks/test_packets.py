"""The figures of lost packets: what is lost is counted, and nothing else is touched."""

import json

from click.testing import CliRunner

from bandfold.benchmarks.packets import main


def test_the_program_writes_a_table(tmp_path):
    out = tmp_path / "packets.json"
    geometry = ["--lines", "32", "--samples", "16", "--bands", "4", "--bps", "2", "--trials", "2"]
    more = ["--sizes", "512", "--repeats", "0,1", "--json", str(out)]
    done = CliRunner().invoke(main, [*geometry, *more])
    assert done.exit_code == 0, done.output
    assert done.output.count("\n| 8 | 512 | ") == 2
    assert "others differ" in done.output
    content = json.loads(out.read_text())
    assert len(content["losses"]) == 2 * 2 * 3
    assert [check["differing"] for check in content["checks"]] == [0, 0]
