"""Encoding to a file: the bytes of encoding in memory, wherever strips are kept, and no other file."""

import weakref

import pytest

from bandfold.common import spool
from bandfold.onboard import Encoder
from bandfold.onboard import encoder as encoder_module
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.synthetic.scenes import SyntheticScene

SCENE = SyntheticScene(72, 48, 24, seed=5).read(slice(0, 24), slice(0, 72))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "settings",
    [
        {"bps": 0.6},
        {"bps": 0.6, "effort": 1},
        {"psnr": 60.0},
        {"lossless": True},
        {"max_error": 4, "bps": 0.5},
        {"max_error": 4, "bps": 0.5, "layers": "base-first"},
        {"bps": 0.6, "stream": True},
    ],
)
def test_strips_in_a_file_make_the_same_stream(tmp_path, monkeypatch, settings, threads):
    encoder = Encoder(**settings, strip_lines=16, threads=threads)
    in_memory = encoder.encode(SCENE)
    notes = encoder.notes
    monkeypatch.setattr(spool, "HELD", 0)
    read = []
    monkeypatch.setattr(
        spool.Spool,
        "read",
        lambda self, *where, read_it=spool.Spool.read: read.append(1) or read_it(self, *where),
    )
    path = tmp_path / "out.bf"
    assert encoder.encode_to(SCENE, path) == len(in_memory)
    assert path.read_bytes() == in_memory
    assert encoder.notes == notes
    assert [one.name for one in tmp_path.iterdir()] == ["out.bf"]
    assert bool(read) != bool(settings.get("stream"))


@pytest.mark.parametrize("threads", [1, 2])
def test_nothing_stays_of_a_scene_that_is_interrupted(tmp_path, monkeypatch, threads):
    monkeypatch.setattr(spool, "HELD", 0)
    files = []

    def interrupt(stage, done):
        files.append(len(list(tmp_path.iterdir())))
        if stage == "code" and done == 1.0:
            raise KeyboardInterrupt

    encoder = Encoder(lossless=True, strip_lines=16, threads=threads, progress=interrupt)
    with pytest.raises(KeyboardInterrupt):
        encoder.encode_to(SCENE, tmp_path / "out.bf")
    # The part file, and that of the strips.
    assert max(files) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("settings", [{"step": 8}, {"lossless": True}])
def test_a_sample_is_gone_once_the_scene_is_coded(monkeypatch, settings):
    """It is as large as what a strip takes."""
    sampled, left = [], []

    def noted(*args, **kwargs):
        sample = sample_blocks(*args, **kwargs)
        sampled.append(weakref.ref(sample.blocks))
        return sample

    def progress(stage, done):
        if stage == "code":
            left.extend(one() for one in sampled)

    monkeypatch.setattr(encoder_module, "sample_blocks", noted)
    Encoder(strip_lines=16, effort=4, progress=progress, **settings).encode(SCENE)
    assert len(sampled) == 1
    assert left
    assert all(one is None for one in left)
