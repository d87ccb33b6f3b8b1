"""The program that looks for budgets at which quality falls."""

import json

import numpy as np
from click.testing import CliRunner

from bandfold.benchmarks.rising import Rising, main
from bandfold.synthetic.scenes import SyntheticScene


def test_quality_rises_with_budgets(tmp_path):
    scene = SyntheticScene(32, 40, 12, 3)
    np.save(tmp_path / "one.npy", scene.read(slice(0, 12), slice(0, 32)))
    arguments = [tmp_path / "one.npy", "--points", 4, "--lowest", 0.001, "--highest", 2]
    arguments += ["--models", "innovations", "--json", tmp_path / "out.json"]
    done = CliRunner().invoke(main, [*map(str, arguments)])
    assert done.exit_code == 0, done.output
    curve = json.loads((tmp_path / "out.json").read_text())["one"]["innovations"]
    assert f"{len(curve)} budgets, {4 - len(curve)} out of reach" in done.output
    assert "falls in all: 0" in done.output
    assert 2 <= len(curve) < 4
    assert curve == sorted(curve)
    assert curve[-1][1] > curve[0][1]


def test_crops_are_coded_with_and_without_a_model(tmp_path):
    scene = SyntheticScene(32, 40, 12, 3)
    np.save(tmp_path / "one.npy", scene.read(slice(0, 12), slice(0, 32)))
    arguments = [tmp_path / "one.npy", "--points", 2, "--lowest", 1, "--highest", 2, "--crops", "8x12,1x20"]
    arguments += ["--models", "folded", "--json", tmp_path / "out.json"]
    done = CliRunner().invoke(main, [*map(str, arguments)])
    assert done.exit_code == 0, done.output
    report = json.loads((tmp_path / "out.json").read_text())
    assert list(report) == ["one@8x12", "one@1x20"]
    assert list(report["one@8x12"]) == ["folded"]
    wrong = CliRunner().invoke(main, [str(tmp_path / "one.npy"), "--crops", "8"])
    assert wrong.exit_code == 2
    assert "give lines and samples, as 10x12" in wrong.output


def test_falls_are_counted():
    assert Rising([(0.1, 40.0), (0.2, 44.0), (0.3, 43.5), (0.4, 43.75), (0.5, 44.0)], 0).falls == [0.5, 0.25]
