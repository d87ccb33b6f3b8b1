"""Packages of models: what is packed is tried, and what does not work is not written."""

import json

import numpy as np
import pytest

from bandfold.bitstream.packages.package import load_package, pack
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.common.errors import ModelError
from bandfold.export.layout import read_export
from bandfold.export.pack import check_package, make_package, write_package


@pytest.fixture
def folder(tmp_path, write_export):
    return write_export(tmp_path / "export")


def test_a_package_holds_the_export_and_its_card(folder, tmp_path):
    curves = {"new": [(0.1, 50.0), (0.2, 53.0)]}
    made = make_package(read_export(folder), description="a model", release="1.0", curves=curves)
    saved = write_package(made, tmp_path / "walsh.bfm")
    assert load_package(tmp_path / "walsh.bfm").digest == saved.digest
    codec = BandCodec.from_package(saved)
    assert codec.networks["analysis-1.onnx"] == (folder / "analysis-1.onnx").read_bytes()
    # An interval without an engine takes that of the nearest one below it.
    assert codec.engine_of == (0, 1, 1, 1, 1)
    assert codec.ends == (40, 96, 155, 165, 224)
    assert (saved.name, saved.manifest.kind, saved.manifest.bandfold) == ("walsh-1", "codec", "1.0")
    card = saved.manifest.card
    assert (card["MAC per sample"], card["parameters"], card["parameters, ground"]) == (16.0, 4096, 4097)
    assert (card["training scenes"], card["contrast"]) == (["made-up"], [0.5, 4.0])
    assert card["curves"] == {"new": [[0.1, 50.0], [0.2, 53.0]]}


def test_the_same_export_gives_the_same_bytes(folder):
    export = read_export(folder)
    assert pack(make_package(export)) == pack(make_package(export))
    assert pack(make_package(export, name="other")) != pack(make_package(export))


def test_engines_before_the_first_part_take_the_first_one(tmp_path, write_export):
    about = read_export(write_export(tmp_path / "one")).about
    engines = [{**one, "parts": parts} for one, parts in zip(about["engines"], ([3], [4]), strict=True)]
    export = read_export(write_export(tmp_path / "two", engines=engines))
    assert BandCodec.from_package(make_package(export)).engine_of == (0, 0, 0, 1, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reduction": 8}, "streams have 16"),
        ({"contrast": None}, "description of the export cannot be used"),
        ({"intervals": {"bands": [10]}}, "description of the export cannot be used"),
        ({"name": "Not A Name"}, "package name"),
        ({"format": 2}, "another kind or version"),
        ({"kind": "autoregressive"}, "another kind or version"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(tmp_path, write_export, changes, message):
    with pytest.raises(ModelError, match=message):
        make_package(read_export(write_export(tmp_path / "export", **changes)))


def test_a_folder_that_lacks_a_file_is_refused(folder):
    (folder / "synthesis-1.onnx").unlink()
    with pytest.raises(ModelError, match="is not an exported run"):
        read_export(folder)
    (folder / "model.json").write_text(json.dumps([1]))
    with pytest.raises(ModelError, match="is not an exported run"):
        read_export(folder)


def test_nothing_is_written_of_a_package_that_does_not_work(folder, tmp_path):
    (folder / "synthesis-1.onnx").write_bytes((folder / "analysis-1.onnx").read_bytes())
    with pytest.raises(ModelError, match="cannot be run"):
        write_package(make_package(read_export(folder)), tmp_path / "bad.bfm")
    assert not (tmp_path / "bad.bfm").exists()


def test_tables_that_are_none_are_found_before_writing(folder):
    np.savez(folder / "tables.npz", frequencies=np.ones((2, 16, 80), np.int32))
    with pytest.raises(ModelError, match="sum to"):
        check_package(pack(make_package(read_export(folder))), "mine")
