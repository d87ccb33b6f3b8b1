"""Scenes of one place or sensor are left out together, and every scene is left out once."""

import json
from pathlib import Path

import pytest

from bandfold.calibration.folds import SceneFile, deal, find_scenes, fold_names, group_scenes
from bandfold.common.errors import SettingsError


def scene(name, place="", sensor=""):
    return SceneFile(name, Path(name + ".hdr"), place, sensor)


def folder(path, entries, names=None):
    for name in names or [entry["name"] for entry in entries]:
        (path / f"{name}.hdr").write_text("ENVI\n")
    (path / "scenes.json").write_text(json.dumps(entries))
    return path


def names(groups):
    return [[one.name for one in group] for group in groups]


def test_same_place_or_same_sensor_is_one_group():
    scenes = [
        scene("a", "river", "one"),
        scene("b", "town", "two"),
        scene("c", "river", "three"),
        scene("d", "town", "four"),
        scene("e", "hill", "three"),
        scene("f", "dune", "five"),
    ]
    assert names(group_scenes(scenes)) == [["a", "c", "e"], ["b", "d"], ["f"]]


def test_a_late_scene_joins_groups():
    scenes = [scene("a", "x", "one"), scene("b", "y", "two"), scene("c", "x", "two")]
    assert names(group_scenes(scenes)) == [["a", "b", "c"]]


def test_scenes_that_nothing_is_known_of_stay_apart():
    assert names(group_scenes([scene("a"), scene("b"), scene("c")])) == [["a"], ["b"], ["c"]]


def test_every_scene_is_in_one_fold_and_groups_stay_whole():
    scenes = [scene(f"s{number:02}", f"place {number % 9}", f"sensor {number}") for number in range(27)]
    groups = group_scenes(scenes)
    sizes = {one.name: 10 + 3 * number for number, one in enumerate(scenes)}
    folds = deal(groups, sizes)
    assert sorted(name for fold in names(folds) for name in fold) == sorted(sizes)
    for group in names(groups):
        assert sum(set(group) <= set(fold) for fold in names(folds)) == 1
    held = [sum(sizes[name] for name in fold) for fold in names(folds)]
    assert len(held) == 3
    assert max(held) < 1.2 * min(held)
    assert names(deal(groups, sizes)) == names(folds)


def test_no_more_folds_than_groups():
    folds = deal([[scene("a")], [scene("b")]], {"a": 5, "b": 6})
    assert sorted(names(folds)) == [["a"], ["b"]]


def test_one_group_leaves_nothing_to_train_on():
    with pytest.raises(SettingsError, match="none can be left out"):
        deal([[scene("a"), scene("b")]], {"a": 1, "b": 1})


def test_a_mosaic_goes_with_its_place():
    assert fold_names([scene("a", "Los Angeles"), scene("b", "Reno")]) == ["a", "b", "mosaic_la"]
    assert fold_names([scene("b", "Reno")]) == ["b"]


def test_scenes_are_found_with_what_is_known_of_them(tmp_path):
    entries = [{"name": "b", "place": "hill", "sensor": "eye"}, {"name": "gone", "place": "hill"}]
    found = find_scenes(folder(tmp_path, entries, ["b", "a", "c"]), ["c"])
    assert found == [SceneFile("a", tmp_path / "a.hdr"), SceneFile("b", tmp_path / "b.hdr", "hill", "eye")]


@pytest.mark.parametrize(("exclude", "message"), [(["z"], "no scene z"), (["a"], "no ENVI scene left")])
def test_wrong_names_are_refused(tmp_path, exclude, message):
    with pytest.raises(SettingsError, match=message):
        find_scenes(folder(tmp_path, [{"name": "a"}]), exclude)


@pytest.mark.parametrize("text", ["{", "[1]", '[{"place": "x"}]', '{"name": "a"}'])
def test_nonsense_is_no_description(tmp_path, text):
    folder(tmp_path, [{"name": "a"}])
    (tmp_path / "scenes.json").write_text(text)
    with pytest.raises(SettingsError, match="does not describe scenes"):
        find_scenes(tmp_path)
