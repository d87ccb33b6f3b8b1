"""Scenes, tiles and mosaics."""

import json

import numpy as np
import pytest

from bandfold.benchmarks.scenes.evaluation_scenes import MOSAIC_NAME, find_scenes, joined, mirrored
from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.common.errors import SceneError, SettingsError
from bandfold.common.scene import Scaling
from bandfold.onboard.samples.samples import ArraySource

NAMES = ["abu_airport_1", "abu_airport_3", "abu_urban_4", "abu_urban_5"]


def numbered(start=0, dtype="uint16"):
    return (np.arange(24) + start).reshape(2, 3, 4).astype(dtype)


@pytest.fixture
def folder(tmp_path):
    for name, start in (
        ("abu_airport_1", 0),
        ("abu_airport_3", 100),
        ("abu_urban_4", 200),
        ("abu_urban_5", 300),
    ):
        write_scene(tmp_path / f"{name}.hdr", numbered(start))
    values = numbered().astype(np.float32) / 10
    write_scene(tmp_path / "floats.hdr", ArraySource(values, scaling=Scaling(1.0)))
    sensors = [
        {"name": "abu_airport_1", "sensor": "AVIRIS (Los Angeles)"},
        {"name": "abu_urban_4", "sensor": "HYDICE"},
    ]
    (tmp_path / "scenes.json").write_text(json.dumps(sensors))
    return tmp_path


def test_edges_of_a_mirrored_tile_meet():
    tile = mirrored(numbered(), 4)
    assert tile.shape == (2, 12, 16)
    assert (tile[:, 2] == tile[:, 3]).all()
    assert (tile[:, :, 3] == tile[:, :, 4]).all()
    assert (tile[:, :3, 4:8] == numbered()[:, :, ::-1]).all()
    assert (tile[:, 3:6, 4:8] == numbered()[:, ::-1, ::-1]).all()
    assert (tile[:, 6:9, 8:12] == numbered()).all()


def test_all_integer_scenes_are_found(folder):
    scenes = find_scenes(folder)
    assert [scene.name for scene in scenes] == [
        "abu_airport_1",
        "abu_airport_3",
        "abu_urban_4",
        "abu_urban_5",
    ]
    assert [scene.aviris for scene in scenes] == [True, False, False, False]
    assert (scenes[1].read() == numbered(100)).all()


def test_floats_become_counts_that_keep_their_order_and_fill_the_range(folder):
    (scene,) = find_scenes(folder, ["floats"])
    cube = scene.read()
    assert cube.dtype == np.uint16
    assert (cube.min(), cube.max()) == (2, 65534)
    assert (np.diff(cube.ravel().astype(int)) > 2000).all()
    assert "floats" in [scene.name for scene in find_scenes(folder, floats=True)]


def test_a_tile_keeps_the_name_of_its_scene_as_base(folder):
    (scene,) = find_scenes(folder, ["abu_urban_5"], tile=2)
    assert (scene.name, scene.base) == ("abu_urban_5@2x2", "abu_urban_5")
    assert scene.read().shape == (2, 6, 8)


def test_the_mosaic_has_its_parts_in_place(folder):
    (scene,) = find_scenes(folder, mosaic=True)
    cube = scene.read()
    assert (scene.name, scene.base, scene.aviris) == (MOSAIC_NAME, MOSAIC_NAME, True)
    assert [int(cube[0, line, sample]) for line, sample in ((0, 0), (0, 4), (3, 0), (3, 4))] == [
        0,
        100,
        200,
        300,
    ]


def test_a_mosaic_takes_a_type_that_holds_all_parts():
    signed = numbered(-5, "int16")
    assert joined([[numbered(), signed]]).dtype == np.int16
    with pytest.raises(SceneError, match="fit no 16-bit type"):
        joined([[np.full((2, 3, 4), 40000, np.uint16), signed]])
    with pytest.raises(SceneError, match="cannot be joined"):
        joined([[numbered(), numbered()[:1]]])


def test_unknown_names_and_empty_folders_are_refused(folder, tmp_path_factory):
    with pytest.raises(SettingsError, match="no scene nowhere"):
        find_scenes(folder, ["nowhere"])
    with pytest.raises(SettingsError, match="no ENVI scene"):
        find_scenes(tmp_path_factory.mktemp("empty"))
