"""What runs on which scene."""

import json

import pytest

from bandfold.benchmarks.codecs.held_out import HeldOut
from bandfold.benchmarks.rate_distortion.campaign import RANGE, TILE_RANGE, Task, perform, plan
from bandfold.benchmarks.scenes.evaluation_scenes import find_scenes
from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.common.errors import SettingsError

ANCHOR = [(0.5, 50.0), (4.0, 70.0)]


@pytest.fixture
def folder(tmp_path, cube):
    for name in ("one", "two"):
        write_scene(tmp_path / f"{name}.hdr", cube)
    return tmp_path


def names(task):
    return [rival.name for rival in task.rivals]


def test_jpeg_2000_runs_live_only_where_nothing_is_recorded(folder, quantiser):
    tasks = plan(
        find_scenes(folder), (1.0,), recorded={"one": {"KLT": ANCHOR}}, externals=[quantiser("extra")]
    )
    assert [names(task) for task in tasks] == [["extra"], ["JPEG 2000", "JPEG 2000 + KLT", "extra"]]
    assert tasks[0].recorded == {"KLT": ANCHOR}
    assert tasks[0].rates == RANGE


def test_tiles_have_curves_and_a_range_of_their_own(folder):
    recorded = {"one": {"KLT": ANCHOR}, "one@4x4": {"KLT": ANCHOR[:1]}}
    (task,) = plan(find_scenes(folder, ["one"], tile=4), (1.0,), recorded=recorded)
    assert task.recorded == {"KLT": ANCHOR[:1]}
    assert task.rates == TILE_RANGE


def test_a_scene_without_tables_that_have_not_seen_it_is_refused(folder):
    for name in ("fold-0.npz", "dependent-0.npz"):
        (folder / name).touch()
    (folder / "folds.json").write_text(json.dumps({"one": "fold-0.npz"}))
    assert len(plan(find_scenes(folder, ["one"], tile=2), (1.0,), recorded={}, held_out=HeldOut(folder))) == 1
    with pytest.raises(SettingsError, match="not seen two"):
        plan(find_scenes(folder), (1.0,), recorded={}, held_out=HeldOut(folder))


def test_results_come_in_the_order_of_the_tasks(folder, quantiser):
    tasks = [
        Task(scene, quantiser(), (quantiser("twin"),), {}, (4.0, 6.0, 8.0), RANGE)
        for scene in find_scenes(folder)
    ]
    results = list(perform(tasks))
    assert [result.scene for result in results] == ["one", "two"]
    assert results[0].shape == (6, 32, 40)
    # The twin is the same codec, so it is exactly as good.
    assert results[0].candidate.curve == results[0].rivals[0].curve
