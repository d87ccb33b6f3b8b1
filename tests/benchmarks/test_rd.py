"""The rate-distortion program from scene files to figures."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from bandfold.benchmarks.rd import main
from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.common.errors import SettingsError
from bandfold.export.layout import read_export
from bandfold.export.pack import make_package, write_package


@pytest.fixture
def folder(tmp_path, cube):
    for name in ("one", "two"):
        write_scene(tmp_path / f"{name}.hdr", cube)
    return tmp_path


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


def test_ccsds_122_runs_live_if_asked_for_in_place_of_its_recorded_curve(folder, tmp_path):
    anchors, out = tmp_path / "anchors.json", tmp_path / "rd.json"
    curve = {"CCSDS 122": [[0.5, 20, 1], [4, 21, 1]]}
    anchors.write_text(json.dumps({"scenes": {"one": curve}}))
    arguments = ["--scenes", folder, "--names", "one", "--rates", "1,2", "--anchors", anchors, "--json", out]
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert "CCSDS 122: recorded curves" in done.output
    assert "CCSDS 122" not in json.loads(out.read_text())["scenes"]["one"]["measured"]
    done = run(*arguments, "--ccsds122", "live")
    assert "CCSDS 122: run live" in done.output
    points = json.loads(out.read_text())["scenes"]["one"]["measured"]["CCSDS 122"]["points"]
    assert [point["asked"] for point in points] == [1.0, 2.0]
    assert points[1]["psnr"] > points[0]["psnr"] > 30


def test_other_codecs_run_live_if_asked_for(folder, tmp_path):
    pytest.importorskip("imagecodecs")
    out = tmp_path / "rd.json"
    asked = ("--live", "klt-jpegxl", "--live", "sperr")
    done = run("--scenes", folder, "--names", "one", "--rates", "1,2", *asked, "--json", out)
    assert done.exit_code == 0, done.output
    assert "| KLT + JPEG XL | all |" in done.output
    measured = json.loads(out.read_text())["scenes"]["one"]["measured"]
    assert list(measured) == ["bandfold", "JPEG 2000", "JPEG 2000 + KLT", "KLT + JPEG XL", "SPERR 3D"]
    assert all(point["bps"] <= point["asked"] for point in measured["SPERR 3D"]["points"])


def test_tables_leave_the_trellis_to_the_effort(folder, tmp_path):
    done = run("--scenes", folder, "--tables", tmp_path, "--quantiser", "dependent")
    assert isinstance(done.exception, SettingsError)
    assert "leave out --quantiser dependent" in str(done.exception)


def test_sizes_within_limits_come_beside_live_and_recorded_codecs(folder, tmp_path):
    out, bounded = tmp_path / "rd.json", tmp_path / "bounded.json"
    near = {"one": {"4": {"bps": 9.0}}}
    bounded.write_text(json.dumps({"near_lossless_ccsds123_b2_tuned_hybrid": near}))
    arguments = ("--names", "one", "--rates", "1", "--limits", "0,4", "--bounded", bounded, "--json", out)
    done = run("--scenes", folder, *arguments)
    assert done.exit_code == 0, done.output
    lossless, within = json.loads(out.read_text())["near_lossless"]
    assert "JPEG XL" in lossless["bps"]
    assert list(within["bps"]) == [
        "bandfold",
        "JPEG-LS",
        "SPERR",
        "SZ3",
        "ZFP",
        "CCSDS 123, tuned (recorded)",
    ]
    assert 0 < within["bps"]["bandfold"] < lossless["bps"]["bandfold"]
    assert f"9.000 ({100 * (within['bps']['bandfold'] / 9 - 1):+.1f} %)" in done.output


def test_without_imagecodecs_rows_within_limits_are_ours(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    out = tmp_path / "rd.json"
    done = run("--scenes", folder, "--names", "one", "--rates", "1", "--limits", "4", "--json", out)
    assert done.exit_code == 0, done.output
    assert "no other codec runs within limits: other codecs run through imagecodecs" in done.output
    assert list(json.loads(out.read_text())["near_lossless"][0]["bps"]) == ["bandfold"]


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
