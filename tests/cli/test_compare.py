"""`bandfold compare`."""

import json
import os

import numpy as np
import pytest

from bandfold.common.scene import Scaling, SceneInfo
from bandfold.formats.envi.writer import write_envi

from .conftest import check_failure


@pytest.fixture
def other(tmp_path, scene):
    cube = scene.copy()
    cube[:, 0, 0] += 10
    write_envi(tmp_path / "other.hdr", cube, SceneInfo(*cube.shape, cube.dtype))
    return cube


def test_report_as_json(run, scene, other):
    result = run("compare", "scene.hdr", "other.hdr", "--json")
    assert result.status == 0
    report = json.loads(result.out)
    mse = 100 * 40 / scene.size
    assert report["whole"]["mse"] == pytest.approx(mse)
    assert report["whole"]["psnr"] == pytest.approx(10 * np.log10(65535**2 / mse))
    assert len(report["band_mse"]) == 40


def test_report_as_table(run, scene, other):
    result = run("compare", "scene.hdr", "other.img")
    assert result.status == 0
    assert "0:40" in result.out
    assert f"{10 * np.log10(65535**2 / (100 * 40 / scene.size)):.2f}" in result.out


def test_equal_scenes_have_no_psnr_in_json(run, scene):
    report = json.loads(run("compare", "scene.hdr", "scene.hdr", "--json").out)
    assert report["whole"]["psnr"] is None
    assert "inf" in run("compare", "scene.hdr", "scene.hdr").out


def test_floats_need_no_scaling_and_absent_data_does_not_count(run, tmp_path, float_scene):
    cube = float_scene + np.where(float_scene == -9999, 1, 0).astype("f4")
    info = SceneInfo(*cube.shape, np.dtype("float64"), scaling=Scaling(1.0))
    write_envi(tmp_path / "other.hdr", cube.astype("f8"), info)
    report = json.loads(run("compare", "float.hdr", "other.hdr", "--json").out)
    assert report["whole"]["mse"] == 0
    assert report["whole"]["count"] == cube.size - 5 * 12
    report = json.loads(run("compare", "float.hdr", "other.hdr", "--no-data", "none", "--json").out)
    assert report["whole"]["max_error"] == 1


def test_plot(run, tmp_path, scene, other):
    assert run("compare", "scene.hdr", "other.hdr", "--plot", "a.png").status == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_failures(run, tmp_path, scene):
    before = sorted(os.listdir(tmp_path))
    check_failure(run("compare", "scene.hdr", "no.hdr"), 3, "no.hdr is not there")
    check_failure(run("compare", "scene.hdr", "scene.hdr", "--plot", "no/a.png"), 8, "cannot write no/a.png")
    check_failure(run("compare", "scene.hdr", "scene.hdr", "--no-data", "x"), 2, "--no-data 'x'")
    assert sorted(os.listdir(tmp_path)) == before
