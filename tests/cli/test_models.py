"""`bandfold models`: what is shipped, and the card of a package."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from bandfold.bitstream.contexts.tables import DATA, DEPENDENT_TABLES, SHIPPED_TABLES, load_tables
from bandfold.bitstream.packages import registry
from bandfold.bitstream.packages.manifest import Manifest
from bandfold.bitstream.packages.package import Package, save_package
from bandfold.bitstream.packages.registry import SHIPPED_PACKAGES, Registry
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.onboard.networks.context_check import check_context_graphs

from .conftest import check_failure

needs_export = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "flatbuffers", "ai_edge_litert")),
    reason="the extra export is not installed",
)

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
    tables = json.loads(run("models", "--json").out)["tables"]
    assert [one["name"] for one in tables] == ["tables-uniform", "tables-dependent"]
    text = run("models").out
    for one in (*report, *tables):
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


@needs_export
def test_networks_of_a_package_as_files(run, tmp_path):
    result = run("models", "extract", "innovations", "-o", "graphs/here")
    assert (result.status, result.err) == (0, "")
    package = Registry().find("innovations")
    for name, data in package.engines.items():
        assert (tmp_path / "graphs/here" / name).read_bytes() == data
    written = {path.name: path.stat().st_size for path in (tmp_path / "graphs/here").iterdir()}
    assert len(package.engines) == 4
    assert set(written) == {*package.engines, "contexts.onnx", "contexts.tflite"}
    report = json.loads(run("models", "extract", "innovations", "-o", "again", "--json").out)
    assert report == {"package": "innovations", "files": written}


@needs_export
def test_context_networks_of_tables_as_files(run, tmp_path):
    names = {f"contexts-{mode}.{end}" for mode in ("folded", "banded") for end in ("onnx", "tflite")}
    for name, file in (("tables-uniform", SHIPPED_TABLES), ("tables-dependent", DEPENDENT_TABLES)):
        result = run("models", "extract", name, "-o", name)
        assert (result.status, result.err) == (0, "")
        assert {path.name for path in (tmp_path / name).iterdir()} == names
        # By name and from a file, the same but for the name.
        assert run("models", "extract", file, "-o", "file", "--json").status == 0
        for one in names:
            network = load_tables(file).modes[one.split(".")[0].removeprefix("contexts-")].network
            graphs = [tmp_path / folder / one for folder in (name, "file")]
            assert abs(graphs[0].stat().st_size - graphs[1].stat().st_size) < 100
            pair = [(tmp_path / name / one).with_suffix(end).read_bytes() for end in (".onnx", ".tflite")]
            assert not any(reason for _, reason in check_context_graphs(network, *pair))
    assert (tmp_path / "tables-uniform/contexts-folded.onnx").read_bytes() != (
        tmp_path / "tables-dependent/contexts-folded.onnx"
    ).read_bytes()
    targets = ("--targets", "tflite", "--targets", "float", "--targets", "tensorrt")
    assert run("models", "extract", "tables-uniform", "-o", "all", *targets, "--lines", 20).status == 0
    assert {path.name for path in (tmp_path / "all").iterdir()} == names | {
        f"contexts-{mode}.{end}" for mode in ("folded", "banded") for end in ("static.tflite", "qdq.onnx")
    }


def test_what_tables_hold(run, tmp_path):
    report = json.loads(run("models", "show", "tables-dependent", "--json").out)
    assert report["hash"] == load_tables(DEPENDENT_TABLES).identity.hex()
    assert report["networks"]["contexts-folded"] == "24 features, 24 and 16 units, 48 classes"
    older = sorted(DATA.glob("older/*.npz"))[0]
    assert "19 features, 16 units, 48 classes" in run("models", "show", older).out
    (tmp_path / "bad.npz").write_bytes(b"no tables")
    for command in ("show", "extract"):
        arguments = ("-o", "none") if command == "extract" else ()
        check_failure(run("models", command, "bad.npz", *arguments), 5, "tables cannot be read from")
        check_failure(run("models", command, "none.npz", *arguments), 5, "tables cannot be read from")
    assert not (tmp_path / "none").exists()


@needs_export
def test_networks_that_are_not_of_bytes_are_refused(run, tmp_path):
    older = sorted(DATA.glob("older/*.npz"))[0]
    check_failure(run("models", "extract", older, "-o", "none"), 5, "one hidden layer")
    assert not (tmp_path / "none").exists()


def test_without_the_libraries_that_write_graphs(run, tmp_path, monkeypatch):
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "onnx" else known(name, *rest)
    )
    result = run("models", "extract", "innovations", "-o", "graphs")
    assert result.status == 0
    assert len(list((tmp_path / "graphs").iterdir())) == 4
    assert result.err.startswith("warning: contexts of innovations are not written: ")
    assert "pip install 'bandfold[export]'" in result.err
    check_failure(run("models", "extract", "tables-uniform", "-o", "none"), 2, "bandfold[export]")
    assert not (tmp_path / "none").exists()


def test_graphs_for_accelerators(run, tmp_path):
    pytest.importorskip("onnx")
    targets = ("--targets", "tflite", "--targets", "tensorrt", "--lines", 16, "--samples", 40)
    assert run("models", "extract", "innovations", "-o", "graphs", *targets).status == 0
    names = {path.name for path in (tmp_path / "graphs").iterdir()}
    ends = ("onnx", "tflite", "static.tflite", "qdq.onnx")
    assert names == {f"{name}.{end}" for name in ("analysis-0", "analysis-1", "contexts") for end in ends}
    check_failure(
        run("models", "extract", "balle48-relu-cal-l1", "-o", "other", *targets), 5, "not symmetric"
    )
    check_failure(run("models", "extract", "aviris-224", "-o", "none"), 5, "holds no networks")
    assert not (tmp_path / "other").exists()
