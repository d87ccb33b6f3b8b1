"""Archives: many streams decoded on workers, some of which die."""

import os
import signal

import numpy as np
import pytest

from bandfold.common.errors import OutputError, SettingsError
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions
from bandfold.ground import Decoder
from bandfold.ground.access.decode_to_file import FileLayout
from bandfold.ground.archive.archive_decoding import Archive, decode_scene
from bandfold.ground.archive.archive_settings import ArchiveSettings, DecoderOptions
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene

distributed = pytest.importorskip("distributed")
pytest.importorskip("zarr")

from bandfold.ground.archive.dask_cluster import dask_client  # noqa: E402

BANDS, LINES, SAMPLES = 6, 24, 16


@pytest.fixture(scope="module")
def streams(tmp_path_factory):
    """Eight streams, every one of a scene of its own."""
    folder = tmp_path_factory.mktemp("archive")
    for number in range(8):
        scene = SyntheticScene(LINES, SAMPLES, BANDS, seed=number)
        Encoder(step=8, strip_lines=8).encode_to(scene, folder / f"scene-{number}.bf")
    return sorted(folder.glob("*.bf"))


def read(path):
    source = open_scene(path, SceneOptions())
    return source.read(slice(0, source.info.bands), slice(0, source.info.lines))


def states(outcomes):
    return [outcome.state for outcome in outcomes]


@pytest.fixture
def alone():
    """Decode an archive in this process, by the same function that workers run."""

    def decode(archive):
        with archive._own() as partial:
            return [
                decode_scene(stream, archive.output(stream), partial, archive.settings)
                for stream in archive.streams
            ]

    return decode


def test_workers_keep_the_memory_that_they_will_need_again():
    with dask_client(workers=1) as client:
        (kept,) = client.run(os.environ.get, "MALLOC_TRIM_THRESHOLD_").values()
        (threads,) = client.run(os.environ.get, "OPENBLAS_NUM_THREADS").values()
    assert int(kept) > 100 << 20
    # What Dask sets besides is left as it is.
    assert threads == "1"


def test_one_of_two_workers_is_killed(tmp_path, streams):
    archive = Archive(streams, tmp_path / "out")
    killed = []

    def told(outcome, count):
        # One that is at work, with most of the archive still to do.
        if count == 2 and not killed:
            pids = client.run(os.getpid)
            busy = [worker for worker, keys in client.processing().items() if keys]
            killed.append(pids[busy[0]])
            os.kill(killed[0], signal.SIGKILL)

    with dask_client(workers=2, memory_limit=1 << 30) as client:
        outcomes = archive.decode(client, told)
        assert killed[0] not in client.run(os.getpid).values()
    # What the killed worker had finished, but not handed over, is found done when it is the turn of another.
    assert set(states(outcomes)) <= {"done", "skipped"}
    assert states(outcomes).count("done") >= len(streams) // 2
    assert [outcome.stream for outcome in outcomes] == streams
    for stream, outcome in zip(streams, outcomes, strict=True):
        np.testing.assert_array_equal(read(outcome.output), Decoder(stream).decode())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        ".bandfold",
        *(f"scene-{number}.zarr" for number in range(8)),
    ]
    assert not (tmp_path / "out" / ".bandfold" / "partial").exists()


def test_what_is_there_is_skipped_once_it_is_verified(tmp_path, streams, alone):
    archive = Archive(streams[:4], tmp_path)
    assert states(alone(archive)) == ["done"] * 4
    assert states(alone(archive)) == ["skipped"] * 4
    # A damaged chunk, an output that is gone, a record that cannot be read.
    chunk = max(archive.output(streams[0]).rglob("c/*/*/*"), key=lambda path: path.stat().st_size)
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)
    archive.output(streams[1]).rename(tmp_path / "elsewhere")
    (tmp_path / ".bandfold" / "scene-2.zarr.json").write_text("{")
    assert states(alone(archive)) == ["done", "done", "done", "skipped"]
    np.testing.assert_array_equal(read(archive.output(streams[0])), Decoder(streams[0]).decode())
    # Other settings, another stream.
    part = Archive(streams[:4], tmp_path, ArchiveSettings(lines=(0, 8)))
    assert states(alone(part)) == ["done"] * 4
    assert read(part.output(streams[3])).shape == (BANDS, 8, SAMPLES)


