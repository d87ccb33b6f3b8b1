"""`bandfold decode` of several streams."""

import json

import numpy as np
import pytest

from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene

from .conftest import check_failure

distributed = pytest.importorskip("distributed")
pytest.importorskip("zarr")

BANDS, LINES, SAMPLES = 6, 16, 16


@pytest.fixture(scope="module")
def stream():
    return Encoder(step=8, strip_lines=8).encode(SyntheticScene(LINES, SAMPLES, BANDS, seed=1))


@pytest.fixture
def folder(tmp_path, stream):
    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / f"{name}.bf").write_bytes(stream)
    return tmp_path


@pytest.fixture(scope="module")
def scheduler():
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


def test_workers_of_its_own(run, folder, stream):
    result = run("decode", "in/a.bf", "-o", "out", "--workers", "1")
    assert (result.status, result.err) == (0, "")
    first, last = result.out.strip().split("\n")
    assert first.startswith("1/1 a.zarr: done, ")
    assert "out: 1 decoded, 0 there already, 0 failed" in last
    found = open_scene(folder / "out" / "a.zarr", SceneOptions())
    np.testing.assert_array_equal(found.read(slice(0, BANDS), slice(0, LINES)), Decoder(stream).decode())


def test_a_cluster_that_is_there(run, folder, scheduler, stream):
    base = ("decode", "in/a.bf", "in/b.bf", "in/c.bf", "--scheduler", scheduler, "-o", "out")
    report = json.loads(run(*base, "--json").out)
    assert (report["format"], report["done"], report["skipped"], report["failed"]) == ("zarr", 3, 0, 0)
    (folder / "in" / "b.bf").write_bytes(b"no stream")
    damaged = bytearray(stream)
    damaged[-3] ^= 0xFF
    (folder / "in" / "c.bf").write_bytes(damaged)
    result = run(*base)
    assert result.status == 10
    assert "1 decoded, 1 there already, 1 failed" in result.out
    warnings = result.err.strip().split("\n")
    assert len(warnings) == 2
    assert warnings[0].startswith("warning: c.bf: lines 8:16 are damaged: ")
    assert warnings[1].startswith("warning: b.bf failed: not a bandfold stream")
    (folder / "in" / "b.bf").write_bytes(stream)
    result = run(*base, "--to", "npy", "--lines", ":8", "--json")
    assert result.status == 0
    assert np.load(folder / "out" / "a.npy").shape == (BANDS, 8, SAMPLES)
    assert run(*base, "--to", "npy").status == 9


def test_what_is_refused(run, folder, monkeypatch):
    base = ("decode", "in/a.bf", "in/b.bf", "-o", "out")
    check_failure(run(*base, "--workers", "1", "--scheduler", "tcp://x"), 2, "give one of both")
    check_failure(run("decode", "in/a.bf", "in/a.bf", "-o", "out"), 2, "would both become a")
    check_failure(run("decode", "-o", "out"), 2, "Missing argument")
    monkeypatch.setattr("bandfold.ground.archive.dask_cluster.find_spec", lambda name: None)
    check_failure(run(*base), 2, "pip install 'bandfold[archive]'")
