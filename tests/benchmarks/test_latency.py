"""Latency of strips of a stream, in a table."""

import json

from click.testing import CliRunner

from bandfold.benchmarks.board.strips import StripTime
from bandfold.benchmarks.latency import busy_processes, latency_text, main


def test_first_strips_and_new_folds_are_told_apart():
    times = [StripTime(2.0, 1.0, True, True), StripTime(0.5, 0.25, False, False)]
    times += [StripTime(1.5, 1.0, False, True), StripTime(0.7, 0.35, False, False)]
    assert latency_text("nothing", times).splitlines() == [
        "| nothing | first strip | 1 | 2000 | 2000 | 2000 | 1000 | 1000 | 1000 |",
        "| nothing | new fold | 1 | 1500 | 1500 | 1500 | 1000 | 1000 | 1000 |",
        "| nothing | same fold | 2 | 600 | 698 | 700 | 300 | 349 | 350 |",
    ]


def test_busy_processes_end():
    with busy_processes(2) as processes:
        assert all(process.poll() is None for process in processes)
    assert all(process.poll() is not None for process in processes)


def test_all_strips_are_timed(tmp_path):
    arguments = ["--lines", "32", "--samples", "16", "--bands", "8", "--strip-lines", "8", "--busy", "1"]
    figures = tmp_path / "figures.json"
    result = CliRunner().invoke(main, [*arguments, "--runs", "1", "--bps", "8", "--json", str(figures)])
    assert result.exit_code == 0, result.output
    content = json.loads(figures.read_text())
    for name in ("nothing", "1 busy processes"):
        assert [one["first"] for one in content[name]] == [True, False, False, False]
        assert all(one["seconds"] > 0 for one in content[name])
        assert content[name][0]["folded"]
