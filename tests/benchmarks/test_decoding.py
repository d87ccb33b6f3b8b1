"""Decoding as whole commands: what is run, and how it is told. Never how fast."""

import json

from click.testing import CliRunner

from bandfold.benchmarks.decoding import Decoding, decoding_text, main
from bandfold.benchmarks.timing.whole_command import CommandRun
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene


def test_all_ways_are_run(tmp_path):
    stream, out = tmp_path / "scene.bf", tmp_path / "decoding.json"
    Encoder(bps=2.0, strip_lines=8).encode_to(SyntheticScene(24, 20, 8, 0), stream)
    options = ["--stream", str(stream), "--runs", "1", "--json", str(out)]
    done = CliRunner().invoke(main, options)
    assert done.exit_code == 0, done.output
    assert "24 x 20 x 8 on " in done.output
    found = json.loads(out.read_text())["decodings"]
    assert [one["restore"] for one in found] == ["off"] * 6 + ["auto"] * 6
    assert [one["threads"] for one in found[:6]] == [1, 2, 1, 1, 1, 1]
    assert found[2]["options"] == ["--bands", "4:5"]
    assert all(one["runs"][0]["processor"] > 0 for one in found)


def test_parts_are_compared_with_everything():
    def taken(wall):
        return [CommandRun(wall, wall / 2, 10_000_000)]

    ways = [
        Decoding("everything", "off", 1, runs=taken(2.0)),
        Decoding("everything", "off", 2, runs=taken(1.0)),
        Decoding("one band", "off", 1, ("--bands", "0:1"), runs=taken(0.5)),
    ]
    assert decoding_text(ways, 8_000_000).splitlines()[2:] == [
        "| everything | off | 1 | 2.00 (2.00-2.00) | 1.00 | 4.0 | 1.00 | 10 |",
        "| everything | off | 2 | 1.00 (1.00-1.00) | 0.50 | 8.0 | 0.50 | 10 |",
        "| one band | off | 1 | 0.50 (0.50-0.50) | 0.25 |  | 0.25 | 10 |",
    ]
