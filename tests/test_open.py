"""bandfold.open reads a scene block by block, compressed or not."""

import numpy as np
import pytest

import bandfold
from bandfold.common.errors import SceneError, StreamError
from bandfold.formats.envi.writer import EnviWriter

CUBE = (np.arange(6 * 20 * 24, dtype=np.uint16) * 7 % 4000).reshape(6, 20, 24)
PART = (slice(1, 4), slice(5, 17))


def scene(path):
    """The scene as a file of the kind that its name says."""
    if path.suffix == ".bf":
        path.write_bytes(bandfold.Encoder(step=1 / 16, spectral="none").encode(CUBE))
    elif path.suffix == ".npy":
        np.save(path, CUBE)
    else:
        info = bandfold.ArraySource(CUBE).info
        with EnviWriter(path, info) as writer:
            writer.write(slice(0, 6), slice(0, 20), CUBE)
    return path


@pytest.mark.parametrize("name", ["scene.bf", "stream-without-suffix.npy.bf", "scene.npy", "scene.hdr"])
def test_any_file_is_a_scene(tmp_path, name):
    found = bandfold.open(scene(tmp_path / name))
    assert (found.info.bands, found.info.lines, found.info.samples) == CUBE.shape
    np.testing.assert_array_equal(found.read(*PART), CUBE[PART])


def test_a_stream_is_known_by_its_first_bytes(tmp_path):
    path = scene(tmp_path / "scene.bf").rename(tmp_path / "scene.npy")
    np.testing.assert_array_equal(bandfold.open(path, restore="off").read(*PART), CUBE[PART])


def test_what_is_opened_can_be_encoded(tmp_path):
    stream = bandfold.Encoder(step=2.0).encode(bandfold.open(scene(tmp_path / "scene.hdr")))
    assert stream == bandfold.Encoder(step=2.0).encode(CUBE)


def test_options_are_those_of_the_kind(tmp_path):
    assert bandfold.open(scene(tmp_path / "scene.npy"), no_data=3.0).info.no_data == 3.0
    with pytest.raises(TypeError):
        bandfold.open(scene(tmp_path / "scene.bf"), no_data=3.0)


@pytest.mark.parametrize("name", ["absent.hdr", "absent.bf", "."])
def test_what_is_no_scene_is_an_error_of_bandfold(tmp_path, name):
    with pytest.raises(bandfold.BandfoldError):
        bandfold.open(tmp_path / name)


def test_a_cut_stream_is_an_error_of_bandfold(tmp_path):
    path = scene(tmp_path / "scene.bf")
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(StreamError):
        bandfold.open(path)
    (tmp_path / "empty.hdr").write_bytes(b"")
    with pytest.raises(SceneError):
        bandfold.open(tmp_path / "empty.hdr")
