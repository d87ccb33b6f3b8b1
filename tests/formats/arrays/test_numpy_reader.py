"""NumPy's files as other programs write them."""

import numpy as np
import pytest

from bandfold.formats.arrays.numpy_reader import MappedArray
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions

from ..conftest import CUBE, WAVELENGTHS, check, read_whole


@pytest.mark.parametrize(
    ("axes", "given", "interleave"),
    [((0, 1, 2), None, "bsq"), ((1, 0, 2), "1", "bil"), ((1, 2, 0), "-1", "bip"), ((1, 2, 0), "2", "bip")],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(tmp_path, axes, given, interleave, order):
    np.save(tmp_path / "a.npy", np.asarray(CUBE.transpose(axes), order=order))
    source = open_scene(tmp_path / "a.npy", SceneOptions(band_axis=given))
    assert source.info.interleave == interleave
    check(source)


def test_npy_of_the_other_byte_order_and_of_two_axes(tmp_path):
    np.save(tmp_path / "a.npy", CUBE.astype(">u2"))
    source = open_scene(tmp_path / "a.npy", SceneOptions())
    assert (source.info.byte_order, source.info.dtype) == ("big", np.dtype("uint16"))
    check(source)
    np.save(tmp_path / "a.npy", CUBE[4])
    np.testing.assert_array_equal(read_whole(open_scene(tmp_path / "a.npy", SceneOptions())), CUBE[4:5])
    np.save(tmp_path / "a.npy", CUBE[None, :, :, :])
    np.testing.assert_array_equal(
        read_whole(open_scene(tmp_path / "a.npy", SceneOptions(band_axis="1"))), CUBE
    )
    np.testing.assert_array_equal(read_whole(open_scene(tmp_path / "a.npy", SceneOptions())), CUBE)
    np.save(tmp_path / "a.npy", CUBE[:1])
    np.testing.assert_array_equal(read_whole(open_scene(tmp_path / "a.npy", SceneOptions())), CUBE[:1])


def test_pixels_stored_one_by_one_are_suspected(tmp_path):
    pixels = np.zeros((30, 20, 9), np.uint16)
    path = tmp_path / "a.npy"
    np.save(path, pixels)
    source = open_scene(path, SceneOptions())
    assert source.info.shape == (30, 20, 9)
    assert [note.partition(":")[0] for note in source.notes] == [
        "the first of the axes (30, 20, 9) is taken for the bands"
    ]
    for axis in ("0", "2"):
        assert open_scene(path, SceneOptions(band_axis=axis)).notes == ()
    np.save(path, pixels.transpose(2, 0, 1))
    assert open_scene(path, SceneOptions()).notes == ()


def test_wavelengths_tell_the_axis_before_the_habit_of_the_format(tmp_path):
    np.savez(tmp_path / "a.npz", cube=CUBE.transpose(1, 2, 0), wavelengths=WAVELENGTHS)
    check(open_scene(tmp_path / "a.npz", SceneOptions()))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path, save):
    save(
        tmp_path / "a.npz",
        data=CUBE,
        gt=np.zeros((3, 3), int),
        wavelengths=WAVELENGTHS,
        words=np.array(["a"]),
    )
    source = open_scene(tmp_path / "a.npz", SceneOptions())
    assert source.info.metadata["wavelength"] == tuple(f"{number:.1f}" for number in WAVELENGTHS)
    assert source.info.metadata["variable name"] == "data"
    check(source)
    # An archive larger than memory can be read where it is not compressed.
    assert isinstance(source._data, MappedArray) == (save is np.savez)
