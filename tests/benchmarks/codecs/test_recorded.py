"""Recorded curves and fold tables."""

import json

import pytest

from bandfold.benchmarks.codecs.recorded import Folds, read_anchors
from bandfold.common.errors import SettingsError


def test_curves_lose_their_seconds(tmp_path):
    path = tmp_path / "anchors.json"
    path.write_text(json.dumps({"scenes": {"a": {"JPEG 2000": [[0.1, 50, 0.3], [0.5, 60, 0.3]]}}}))
    assert read_anchors(path) == {"a": {"JPEG 2000": [(0.1, 50.0), (0.5, 60.0)]}}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"scenes": {"a": {"b": [[1]]}}}', '{"scenes": {"a": 3}}'])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "anchors.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"anchors\.json"):
        read_anchors(path)


def test_every_scene_gets_the_tables_that_have_not_seen_it(tmp_path):
    (tmp_path / "fold-0.npz").touch()
    (tmp_path / "folds.json").write_text(json.dumps({"a": "fold-0.npz", "b": "fold-1.npz"}))
    folds = Folds(tmp_path, "uniform")
    assert folds.tables("a") == tmp_path / "fold-0.npz"
    with pytest.raises(
        SettingsError, match=r"dependent-0\.npz is not there: python -m bandfold\.calibration"
    ):
        Folds(tmp_path).tables("a")
    (tmp_path / "dependent-0.npz").touch()
    assert Folds(tmp_path).tables("a") == tmp_path / "dependent-0.npz"
    assert Folds(tmp_path).restoration("a") == "off"
    (tmp_path / "fold-0.bfm").touch()
    assert Folds(tmp_path).restoration("a") == folds.restoration("a") == str(tmp_path / "fold-0.bfm")
    for unknown in ("b", "c"):
        with pytest.raises(SettingsError, match=f"not seen {unknown}"):
            folds.tables(unknown)


def test_a_folder_without_folds_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"folds\.json cannot be read"):
        Folds(tmp_path)
