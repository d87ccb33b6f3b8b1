"""`bandfold train`: the smoke configuration, from a scene to an export."""

import importlib.util
import json

import pytest

from .conftest import check_failure


def test_smoke_configuration_trains_resumes_and_exports(run, tmp_path, scene):
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    arguments = ("train", "--config", "balle48-smoke", "--scenes", ".", "-o", "out", "--threads", 1)
    result = run(*arguments, "--json")
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    assert report["scenes"] == ["scene"]
    assert report["parts"] == [[1], [2, 3, 4, 5]] or report["parts"] == [[1]]
    about = json.loads((tmp_path / "out" / "export" / "model.json").read_text())
    assert about["training"]["scenes"] == ["scene"]
    before = (tmp_path / "out" / "1" / "model.pt").read_bytes()
    again = run(*arguments, "--no-export")
    assert again.status == 0
    assert again.out.startswith("out: balle48, ")
    assert (tmp_path / "out" / "1" / "model.pt").read_bytes() == before


def test_mistakes_are_told_on_one_line(run, tmp_path, scene):
    pytest.importorskip("torch")
    ending = ("--scenes", ".", "-o", "out", "--no-export")
    check_failure(run("train", "--config", "nothing", *ending), 2, "balle48-smoke")
    check_failure(run("train", "--config", "balle48-smoke", *ending, "--exclude", "x"), 2, "no scene x")
    check_failure(
        run("train", "--config", "balle48-smoke", *ending, "--exclude", "scene"), 2, "left to train on"
    )
    check_failure(run("train", "--config", "balle48-smoke", *ending, "--device", "abacus"), 2, "abacus")
    check_failure(run("train", "--config", "balle48-smoke", *ending, "--start", "no"), 5, "not the folder")


def test_what_is_not_installed_is_named(run, scene, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else real(name, *rest)
    )
    result = run("train", "--config", "balle48-smoke", "--scenes", ".", "-o", "out", "--no-export")
    check_failure(result, 2, "training needs torch: pip install 'bandfold[train,export,onnx]'")
