"""HDF5 files as other programs write them."""

import pytest

from bandfold.common.errors import SceneError
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions

from ..conftest import CUBE, WAVELENGTHS, check

h5py = pytest.importorskip("h5py")


def test_hdf5(tmp_path):
    path = tmp_path / "a.he5"
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "swath/data/cube", data=CUBE.transpose(1, 0, 2), chunks=(4, 3, 5), compression="gzip"
        )
        file["swath/cube"] = CUBE[:2]
        file["swath/text"] = "words"
    with pytest.raises(
        SceneError, match=r"several arrays: name one with --variable: swath/cube .* swath/data/cube"
    ):
        open_scene(path, SceneOptions())
    with pytest.raises(SceneError, match="is there several times"):
        open_scene(path, SceneOptions("cube"))
    with pytest.raises(SceneError, match=r"'other' of .* is not there"):
        open_scene(path, SceneOptions("other"))
    with pytest.raises(SceneError, match=r"does not tell which of its axes .* --band-axis"):
        open_scene(path, SceneOptions("swath/data/cube"))
    with pytest.raises(SceneError, match="has no axis '3'"):
        open_scene(path, SceneOptions("swath/data/cube", "3"))
    with pytest.raises(SceneError, match=r"2 dimensions|holds no integers"):
        open_scene(path, SceneOptions("swath/text"))
    source = open_scene(path, SceneOptions("/swath/data/cube", "1"))
    assert source.info.interleave == "bil"
    check(source)


def test_hdf5_whose_axes_are_named_or_told_by_wavelengths(tmp_path):
    with h5py.File(tmp_path / "named.h5", "w") as file:
        cube = file.create_dataset("cube", data=CUBE.transpose(2, 1, 0))
        for axis, name in enumerate(("x", "y", "band")):
            cube.dims[axis].label = name
    check(open_scene(tmp_path / "named.h5", SceneOptions()))
    check(open_scene(tmp_path / "named.h5", SceneOptions(band_axis="band")))
    with h5py.File(tmp_path / "told.h5", "w") as file:
        file["cube"] = CUBE.transpose(1, 0, 2)
        file["meta/Wavelength"] = WAVELENGTHS
    check(open_scene(tmp_path / "told.h5", SceneOptions()))
