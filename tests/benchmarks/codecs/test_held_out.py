"""Tables and networks that have not seen a scene."""

import json

import pytest

from bandfold.benchmarks.codecs.held_out import HeldOut
from bandfold.common.errors import SettingsError


def test_every_scene_gets_the_tables_that_have_not_seen_it(tmp_path):
    (tmp_path / "fold-0.npz").touch()
    (tmp_path / "folds.json").write_text(json.dumps({"a": "fold-0.npz", "b": "fold-1.npz"}))
    held_out = HeldOut(tmp_path, "uniform")
    assert held_out.tables("a") == tmp_path / "fold-0.npz"
    with pytest.raises(
        SettingsError, match=r"dependent-0\.npz is not there: python -m bandfold\.calibration"
    ):
        HeldOut(tmp_path).tables("a")
    (tmp_path / "dependent-0.npz").touch()
    assert HeldOut(tmp_path).tables("a") == tmp_path / "dependent-0.npz"
    assert HeldOut(tmp_path).restoration("a") == "off"
    (tmp_path / "fold-0.bfm").touch()
    assert HeldOut(tmp_path).restoration("a") == held_out.restoration("a") == str(tmp_path / "fold-0.bfm")
    for unknown in ("b", "c"):
        with pytest.raises(SettingsError, match=f"not seen {unknown}"):
            held_out.tables(unknown)


def test_a_folder_without_folds_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"folds\.json cannot be read"):
        HeldOut(tmp_path)
