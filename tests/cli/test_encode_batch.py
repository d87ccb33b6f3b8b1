"""`bandfold encode` of several scenes."""

import json
import os
import shutil

import pytest

from .conftest import check_failure


@pytest.fixture
def scenes(scene, tmp_path):
    """Two ENVI scenes and a text in a folder."""
    folder = tmp_path / "flight"
    folder.mkdir()
    for name in ("one", "two"):
        shutil.copy(tmp_path / "scene.hdr", folder / f"{name}.hdr")
        shutil.copy(tmp_path / "scene.img", folder / f"{name}.img")
    return folder


def listed(folder):
    return sorted(str(path) for path in folder.iterdir())


def test_a_folder_of_scenes(run, tmp_path, scenes):
    result = run("encode", *listed(scenes), "-o", "streams", "--step", 8)
    assert (result.status, result.err) == (0, "")
    assert sorted(os.listdir("streams")) == ["one.bf", "two.bf"]
    assert result.out.count("bits per sample") == 2
    assert result.out.splitlines()[-1].startswith("streams: 2 encoded, 0 failed, ")
    assert run("encode", "scene.hdr", "-o", "alone.bf", "--step", 8).status == 0
    assert (tmp_path / "streams/one.bf").read_bytes() == (tmp_path / "alone.bf").read_bytes()


def test_one_that_fails_does_not_stop_the_others(run, tmp_path, scenes):
    (scenes / "one.img").write_bytes(b"short")
    (scenes / "notes.txt").write_text("not a scene")
    result = run("encode", *listed(scenes), "-o", "streams", "--step", 8)
    assert result.status == 10
    assert os.listdir("streams") == ["two.bf"]
    errors = result.err.splitlines()
    assert len(errors) == 2
    assert all(one.startswith(f"error: {scenes}/") for one in errors)
    assert "1 encoded, 2 failed" in result.out


def test_report_as_json(run, scenes):
    (scenes / "one.img").write_bytes(b"short")
    result = run("encode", *listed(scenes), "-o", "streams", "--step", 8, "--json")
    report = json.loads(result.out)
    assert (report["done"], report["failed"]) == (1, 1)
    failed, done = report["scenes"]
    assert (failed["state"], failed["kind"], failed["exit_status"]) == ("failed", "SceneError", 3)
    assert (done["state"], done["bytes"]) == ("done", os.path.getsize("streams/two.bf"))


def test_one_scene_into_a_folder_that_is_there(run, scene, tmp_path):
    (tmp_path / "streams").mkdir()
    assert run("encode", "scene.hdr", "-o", "streams", "--step", 8).status == 0
    assert os.listdir("streams") == ["scene.bf"]


def test_packets_and_streams(run, scenes):
    result = run("encode", *listed(scenes), "-o", "sent", "--step", 8, "--stream", "--packets", "apid=5")
    assert result.status == 0
    assert sorted(os.listdir("sent")) == ["one.ccsds", "two.ccsds"]


def test_what_cannot_be(run, scene, scenes, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(scenes, other)
    twice = (scenes / "one.hdr", other / "one.hdr")
    check_failure(run("encode", *twice, "-o", "streams", "--step", 8), 2, "would both become")
    check_failure(run("encode", "a.hdr", "-", "-o", "streams", "--step", 8), 2, "standard input")
    (tmp_path / "file").write_bytes(b"")
    check_failure(run("encode", *twice, "-o", "file", "--step", 8), 2, "is a file")
    check_failure(run("encode", *twice, "-o", "s", "--step", 8, "--resume"), 2, "--resume continues one")


def test_progress_goes_over_all_scenes_and_never_back(scenes, monkeypatch):
    from bandfold.cli.encode_batch import _WholeProgress

    told = []
    files = [scenes / "one.hdr", scenes / "two.hdr"]
    whole = _WholeProgress(dict.fromkeys(files, files[0]), lambda stage, done: told.append(done))
    for scene in files:
        progress = whole.of(scene)
        for stage, done in (("sample", 1.0), ("code", 0.5), ("code", 1.0), ("code", 0.2)):
            progress(stage, done)
        whole.finish(scene)
    assert told == sorted(told)
    assert told[0] == pytest.approx(0.25)
    assert told[-1] == 1.0
