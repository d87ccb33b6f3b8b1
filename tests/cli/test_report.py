"""`bandfold report`."""

import json

import pytest

from .conftest import check_failure


@pytest.fixture
def stream(run, scene, tmp_path):
    assert run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--strip-lines", 8).status == 0
    return tmp_path / "a.bf"


def test_a_page_with_a_reference(run, tmp_path, scene, stream):
    result = run("report", "a.bf", "--reference", "scene.hdr", "-o", "a.html", "--json")
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert report["bytes"] == len(page.encode())
    assert (report["pixels"], report["bands"], report["damage"]) == (1, 1, [])
    run("decode", "a.bf", "-o", "again.hdr")
    compared = json.loads(run("compare", "scene.hdr", "again.hdr", "--json").out)
    whole = report["comparison"]["whole"]
    # It compares a few lines at a time: sums of angles have another order.
    assert whole.pop("mean_sam") == pytest.approx(compared["whole"].pop("mean_sam"), rel=1e-12)
    assert whole == compared["whole"]
    assert f"{compared['whole']['psnr']:.2f} dB" in page
    assert "<title>Synthetic scene" in page
    assert "a.bf, written 20" in page


def test_a_damaged_stream_without_one(run, tmp_path, stream):
    data = bytearray(stream.read_bytes())
    data[-20] ^= 1
    stream.write_bytes(data)
    result = run("report", "a.bf", "-o", "a.html", "--colours", "3,2,1")
    assert result.status == 9
    assert result.out.startswith("a.html: ")
    assert result.err.startswith("warning: lines 16:24 are damaged: ")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "in colours (bands 3, 2, 1)" in page
    assert "1 of 3 strips are damaged or missing" in page


def test_tiles_go_with_the_page(run, tmp_path, scene, stream):
    arguments = ("a.bf", "--reference", "scene.hdr", "-o", "a.html", "--tiles", "a_tiles")
    for _ in range(2):
        report = json.loads(run("report", *arguments, "--json").out)
        written = list((tmp_path / "a_tiles").rglob("*.js"))
        assert report["tiles"] == {
            "folder": "a_tiles",
            "files": len(written),
            "bytes": sum(path.stat().st_size for path in written),
        }
    assert "a_tiles: " in run("report", *arguments).out
    assert '"folder":"a_tiles"' in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert json.loads(run("report", "a.bf", "-o", "b.html", "--json").out)["tiles"] is None


def test_failures_leave_nothing(run, monkeypatch, tmp_path, float_scene, stream):
    before = sorted(path.name for path in tmp_path.iterdir())
    for arguments, status, message in [
        (("no.bf",), 6, "no.bf"),
        (("a.bf", "--reference", "no.hdr"), 3, "no.hdr is not there"),
        (("a.bf", "--reference", "float.hdr"), 3, "name the scene that was encoded"),
        (("a.bf", "--colours", "1,2"), 2, "are not three bands from 0 to 39"),
        (("a.bf", "--colours", "1,2,40"), 2, "are not three bands"),
        (("a.bf", "--colours", "1,2,-3"), 2, "are not three bands"),
        (("a.bf", "--max-size", "much"), 2, "is no size"),
        (("a.bf", "--memory-limit", "1k"), 7, "--memory-limit"),
        (("a.bf", "--tiles", "t", "--max-tiles", "10k"), 2, "raise --max-tiles"),
        (("a.bf", "--tiles", "no/t"), 8, "cannot write no/t"),
        (("a.bf", "--tiles", "."), 2, "would lie in its own folder of tiles"),
        (("a.bf", "--tiles", "a.bf"), 8, "it is a file; name a folder"),
        (("a.bf", "--tiles", "t", "--reference", "float.hdr"), 3, "name the scene that was encoded"),
    ]:
        check_failure(run("report", *arguments, "-o", "a.html"), status, message)
    for tiles in ((), ("--tiles", "t")):
        check_failure(run("report", "a.bf", "-o", "no/a.html", *tiles), 8, "cannot write no/a.html")
    monkeypatch.setattr("bandfold.cli.report.find_spec", lambda name: None)
    check_failure(run("report", "a.bf", "-o", "a.html"), 2, "pip install 'bandfold[report]'")
    assert sorted(path.name for path in tmp_path.iterdir()) == before
