"""Which scenes count, and how they are centred."""

import json

import numpy as np
import pytest

from bandfold.common.errors import SettingsError
from bandfold.formats.envi.writer import write_envi
from bandfold.training.training_scenes import centred, load_scene, select_scenes

from .conftest import make_scene


@pytest.fixture
def folder(tmp_path, source):
    cube = make_scene()
    for name in ("far", "near", "raw"):
        write_envi(tmp_path / f"{name}.hdr", cube, source.info)
    described = [
        ("far", "radiance", "AVIRIS"),
        ("near", "reflectance x 1e4", "AVIRIS?"),
        ("raw", "raw DN", "X"),
    ]
    text = json.dumps([{"name": name, "level": level, "sensor": sensor} for name, level, sensor in described])
    (tmp_path / "scenes.json").write_text(text)
    return tmp_path


def names(scenes):
    return [scene.name for scene in scenes]


def test_levels_sensors_and_exclusions_choose(folder):
    assert names(select_scenes([folder])) == ["far", "near", "raw"]
    assert names(select_scenes([folder], levels=["radiance", "reflectance"])) == ["far", "near"]
    assert names(select_scenes([folder], sensors=["X"])) == ["raw"]
    assert names(select_scenes([folder], exclude=["near"])) == ["far", "raw"]


def test_what_no_file_describes_counts_always(folder):
    (folder / "scenes.json").unlink()
    assert names(select_scenes([folder], levels=["raw"], sensors=["AVIRIS"])) == ["far", "near", "raw"]


def test_nothing_left_and_unknown_names_are_refused(folder):
    with pytest.raises(SettingsError, match="nothing to exclude"):
        select_scenes([folder], exclude=["nobody"])
    with pytest.raises(SettingsError, match="levels raw and sensors AVIRIS"):
        select_scenes([folder], levels=["raw"], sensors=["AVIRIS"])


def test_a_scene_is_centred_on_integers(folder):
    scene = load_scene(select_scenes([folder])[0])
    cube = make_scene()
    planes, means = centred(cube)
    np.testing.assert_array_equal(scene.planes, planes)
    np.testing.assert_array_equal(planes + means[:, None, None], cube)
    assert np.abs(planes.mean(axis=(1, 2))).max() <= 0.5
    assert scene.deviation == pytest.approx(np.sqrt(cube.var(axis=(1, 2)).mean()))
    assert scene.ends == (10, 10, 10, 10, 10)
