"""The archive benchmark: an archive on so many workers, and what it prints."""

import json

import pytest
from click.testing import CliRunner

pytest.importorskip("distributed")

from bandfold.benchmarks import archive


def test_an_archive_is_decoded(tmp_path):
    streams = archive.write_archive(tmp_path, 2, (4, 16, 16))
    assert [path.name for path in streams] == ["scene-000.bf", "scene-001.bf"]
    assert streams[0].read_bytes() != streams[1].read_bytes()
    found = archive.measure(streams, tmp_path / "out", 1)
    assert 0 < found.processor <= found.wall * 1.5
    assert 50 << 20 < found.peak < 1 << 30
    assert (tmp_path / "out" / "scene-001.zarr").is_dir()


def test_figures(tmp_path, monkeypatch):
    def measure(streams, folder, workers):
        return archive.ArchiveTimes(workers, 9.0 / workers**0.5, 9.0, 8.0, 2.5, 1 << 28)

    monkeypatch.setattr(archive, "measure", measure)
    out = tmp_path / "archive.json"
    given = (
        "--scenes",
        "2",
        "--lines",
        "8",
        "--samples",
        "8",
        "--bands",
        "2",
        "--runs",
        "2",
        "--json",
        str(out),
    )
    done = CliRunner().invoke(archive.main, given)
    assert done.exit_code == 0, done.output
    assert done.output.count("1.41 times as fast; 2.00 if both workers had a core to themselves") == 2
    assert len(json.loads(out.read_text())["rounds"]) == 2
