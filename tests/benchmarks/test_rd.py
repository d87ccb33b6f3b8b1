"""The rate-distortion program from scene files to figures."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from bandfold.benchmarks.codecs.recorded import Folds
from bandfold.benchmarks.rate_distortion.campaign import RANGE, TILE_RANGE, Task, perform, plan
from bandfold.benchmarks.rd import main
from bandfold.benchmarks.scenes.evaluation_scenes import find_scenes
from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.common.errors import SettingsError
from bandfold.export.layout import read_export
from bandfold.export.pack import make_package, write_package

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
    assert len(plan(find_scenes(folder, ["one"], tile=2), (1.0,), recorded={}, folds=Folds(folder))) == 1
    with pytest.raises(SettingsError, match="not seen two"):
        plan(find_scenes(folder), (1.0,), recorded={}, folds=Folds(folder))


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


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_program_measures_scenes_and_writes_its_figures(folder, tmp_path):
    out, image = tmp_path / "rd.json", tmp_path / "rd.png"
    done = run("--scenes", folder, "--names", "one", "--rates", "2,1", "--json", out, "--plot", image)
    assert done.exit_code == 0, done.output
    assert "one  (6 x 32 x 40)" in done.output
    assert "| JPEG 2000 + KLT | all |" in done.output
    measured = json.loads(out.read_text())["scenes"]["one"]["measured"]
    assert list(measured) == ["bandfold", "JPEG 2000", "JPEG 2000 + KLT"]
    points = measured["bandfold"]["points"]
    assert [point["asked"] for point in points] == [1.0, 2.0]
    assert all(point["bps"] <= point["asked"] for point in points)
    assert points[0]["psnr"] < points[1]["psnr"]
    assert image.stat().st_size > 1000


def test_tiles_without_names_are_those_that_are_recorded(folder, tmp_path):
    anchors = tmp_path / "anchors.json"
    anchors.write_text(json.dumps({"scenes": {"two@2x2": {"KLT": [[0.5, 50, 1], [4, 70, 1]]}, "one": {}}}))
    done = run("--scenes", folder, "--anchors", anchors, "--tile", 2, "--rates", "1")
    assert done.exit_code == 0, done.output
    assert "two@2x2  (6 x 64 x 80)" in done.output
    assert "one" not in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rates", "1,x"], "numbers with commas"),
        (["--rates", "0"], "above 0"),
        (["--spectral", "purple"], "purple"),
    ],
)
def test_bad_options_are_told(folder, arguments, said):
    done = run("--scenes", folder, *arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_a_mosaic_has_no_names(folder):
    done = run("--scenes", folder, "--mosaic", "--names", "one")
    assert isinstance(done.exception, SettingsError)


def test_a_model_is_measured_on_scenes_it_has_not_seen(folder, tmp_path, write_export):
    export = read_export(write_export(tmp_path / "export"))
    seen = {**export.about, "training": {"config": {}, "scenes": ["one"]}}
    for name, about in (("new", export.about), ("seen", seen)):
        write_package(make_package(replace(export, about=about), name=name), tmp_path / f"{name}.bfm")
    arguments = ("--names", "one", "--rates", "0.5,1")
    result = run("--scenes", folder, *arguments, "--model", tmp_path / "new.bfm")
    assert result.exit_code == 0, result.output
    assert "against JPEG 2000:" in result.output
    result = run("--scenes", folder, *arguments, "--model", tmp_path / "seen.bfm")
    assert isinstance(result.exception, SettingsError)
    assert "was trained on one" in str(result.exception)
