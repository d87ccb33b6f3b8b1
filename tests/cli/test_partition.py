"""`bandfold partition`."""

import json
import os

from .conftest import check_failure


def test_intervals_are_told_written_and_drawn(run, tmp_path, scene):
    result = run("partition", "scene.hdr", "--intervals", 3, "-o", "p.json", "--plot", "p.png")
    assert (result.status, result.err) == (0, "")
    ends = json.loads((tmp_path / "p.json").read_text())["ends"]
    assert len(ends) == 3
    assert ends == sorted(set(ends))
    assert ends[-1] == 40
    assert [line.split("  ")[0] for line in result.out.splitlines()] == [
        f"bands {first}:{last}" for first, last in zip([0, *ends], ends, strict=False)
    ]
    assert result.out.splitlines()[0].split("  ")[1].startswith("400 to ")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_report_as_json(run, scene):
    report = json.loads(run("partition", "scene.hdr", "--json").out)
    assert report["ends"][-1] == report["bands"] == 40


def test_float_scene_needs_no_scaling(run, float_scene):
    result = run("partition", "float.hdr", "--intervals", 2)
    assert result.status == 0
    assert len(result.out.splitlines()) == 2


def test_failures_leave_nothing(run, tmp_path, scene):
    before = sorted(os.listdir(tmp_path))
    check_failure(run("partition", "scene.hdr", "--intervals", 0), 2, "interval")
    check_failure(run("partition", "scene.hdr", "--intervals", 41), 2, "interval")
    check_failure(run("partition", "no.hdr"), 3, "no.hdr is not there")
    check_failure(run("partition", "scene.hdr", "-o", "no/p.json"), 8, "cannot write no/p.json")
    assert sorted(os.listdir(tmp_path)) == before
