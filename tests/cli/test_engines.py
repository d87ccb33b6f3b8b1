"""`bandfold engines` and `bandfold selftest`."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.contexts.tables import MODES
from bandfold.bitstream.packages.package import load_package, save_package
from bandfold.onboard import self_check as selfcheck
from bandfold.onboard.networks import context_check
from bandfold.onboard.networks import engine_choice as choice
from bandfold.onboard.self_check import runs_by

from .conftest import check_failure

MODEL = Path(__file__).parents[1] / "golden" / "int8" / "golden-int8.bfm"
FLOAT = MODEL.parents[1] / "golden-walsh.bfm"


@pytest.fixture
def broken(tmp_path):
    """A package whose golden latents are those of another network."""
    package = load_package(MODEL)
    arrays = {**package.arrays, "analysis-golden": package.arrays["analysis-golden"][::-1].copy()}
    save_package(replace(package, arrays=arrays), tmp_path / "broken.bfm")
    return "broken.bfm"


def test_engines_lists_what_is_there_and_what_auto_picks(run):
    report = json.loads(run("engines", "--model", MODEL, "--threads", 2, "--json").out)
    assert (report["model"], report["threads"]) == ("golden-int8", 2)
    rows = {row["engine"]: row for row in report["engines"]}
    assert list(rows) == list(choice.ENGINES)
    picked = [name for name, row in rows.items() if row["auto"].startswith("picked")]
    assert picked == [next(name for name in rows if not choice.unfit(name))]
    assert rows["numpy"]["exact"] is True
    assert rows["numpy"]["Msamples/s"] > 0
    assert report["floating point"][-1] == "CPUExecutionProvider"
    text = run("engines", "--model", MODEL).out
    assert "picked" in text
    assert "golden-int8" in text


def test_engines_says_why_not(run, monkeypatch, broken):
    kind = replace(choice.ENGINES["litert"], distributions=("no-such-distribution",))
    monkeypatch.setattr(choice, "ENGINES", {**choice.ENGINES, "litert": kind})
    rows = json.loads(run("engines", "--model", broken, "--json").out)["engines"]
    assert rows[0]["from"] is None
    assert rows[0]["auto"] == "not installed (pip install 'bandfold[tflite]')"
    assert rows[0]["exact"] is None
    assert rows[2]["exact"] is False
    assert "does not give the golden latents" in rows[2]["auto"]


def test_selftest_passes_here(run):
    result = run("selftest", "--model", MODEL, "--json")
    assert (result.status, result.err) == (0, "")
    assert json.loads(result.out)["encoder"] == {"runs by": runs_by(), "exact": True}
    assert run("selftest", "--model", MODEL).out.startswith(f"Encoder: {runs_by()}, exact\n")
    checks = json.loads(result.out)["checks"]
    installed = [name for name, kind in choice.ENGINES.items() if kind.installed()]
    assert [(check["engine"], check["threads"]) for check in checks] == [
        (name, threads) for threads in (1, 2) for name in installed
    ]
    assert all(check["exact"] and check["networks"] == 2 for check in checks)
    assert run("selftest", "--model", MODEL).out.count(" exact ") >= len(checks)
    assert json.loads(result.out)["contexts"] == []
    shipped = json.loads(run("selftest", "--json").out)
    assert {"balle48-relu-cal-l1", "balle48-relu-uncal-l1"} <= {check["model"] for check in shipped["checks"]}
    _check_contexts(shipped)


def _check_contexts(report):
    """Every context network that is shipped has been compared, by each engine that is installed."""
    if report["contexts not checked"]:
        assert "bandfold[export]" in report["contexts not checked"]
        return
    wanted = [("innovations", "contexts")]
    wanted += [(f"tables-{kind}", f"contexts-{mode}") for kind in ("uniform", "dependent") for mode in MODES]
    engines = [name for name in context_check.CHECKED_ENGINES if choice.ENGINES[name].installed()]
    found = [(row["model"], row["network"], row["threads"], row["engine"]) for row in report["contexts"]]
    assert found == [(*one, threads, engine) for one in wanted for threads in (1, 2) for engine in engines]
    assert all(row["exact"] for row in report["contexts"])


@pytest.fixture
def known_stream(monkeypatch):
    """An encoder that is known to be right, so that the rest of the self-test is quick."""
    monkeypatch.setattr(selfcheck, "writes_the_known_stream", lambda: True)


def _without_onnx(monkeypatch):
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "onnx" else known(name, *rest)
    )


def test_selftest_compares_context_networks_with_their_graphs(run, known_stream, monkeypatch):
    pytest.importorskip("onnx")
    pytest.importorskip("ai_edge_litert")
    assert "against the codec" in run("selftest", "--model", "innovations").out
    # A codec whose classes are others than those of the graphs.
    monkeypatch.setattr(context_check, "classes_of", lambda _, features: features[0][0].astype(np.uint8))
    result = run("selftest", "--model", "innovations", "--json")
    assert result.status == 5
    assert result.err.count("\n") == 1
    assert "checks are not exact, first of engine" in result.err
    rows = json.loads(result.out)["contexts"]
    assert rows
    assert all(row["reason"] == "it gives other classes than the codec" for row in rows)


def test_selftest_says_what_it_did_not_check(run, known_stream, monkeypatch):
    _without_onnx(monkeypatch)
    result = run("selftest", "--model", "innovations")
    assert (result.status, result.err) == (0, "")
    assert "Context networks as graphs: not checked, " in result.out
    assert "pip install 'bandfold[export]'" in result.out
    report = json.loads(run("selftest", "--model", "innovations", "--json").out)
    assert report["contexts"] == []
    assert "onnx" in report["contexts not checked"]


def test_selftest_fails_where_latents_differ(run, broken, monkeypatch):
    result = run("selftest", "--model", broken)
    assert result.status == 5
    assert result.err.count("\n") == 1
    assert "checks are not exact, first of engine" in result.err
    assert "NOT EXACT" in result.out
    check_failure(run("selftest", "--model", FLOAT), 5, "exact nowhere")
    check_failure(run("selftest", "--model", "aviris-224"), 5, "of kind 'sensor'")


def test_selftest_fails_where_the_encoder_writes_another_stream(run, monkeypatch):
    monkeypatch.setattr(selfcheck, "BPS", 1.4)
    result = run("selftest", "--model", MODEL)
    assert "NOT EXACT" in result.out
    assert result.status == 5
    assert result.err.count("\n") == 1
    assert "does not write the known stream" in result.err


def test_encode_names_its_engine_and_refuses_another(run, tmp_path, scene, broken):
    arguments = ("encode", "scene.hdr", "--step", 30, "-o")
    streams = []
    for name, kind in choice.ENGINES.items():
        if kind.installed():
            result = run(
                *arguments, f"{name}.bf", "--model", MODEL, "--engine", name, "--threads", 2, "--json"
            )
            assert (result.status, result.err) == (0, "")
            assert json.loads(result.out)["engine"] == name
            streams.append((tmp_path / f"{name}.bf").read_bytes())
    assert len(set(streams)) == 1
    check_failure(run(*arguments, "b.bf", "--model", broken, "--engine", "numpy"), 5, "golden latents")
    check_failure(run(*arguments, "b.bf", "--engine", "numpy"), 2, "name a model")
    check_failure(run(*arguments, "b.bf", "--model", FLOAT, "--engine", "numpy"), 5, "floating point")
    result = run(*arguments, "f.bf", "--model", FLOAT)
    assert result.status == 0
    assert result.err.startswith("warning: package 'golden-walsh' computes in floating point")
    assert np.frombuffer(streams[0], np.uint8).size > 100
