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


def test_a_network_of_integers_from_a_scene_to_a_stream(run, tmp_path, scene):
    for name in ("torch", "onnxscript", "onnxruntime", "ai_edge_litert"):
        pytest.importorskip(name)
    training = ("train", "--config", "balle48-relu-smoke", "--scenes", ".", "-o", "out", "--threads", 1)
    assert run(*training, "--no-export").status == 0
    result = run("export", "out", "--calibration", ".", "-o", "smoke.bfm", "--name", "smoke", "--json")
    assert (result.status, result.err) == (0, "")
    files = {}
    for engine in ("litert", "onnxruntime", "numpy"):
        output = f"{engine}.bf"
        options = ("--model", "smoke.bfm", "--bps", 1.0, "--engine", engine)
        assert run("encode", "scene.hdr", "-o", output, *options).status == 0
        files[engine] = (tmp_path / output).read_bytes()
    assert len(set(files.values())) == 1
    assert run("decode", "numpy.bf", "-o", "back.hdr", "--model", "smoke.bfm").status == 0


def test_an_interrupted_training_says_that_it_goes_on(run, scene, monkeypatch):
    pytest.importorskip("torch")

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("bandfold.training.training_run.train_run", interrupted)
    result = run("train", "--config", "balle48-smoke", "--scenes", ".", "-o", "out", "--no-export")
    check_failure(result, 130, "kept in out, the same command goes on")


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
