"""`bandfold models`: what is shipped, and the card of a package."""

import json
import shutil
from pathlib import Path

import pytest

from bandfold.bitstream.packages import registry
from bandfold.bitstream.packages.manifest import Manifest
from bandfold.bitstream.packages.package import Package, save_package
from bandfold.bitstream.packages.registry import SHIPPED_PACKAGES, Registry
from bandfold.bitstream.transforms.sensor_basis import SensorBasis

from .conftest import check_failure

GOLDEN = Path(__file__).parents[1] / "golden" / "golden-walsh.bfm"


def test_what_is_shipped_is_whole_and_small(run, monkeypatch):
    monkeypatch.delenv("BANDFOLD_MODELS", raising=False)
    packages = list(Registry().packages())
    assert [package.source for package in packages] == [
        str(path) for path in sorted(SHIPPED_PACKAGES.glob("*.bfm"))
    ]
    assert sum(path.stat().st_size for path in SHIPPED_PACKAGES.glob("*.bfm")) < 10_000_000
    report = json.loads(run("models", "--json").out)["packages"]
    assert [(one["name"], one["hash"]) for one in report] == [
        (package.name, package.identity.hex()) for package in packages
    ]
    assert len({one["name"] for one in report}) == len(report)
    text = run("models").out
    for one in report:
        assert one["name"] in text
        assert one["hash"] in text
        assert str(one["bytes"]) in text


def test_the_shipped_package_of_aviris_is_a_basis_for_all_its_bands():
    basis = SensorBasis.from_package(Registry().find("aviris-224"))
    assert basis.bands == 224
    assert sum(vectors.count for vectors in basis.first) == 224


def test_the_card_of_a_package(run, tmp_path):
    card = {"MAC per sample": 3100, "curves": {"a": [[0.1, 50.0]]}, "training scenes": ["one", "two"]}
    package = Package(Manifest("net-1", "codec", "a net", "0.2", card), engines={"net.onnx": b"12345"})
    saved = save_package(package, tmp_path / "net.bfm")
    result = run("models", "show", "net.bfm", "--json")
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    assert report["card"] == card
    assert (report["name"], report["kind"], report["made with"]) == ("net-1", "codec", "0.2")
    assert report["hash"] == saved.digest.hex()
    assert report["engines"] == {"net.onnx": 5}
    text = run("models", "show", "net.bfm").out
    for expected in ("net-1", "codec", "a net", "MAC per sample: 3100", "one, two", saved.digest.hex()):
        assert expected in text


def test_failures(run, tmp_path):
    check_failure(run("models", "show", "no-such"), 5, "known are aviris-224")
    (tmp_path / "bad.bfm").write_bytes(b"PK")
    check_failure(run("models", "show", "bad.bfm"), 5, "damaged or no package")


def test_models_that_are_shipped_are_listed_and_found_by_name(run, tmp_path, scene, monkeypatch):
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    shutil.copy(GOLDEN, shipped)
    monkeypatch.setattr(registry, "SHIPPED_PACKAGES", shipped)
    assert [one["name"] for one in json.loads(run("models", "--json").out)["packages"]] == ["golden-walsh"]
    assert run("encode", "scene.hdr", "-o", "s.bf", "--step", 40, "--model", "golden-walsh").status == 0
    assert run("decode", "s.bf", "-o", "b.hdr").status == 0
    (shipped / GOLDEN.name).unlink()
    check_failure(run("decode", "s.bf", "-o", "c.hdr"), 5, "needs the package 'golden-walsh'")


def test_networks_of_a_package_as_files(run, tmp_path):
    result = run("models", "extract", "innovations", "-o", "graphs/here")
    assert (result.status, result.err) == (0, "")
    package = Registry().find("innovations")
    for name, data in package.engines.items():
        assert (tmp_path / "graphs/here" / name).read_bytes() == data
    assert len(list((tmp_path / "graphs/here").iterdir())) == len(package.engines) == 4
    report = json.loads(run("models", "extract", "innovations", "-o", "again", "--json").out)
    assert report == {
        "package": "innovations",
        "files": {name: len(data) for name, data in package.engines.items()},
    }


def test_graphs_for_accelerators(run, tmp_path):
    pytest.importorskip("onnx")
    targets = ("--targets", "tflite", "--targets", "tensorrt", "--lines", 16, "--samples", 40)
    assert run("models", "extract", "innovations", "-o", "graphs", *targets).status == 0
    names = {path.name for path in (tmp_path / "graphs").iterdir()}
    ends = ("onnx", "tflite", "static.tflite", "qdq.onnx")
    assert names == {f"analysis-{number}.{end}" for number in range(2) for end in ends}
    check_failure(
        run("models", "extract", "balle48-relu-cal-l1", "-o", "other", *targets), 5, "not symmetric"
    )
    check_failure(run("models", "extract", "aviris-224", "-o", "none"), 5, "holds no networks")
    assert not (tmp_path / "other").exists()
