"""Streams of low rates: decoded without trust, and told of by encoders where they are not."""

import numpy as np
import pytest

from bandfold.bitstream.container import stream_budget
from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.errors import MemoryLimitError
from bandfold.common.scene import SceneInfo
from bandfold.ground import Decoder
from bandfold.ground.synthesis import band_synthesis
from bandfold.ground.synthesis.band_synthesis import BandSynthesis
from bandfold.onboard import ArraySource, Encoder, StreamEncoder

from .streams import encode, scene


@pytest.fixture
def huge(monkeypatch):
    """As in a scene so large that what any stream may take does not matter."""
    monkeypatch.setattr(stream_budget, "LEAST_WORK", 1 << 12)


@pytest.mark.parametrize(
    ("rate", "settings"),
    [
        (0.002, {}),
        (0.002, {"stream": True}),
        (0.018, {"spectral": "none"}),
        (0.018, {"max_error": 400.0}),
        (0.005, {"model": "innovations"}),
    ],
)
def test_low_rates_need_no_trust(huge, rate, settings):
    cube = scene(bands=200, lines=192, samples=256)
    encoder = Encoder(bps=rate, **settings)
    stream = encoder.encode(cube)
    assert 8 * len(stream) / cube.size < 1.5 * rate
    assert not any("--trusted" in note for note in encoder.notes)
    assert sum(block.size for _, block in Decoder(stream).strips()) == cube.size


def test_low_rates_of_floats_with_absent_samples_need_no_trust(huge):
    cube = scene(bands=200, lines=192, samples=256).astype(np.float32) / 100
    cube[:, :, :9] = -1
    stream = Encoder(bps=0.004).encode(ArraySource(cube, no_data=-1.0))
    blocks = [block for _, block in Decoder(stream).strips()]
    assert all((block[:, :, :9] == -1).all() and (block[:, :, 9:] != -1).all() for block in blocks)


@pytest.mark.parametrize("settings", [{}, {"spectral": "none"}, {"stream": True}])
def test_encoders_tell_of_streams_that_need_trust(monkeypatch, settings):
    monkeypatch.setattr(stream_budget, "LEAST_WORK", 1 << 10)
    monkeypatch.setattr(stream_budget, "LEAST_MEMORY", 1 << 30)
    cube = np.full((64, 256, 256), 7, np.uint8)
    encoder = Encoder(step=8.0, **settings)
    stream = encoder.encode(cube)
    (note,) = (note for note in encoder.notes if "--trusted" in note)
    assert str(len(stream)) in note
    with pytest.raises(MemoryLimitError, match="--trusted"):
        list(Decoder(stream).strips())
    assert sum(block.size for _, block in Decoder(stream, trusted=True).strips()) == cube.size
    # With enough bytes nothing is told.
    encoder = Encoder(step=8.0, **settings)
    encoder.encode(scene())
    assert not encoder.notes


def test_strips_that_need_memory_are_told_of(monkeypatch):
    monkeypatch.setattr(stream_budget, "LEAST_MEMORY", 1 << 16)
    monkeypatch.setattr(stream_budget, "MEMORY_OF_BYTE", 1)
    cube = np.full((64, 64, 64), 7, np.uint8)
    sent = []
    encoder = StreamEncoder(ArraySource(cube).info, sent.append, step=8.0)
    encoder.push(cube.transpose(1, 0, 2))
    assert encoder.notes == ()
    encoder.flush()
    assert "--trusted" in encoder.notes[-1]
    with pytest.raises(MemoryLimitError):
        Decoder(b"".join(sent))


def test_what_restoring_takes_is_bounded_and_the_scene_decoded_all_the_same(monkeypatch):
    pytest.importorskip("onnxruntime")
    stream = encode(scene())
    assert not Decoder(stream).unrestored
    monkeypatch.setattr(stream_budget, "RESTORE_WORK", 1 << 30)
    left = Decoder(stream)
    assert (left.restoration, left.unrestored) == (None, True)
    np.testing.assert_array_equal(left.decode(), Decoder(stream, restore="off").decode())
    for options in ({"trusted": True}, {"restore": "restore"}):
        whole = Decoder(stream, **options)
        assert (whole.restoration, whole.unrestored) == ("restore", False)
    assert not Decoder(stream, restore="off").unrestored


def test_only_wanted_bands_are_made(monkeypatch):
    for settings in ({}, {"spectral": "none"}):
        decoder = Decoder(encode(scene(bands=40), **settings), restore="off")
        whole = decoder.decode()
        np.testing.assert_array_equal(decoder.decode(bands=slice(17, 29)), whole[17:29])


@pytest.mark.parametrize("live", [[0, 1, 2, 3, 4], [1, 3], [4], [0]])
@pytest.mark.parametrize("bands", [slice(0, 9), slice(3, 7), slice(8, 9)])
@pytest.mark.parametrize("tile", [8, 1 << 19])
def test_components_that_are_not_zero_give_what_all_give(monkeypatch, live, bands, tile):
    monkeypatch.setattr(band_synthesis, "TILE_BYTES", tile)
    rng = np.random.default_rng(5)
    vectors = [
        Vectors(np.rint(np.linalg.qr(rng.normal(size=(n, k)))[0] * 2**14).astype(np.int64), np.full(k, 14))
        for n, k in ((4, 3), (5, 2), (4, 4))
    ]
    fold = Fold(
        (4, 9),
        rng.integers(0, 500 * FRACTION, 9),
        first=tuple(vectors[:2]),
        merged=(3, 1),
        second=vectors[2],
    )
    planes = rng.normal(0, 90, (5, 7, 21))
    planes[[number for number in range(5) if number not in live]] = 0
    inside, outside = fold.split
    first = np.empty((5, 7, 21))
    first[inside] = np.tensordot(fold.second.inverse, planes[:4], 1)
    first[outside] = planes[4:]
    parts = [
        np.tensordot(fold.first[0].inverse, first[:3], 1),
        np.tensordot(fold.first[1].inverse, first[3:], 1),
    ]
    expected = (np.concatenate(parts) + fold.means[:, None, None] / FRACTION)[bands]
    info = SceneInfo(9, 7, 21, np.dtype(np.int16))
    found = BandSynthesis(fold, np.array(live), bands).counts(planes[live], info)
    np.testing.assert_array_equal(found, np.rint(expected))
    assert found.dtype == np.int16
