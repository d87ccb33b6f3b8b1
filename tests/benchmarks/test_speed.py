"""Timing: who runs when, what is fitted, what is written. Never how fast."""

import json

from click.testing import CliRunner

from bandfold.benchmarks.speed import main


def test_the_program_writes_times(tmp_path):
    out = tmp_path / "speed.json"
    options = ["--lines", "32", "--samples", "128", "--bands", "16", "--bps", "2", "--runs", "1"]
    options += ["--stage-runs", "1", "--sweep-bands", "4,8", "--sweep-lines", "32,64", "--sweep-runs", "1"]
    options += ["--lossless-runs", "1"]
    done = CliRunner().invoke(main, [*options, "--json", str(out)])
    assert done.exit_code == 0, done.output
    assert "| OpenJPEG |" in done.output
    assert done.output.count("to the power of") == 3
    assert "| bandfold --lossless |" in done.output
    assert "CCSDS 123.0-B-2 in C++, recorded" in done.output
    content = json.loads(out.read_text())
    assert [entry["name"] for entry in content["duel"]] == [
        "bandfold",
        "bandfold, uniform",
        "bandfold, stream",
        "bandfold, stream, uniform",
        "OpenJPEG",
    ]
    lossless = content["lossless"]
    assert [entry["name"] for entry in lossless][:2] == ["bandfold --lossless", "JPEG-LS"]
    assert all(entry["size"] < 16 / 8 * 32 * 128 * 16 for entry in lossless)
    assert all(len(entry["encode"]) == len(entry["decode"]) == 1 for entry in lossless)
    assert [entry["name"] for entry in content["threads"]] == ["bandfold", "bandfold, 2 threads"]
    assert list(content["sweep_bands"]) == ["4", "8"]
    assert list(content["sweep_stream_lines"]) == ["32", "64"]
    assert len(content["sweep_bands"]["4"]["encode"]) == 1


def test_lists_of_numbers_are_checked():
    done = CliRunner().invoke(main, ["--sweep-bands", "4,x"])
    assert done.exit_code == 2
    assert "no list of whole numbers" in done.output
