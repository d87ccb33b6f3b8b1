"""`--lossless`, `--max-error` and `--relative-error`: from a scene to a file and back, and what is told."""

import json

import numpy as np
import pytest

from bandfold.bitstream.container.sections import Section
from bandfold.common.scene import SceneInfo
from bandfold.formats.envi.reader import open_envi
from bandfold.formats.envi.writer import write_envi

from ..ground.streams import flipped
from .conftest import check_failure


def decoded(path="again.hdr"):
    source = open_envi(path)
    return source.read(slice(0, source.info.bands), slice(0, source.info.lines)).astype(np.float64)


def test_a_lossless_file_gives_the_scene_byte_by_byte(run, tmp_path, scene):
    assert run("encode", "scene.hdr", "-o", "a.bf", "--lossless").status == 0
    result = run("decode", "a.bf", "-o", "again.hdr")
    assert result.status == 0
    assert "lossless" in result.out
    assert (tmp_path / "again.img").read_bytes() == (tmp_path / "scene.img").read_bytes()
    report = json.loads(run("info", "a.bf", "--json").out)
    assert report["max_error"] == 0
    assert {segment["max_error"] for segment in report["segments"]} == {0}
    assert "refinement" in run("info", "a.bf").out


@pytest.mark.parametrize("options", [(), ("--stream",), ("--scale", 2.0)])
def test_a_lossless_file_of_floats_gives_the_scene_byte_by_byte(run, tmp_path, scene, options):
    values = (np.sqrt(np.abs(scene) + 1.0) * 37).astype(np.float32)
    info = SceneInfo(*values.shape, values.dtype)
    write_envi(tmp_path / "floats.hdr", values, info)
    assert run("encode", "floats.hdr", "-o", "a.bf", "--lossless", "--strip-lines", 8, *options).status == 0
    result = run("decode", "a.bf", "-o", "again.hdr")
    assert result.status == 0
    assert "lossless" in result.out
    assert (tmp_path / "again.img").read_bytes() == (tmp_path / "floats.img").read_bytes()
    assert json.loads(run("info", "a.bf", "--json").out)["max_error"] == 0
    size = (tmp_path / "a.bf").stat().st_size
    assert run("truncate", "a.bf", "-o", "b.bf", "--bytes", size * 2 // 3).status == 0
    bounds = json.loads(run("decode", "b.bf", "-o", "again.hdr", "--json").out)["bounds"]
    assert [bound["max_error"] for bound in bounds] == [0, None]


@pytest.mark.parametrize(
    "base", [(), ("--bps", 0.5), ("--step", 60, "--layers", "base-first"), ("--stream",)]
)
def test_no_sample_is_beyond_the_limit(run, tmp_path, scene, base):
    assert run("encode", "scene.hdr", "-o", "a.bf", "--max-error", 3, *base).status == 0
    result = run("decode", "a.bf", "-o", "again.hdr", "--json")
    report = json.loads(result.out)
    assert report["restored"] is None
    lines = scene.shape[1]
    assert report["bounds"] == [{"lines": [0, lines], "max_error": 3, "relative_error": None}]
    assert np.abs(decoded(tmp_path / "again.hdr") - scene).max() == 3


def test_a_file_lists_a_limit_for_each_band(run, tmp_path, scene):
    limits = [band % 5 for band in range(len(scene))]
    (tmp_path / "limits.txt").write_text(
        "\n".join(map(str, limits[:3])) + ", " + " ".join(map(str, limits[3:]))
    )
    assert run("encode", "scene.hdr", "-o", "a.bf", "--max-error", "limits.txt").status == 0
    assert run("decode", "a.bf", "-o", "again.hdr").status == 0
    assert (np.abs(decoded(tmp_path / "again.hdr") - scene).max(axis=(1, 2)) <= limits).all()


def test_a_share_of_the_sample(run, tmp_path, scene):
    assert run("encode", "scene.hdr", "-o", "a.bf", "--relative-error", 0.01, "--max-error", 2).status == 0
    result = run("decode", "a.bf", "-o", "again.hdr")
    assert "no error above 0.01 of a sample or 2" in result.out.replace("0.009995", "0.01")
    assert (np.abs(decoded(tmp_path / "again.hdr") - scene) <= np.maximum(2, np.abs(scene * 0.01))).all()


def test_the_base_alone(run, tmp_path, scene):
    assert run("encode", "scene.hdr", "-o", "a.bf", "--lossless", "--step", 60).status == 0
    assert run("encode", "scene.hdr", "-o", "b.bf", "--step", 60).status == 0
    assert run("decode", "a.bf", "-o", "again.hdr", "--layers", "base").status == 0
    assert run("decode", "b.bf", "-o", "plain.hdr").status == 0
    assert (tmp_path / "again.img").read_bytes() == (tmp_path / "plain.img").read_bytes()
    report = json.loads(run("decode", "a.bf", "-o", "again.hdr", "--layers", "base", "--json").out)
    assert [bound["max_error"] for bound in report["bounds"]] == [None]


def test_a_lost_limit_is_damage(run, tmp_path, scene):
    assert run("encode", "scene.hdr", "-o", "a.bf", "--lossless").status == 0
    data = (tmp_path / "a.bf").read_bytes()
    (tmp_path / "b.bf").write_bytes(flipped(data, Section.REFINEMENT))
    result = run("decode", "b.bf", "-o", "again.hdr")
    assert result.status == 9
    assert "no error limit holds" in result.err
    assert "lossless" not in result.out


def test_truncation_says_what_is_left(run, tmp_path, scene):
    assert run("encode", "scene.hdr", "-o", "a.bf", "--lossless", "--strip-lines", 8).status == 0
    size = (tmp_path / "a.bf").stat().st_size
    result = run("truncate", "a.bf", "-o", "b.bf", "--bytes", size * 2 // 3, "--json")
    report = json.loads(result.out)
    assert 0 < report["refinements"] < report["refinements_before"]
    result = run("decode", "b.bf", "-o", "again.hdr", "--json")
    assert result.status == 0
    bounds = json.loads(result.out)["bounds"]
    assert [bound["max_error"] for bound in bounds] == [0, None]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--lossless", "--max-error", 1), "leave out lossless"),
        (("--max-error", "nowhere.txt"), "is no number and no text file"),
        (("--max-error", "scene.hdr"), "list one number for each band"),
        (("--max-error", "empty.txt"), "is empty"),
        (("--max-error", -1), "out of range"),
        (("--lossless", "--bps", 1, "--step", 1), "give exactly one of"),
        (("--layers", "base-first", "--bps", 1), "add lossless or a limit"),
        (("--lossless", "--model", "balle48-relu-cal-l1"), "floating point"),
    ],
)
def test_what_cannot_be_is_refused(run, tmp_path, scene, options, said):
    (tmp_path / "empty.txt").write_text("\n")
    check_failure(run("encode", "scene.hdr", "-o", "a.bf", *options), 2, said)
    assert not (tmp_path / "a.bf").exists()
