"""`bandfold info`."""

import json

from .conftest import check_failure


def test_report(run, tmp_path, scene):
    assert run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--strip-lines", 16).status == 0
    result = run("info", "a.bf", "--json")
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    size = (tmp_path / "a.bf").stat().st_size
    assert report["stream"] == "a.bf"
    assert report["file_bytes"] == size == sum(report["bytes"].values())
    assert (report["bands"], report["lines"], report["samples"]) == (40, 24, 20)
    assert [segment["lines"] for segment in report["segments"]] == [[0, 16], [16, 24]]

    result = run("info", "a.bf")
    assert (result.status, result.err) == (0, "")
    assert "a.bf" in result.out
    for key in report:
        if key != "stream":
            assert key.replace("_", " ") in result.out
    assert str(size) in result.out
    assert "16, 24" in result.out


def test_failures(run, tmp_path):
    (tmp_path / "text.bf").write_text("no stream" * 99)
    for name in ("text.bf", "no.bf"):
        check_failure(run("info", name), 6, "")
