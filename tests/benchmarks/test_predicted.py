"""The program that measures models of predicted bands, with a model that stands for a fold."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bandfold.benchmarks import predicted
from bandfold.benchmarks.predicted import main
from bandfold.benchmarks.scenes.scene_file import write_scene

MODEL = Path(__file__).parents[1] / "golden" / "golden-lapped.bfm"


@pytest.mark.parametrize("origin", ["live", "recorded"])
def test_ccsds_122_is_run_live_or_recorded_and_the_program_says_which(tmp_path, cube, monkeypatch, origin):
    # A small scene has no room for the lowest rates.
    monkeypatch.setattr(predicted, "RATES", (0.5, 2.0))
    monkeypatch.setitem(predicted.COMPARED, "CCSDS 122", (0.5, 2.0))
    write_scene(tmp_path / "one.hdr", cube)
    shutil.copy(MODEL, tmp_path / "fold-1.bfm")
    (tmp_path / "folds.json").write_text(json.dumps({"one": "fold-1.bfm"}))
    recorded = {"CCSDS 122": [[0.02, 20, 1], [0.3, 30, 1], [1.0, 40, 1]]}
    anchors, out = tmp_path / "anchors.json", tmp_path / "out.json"
    anchors.write_text(json.dumps({"scenes": {"one": recorded if origin == "recorded" else {}}}))
    arguments = ["--folds", tmp_path, "--scenes", tmp_path, "--anchors", anchors, "--json", out]
    done = CliRunner().invoke(main, [*map(str, arguments), "--points", "2", "--ccsds122", origin])
    assert done.exit_code == 0, done.output
    said = "run live by the encoder" if origin == "live" else "a recorded curve"
    assert f"CCSDS 122: {said}" in done.output
    curve = json.loads(out.read_text())["one"]["CCSDS 122"]
    assert ([level for _, level in curve] == [20, 30, 40]) == (origin == "recorded")
    assert len(curve) >= 3
    levels = [level for _, level in curve]
    assert levels == sorted(levels)
