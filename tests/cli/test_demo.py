"""`bandfold demo`."""

import json
import os

import pytest

from .conftest import check_failure

SMALL = ("--lines", 24, "--samples", 32, "--bands", 40)


@pytest.fixture(autouse=True)
def two_rates(monkeypatch):
    monkeypatch.setattr("bandfold.cli.demo.RATES", (0.25, 1.0))


def test_demo_fills_a_directory(run, tmp_path):
    result = run("demo", "-o", "deep/demo", *SMALL)
    assert (result.status, result.err) == (0, "")
    assert "picture: deep/demo/demo.png" in result.out
    names = os.listdir(tmp_path / "deep" / "demo")
    assert {"scene.hdr", "scene.img", "demo.png", "scene-0.25.bf", "decoded-1.hdr"} <= set(names)
    assert not [name for name in names if name.endswith(".part")]
    assert (tmp_path / "deep" / "demo" / "demo.png").read_bytes().startswith(b"\x89PNG")


def test_report_as_json_without_matplotlib(run, monkeypatch):
    monkeypatch.setattr("bandfold.cli.demo.find_spec", lambda name: None)
    result = run("demo", "-o", "demo", *SMALL, "--json")
    assert result.status == 0
    assert result.err.startswith("warning: no picture")
    report = json.loads(result.out)
    assert report["picture"] is None
    rates = [row["bps"] for row in report["rates"]]
    qualities = [row["psnr"] for row in report["rates"]]
    assert rates == sorted(rates)
    assert qualities == sorted(qualities)


def test_failures(run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    check_failure(run("demo", "-o", "file", *SMALL), 8, "cannot write file")
    check_failure(run("demo", "-o", "demo", "--bands", 0), 3, "scene has 0 bands")
    assert os.listdir(tmp_path) == ["file"]
