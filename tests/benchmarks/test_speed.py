"""Timing: who runs when, what is fitted, what is written. Never how fast."""

import json

import pytest
from click.testing import CliRunner

from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.benchmarks.speed import duel_text, main, sweep_text, threads_text
from bandfold.benchmarks.timing.stages import STAGES, StageTimes, stages_text, time_stages
from bandfold.benchmarks.timing.timing import (
    BandfoldRunner,
    OpenJpegRunner,
    Times,
    elapsed_times,
    growth,
    spread,
    take_turns,
)


class Scribe:
    def __init__(self, name, log):
        self.name = name
        self._log = log

    def encode(self, path):
        self._log.append(self.name)
        return b"12345"

    def decode(self, stream):
        self._log.append(f"-{self.name}")
        assert stream == b"12345"


def test_codecs_take_turns_in_alternating_order_after_a_warm_up(tmp_path):
    log = []
    first, second = take_turns([Scribe("a", log), Scribe("b", log)], tmp_path, 2)
    assert log == ["b", "-b", "a", "-a", "a", "-a", "b", "-b", "b", "-b", "a", "-a"]
    assert (first.name, second.name) == ("a", "b")
    assert [len(times) for times in (first.encode, first.decode, second.encode, second.decode)] == [2] * 4
    assert first.size == 5


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_law_is_found(exponent):
    bands = [56, 112, 224, 448]
    assert growth(bands, [0.01 * count**exponent for count in bands]) == pytest.approx(exponent)


def test_elapsed_times_leave_out_a_warm_up(tmp_path):
    log = []
    first, second = elapsed_times([Scribe("a", log), Scribe("b", log)], tmp_path, 2)
    assert log == ["a", "b"] * 3
    assert (first.name, len(first.encode), len(second.encode)) == ("a", 2, 2)


def test_stages_are_timed_with_any_number_of_threads(tmp_path, cube):
    write_scene(tmp_path / "scene.hdr", cube)
    one, two = (time_stages(tmp_path / "scene.hdr", 1.0, threads, 1) for threads in (1, 2))
    assert list(one.seconds) == list(two.seconds) == list(STAGES)
    assert all(len(runs) == 1 and runs[0] > 0 for runs in one.seconds.values())
    made_up = [StageTimes(n, {stage: [2.0 / n, 9.0, 1.0 / n] for stage in STAGES}) for n in (1, 2)]
    lines = stages_text(made_up, 12_000_000).splitlines()
    assert lines[0] == "| stage | 1 thread, Msamples/s | 2 threads, Msamples/s |"
    assert lines[2] == f"| {STAGES[0]} | 6.0 | 12.0 |"
    assert lines[-1] == "| all | 1.0 | 2.0 |"


def test_spread_is_median_and_range():
    assert spread([3.0, 1.0, 1.5]) == "1.50 (1.00-3.00)"


def test_tables_state_rates_ratios_and_the_exponent():
    ours = Times("bandfold", [2.0, 1.0, 4.0], [1.0], 1000)
    theirs = Times("OpenJPEG", [5.0], [1.0], 1000)
    text = duel_text([ours, theirs], 16_000_000)
    assert "| bandfold | 0.001 | 2.00 (1.00-4.00) | 1.00 | 8.0 |" in text
    assert "| OpenJPEG | 0.001 | 5.00 (5.00-5.00) | 2.50 | 3.2 |" in text
    assert "| OpenJPEG | 5.00 (5.00-5.00) | 3.2 | 0.40 |" in threads_text([ours, theirs], 16_000_000)
    swept = sweep_text("bands", [10, 20], [Times("bandfold", [1.0], [1.0]), Times("bandfold", [2.0], [1.0])])
    assert swept.endswith("to the power of 1.00.")


@pytest.mark.parametrize(
    "runner",
    [
        BandfoldRunner(2.0),
        BandfoldRunner(2.0, threads=2),
        BandfoldRunner(2.0, stream=True),
        OpenJpegRunner(2.0),
    ],
    ids=lambda runner: runner.name,
)
def test_runners_encode_from_a_file_and_meet_the_rate(runner, tmp_path, cube):
    write_scene(tmp_path / "scene.hdr", cube)
    stream = runner.encode(tmp_path / "scene.hdr")
    assert 8 * len(stream) <= 2.02 * cube.size
    assert runner.decode(stream).shape == cube.shape


def test_the_program_writes_times(tmp_path):
    out = tmp_path / "speed.json"
    options = ["--lines", "32", "--samples", "128", "--bands", "16", "--bps", "2", "--runs", "1"]
    options += ["--stage-runs", "1", "--sweep-bands", "4,8", "--sweep-lines", "32,64", "--sweep-runs", "1"]
    done = CliRunner().invoke(main, [*options, "--json", str(out)])
    assert done.exit_code == 0, done.output
    assert "| OpenJPEG |" in done.output
    assert done.output.count("to the power of") == 3
    content = json.loads(out.read_text())
    assert [entry["name"] for entry in content["duel"]] == [
        "bandfold",
        "bandfold, uniform",
        "bandfold, stream",
        "bandfold, stream, uniform",
        "OpenJPEG",
    ]
    assert [entry["name"] for entry in content["threads"]] == ["bandfold", "bandfold, 2 threads"]
    assert list(content["sweep_bands"]) == ["4", "8"]
    assert list(content["sweep_stream_lines"]) == ["32", "64"]
    assert len(content["sweep_bands"]["4"]["encode"]) == 1


def test_lists_of_numbers_are_checked():
    done = CliRunner().invoke(main, ["--sweep-bands", "4,x"])
    assert done.exit_code == 2
    assert "no list of whole numbers" in done.output
