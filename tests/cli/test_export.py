"""`bandfold export`, and coding with what it writes."""

import importlib.util
import json

import pytest

from .conftest import check_failure


@pytest.fixture
def exported(tmp_path, write_export):
    """The folder of a run, exported."""
    return write_export(tmp_path / "run" / "export")


def test_export_encode_info_decode(run, tmp_path, exported, scene):
    result = run("export", "run", "-o", "net.bfm", "--name", "net", "--json")
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    assert (report["name"], report["bytes"]) == ("net", (tmp_path / "net.bfm").stat().st_size)
    assert report["card"]["training scenes"] == ["made-up"]
    assert run("models", "show", "net.bfm").out.count(report["hash"]) == 1

    assert run("encode", "scene.hdr", "-o", "s.bf", "--bps", 0.5, "--model", "net.bfm").status == 0
    assert (tmp_path / "s.bf").stat().st_size <= 0.5 * scene.size / 8
    check_failure(run("decode", "s.bf", "-o", "b.hdr"), 5, f"'net' with hash {report['hash'][:16]}")
    assert not (tmp_path / "b.hdr").exists()
    arguments = ("--model", "net.bfm")
    assert run("decode", "s.bf", "-o", "b.hdr", *arguments).status == 0
    assert run("decode", "s.bf", "-o", "p.hdr", "--bands", "30:", "--lines", "4:9", *arguments).status == 0
    info = json.loads(run("info", "s.bf", "--json", *arguments).out)
    assert (info["model"], info["model_hash"], info["transform"]) == ("net", report["hash"][:16], "planes16")
    assert len(info["engines"]) == len(info["intervals"])
    assert "model hash" in run("info", "s.bf", *arguments).out


def test_an_export_itself_is_packed_too_and_found_by_name(run, tmp_path, exported, scene, monkeypatch):
    monkeypatch.setenv("BANDFOLD_MODELS", str(tmp_path))
    result = run("export", "run/export", "-o", "any.bfm")
    assert result.status == 0
    assert result.out.startswith("any.bfm: walsh-1 (")
    assert "walsh-1" in run("models").out
    assert run("encode", "scene.hdr", "-o", "s.bf", "--step", 40, "--model", "walsh-1").status == 0
    assert run("decode", "s.bf", "-o", "b.hdr").status == 0


def test_measured_curves_go_on_the_card(run, tmp_path, exported):
    points = [[0.2, 53.0, "walsh-1", 8.0], [0.1, 50.0, "walsh-1", 16.0], [0.1, 51.0, "other", 9.0]]
    panels = [{"name": "whole scene", "points": points}, {"name": "interval 1", "points": points}]
    (tmp_path / "u.json").write_text(json.dumps({"new": panels}))
    report = json.loads(run("export", "run", "-o", "net.bfm", "--curves", "u.json", "--json").out)
    assert report["card"]["curves"] == {"new": [[0.1, 50.0], [0.2, 53.0]]}
    (tmp_path / "u.json").write_text("[]")
    check_failure(run("export", "run", "-o", "n.bfm", "--curves", "u.json"), 2, "holds no figures")


def test_failures(run, tmp_path, exported, scene, monkeypatch):
    check_failure(run("export", "run", "-o", "net.zip"), 2, "ends in .bfm")
    check_failure(run("export", "nowhere", "-o", "net.bfm"), 2, "nowhere")
    (tmp_path / "empty").mkdir()
    check_failure(run("export", "empty", "-o", "net.bfm"), 5, "not an exported run")
    (tmp_path / "empty" / "run.json").write_text("{}")
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else real(name, *rest)
    )
    check_failure(run("export", "empty", "-o", "net.bfm"), 2, "not exported yet, which needs torch")
    assert run("export", "run", "-o", "net.bfm").status == 0
    arguments = ("encode", "scene.hdr", "-o", "s.bf", "--step", 9, "--model", "net.bfm")
    check_failure(run(*arguments, "--spectral", "sensor"), 2, "band by band")
    check_failure(run(*arguments, "--sensor", "aviris-224"), 2, "band by band")
    check_failure(run(*arguments[:-1], "aviris-224"), 5, "of kind 'sensor'")