@pytest.mark.parametrize("kind", ["envi", "npy", "netcdf", "geotiff"])
def test_every_format(tmp_path, streams, alone, kind):
    archive = Archive(streams[:2], tmp_path, ArchiveSettings(FileLayout(kind)))
    assert states(alone(archive)) == ["done"] * 2
    assert states(alone(archive)) == ["skipped"] * 2
    files = [path for path in tmp_path.iterdir() if path.name != ".bandfold"]
    assert len(files) == 2 * (2 if kind in ("envi", "npy") else 1)
    files[0].unlink()
    assert sorted(states(alone(archive))) == ["done", "skipped"]


def test_one_bad_file_does_not_stop_the_rest(tmp_path, streams, alone):
    bad, cut, damaged = (tmp_path / f"{name}.bf" for name in ("bad", "cut", "damaged"))
    bad.write_text("no stream")
    cut.write_bytes(streams[0].read_bytes()[:40])
    data = bytearray(streams[0].read_bytes())
    data[-3] ^= 0xFF
    damaged.write_bytes(data)
    given = [bad, streams[0], cut, tmp_path / "absent.bf", damaged, streams[1]]
    archive = Archive(given, tmp_path / "out")
    outcomes = alone(archive)
    assert states(outcomes) == ["failed", "done", "failed", "failed", "done", "done"]
    assert "signature" in outcomes[0].reason
    assert "cannot be read" in outcomes[3].reason
    assert [len(outcome.damage) for outcome in outcomes] == [0, 0, 0, 0, 1, 0]
    again = alone(archive)
    assert states(again) == ["failed", "skipped", "failed", "failed", "skipped", "skipped"]
    # Damage is not forgotten.
    assert again[4].damage == outcomes[4].damage
    limited = Archive(
        [streams[0]], tmp_path / "limited", ArchiveSettings(options=DecoderOptions(memory_limit=1000))
    )
    assert "memory" in alone(limited)[0].reason


def test_what_is_refused(tmp_path, streams, alone):
    with pytest.raises(SettingsError, match=r"would both become scene-0: decode"):
        Archive([streams[0], tmp_path / "scene-0.bf"], tmp_path)
    archive = Archive(streams[:1], tmp_path)
    with archive._own(), pytest.raises(OutputError, match="somebody else is decoding"):
        alone(archive)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        alone(Archive(streams[:1], tmp_path / "file"))
    with (
        pytest.raises(SettingsError, match="does not answer"),
        dask_client("tcp://127.0.0.1:1", timeout=0.2),
    ):
        pass


def test_what_was_left_behind_is_cleared_away(tmp_path, streams, alone):
    left = tmp_path / ".bandfold" / "partial"
    left.mkdir(parents=True)
    (left / ".bandfold-0123.part").touch()
    assert states(alone(Archive(streams[:1], tmp_path))) == ["done"]
    assert not left.exists()


def deadly(stream, *arguments):
    """Stands for a scene over which workers die."""
    if stream.stem == "scene-1":
        raise RuntimeError("all those workers died")
    return decode_scene(stream, *arguments)


def test_a_scene_that_kills_every_worker(tmp_path, streams, monkeypatch):
    monkeypatch.setattr("bandfold.ground.archive.archive_decoding.decode_scene", deadly)
    with (
        distributed.LocalCluster(
            n_workers=1, processes=False, dashboard_address=":0", silence_logs=50
        ) as cluster,
        dask_client(cluster.scheduler_address) as client,
    ):
        outcomes = Archive(streams[:3], tmp_path).decode(client)
    assert states(outcomes) == ["done", "failed", "done"]
    assert outcomes[1].reason == "all those workers died"
