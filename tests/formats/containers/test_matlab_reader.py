"""MATLAB's files, old and new."""

import numpy as np
import pytest

from bandfold.common.scene import Scaling
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions

from ..conftest import BANDS, CUBE, LINES, SAMPLES, WAVELENGTHS, check

h5py = pytest.importorskip("h5py")
scipy_io = pytest.importorskip("scipy.io")


@pytest.mark.parametrize("given", [None, "2", "-1"])
def test_matlab(tmp_path, given):
    content = {
        "cube": CUBE.transpose(1, 2, 0),
        "wavelength": WAVELENGTHS[None],
        "map": np.zeros((LINES, SAMPLES)),
    }
    scipy_io.savemat(tmp_path / "old.mat", content, do_compression=True)
    with h5py.File(tmp_path / "new.mat", "w") as file:
        for name, value in content.items():
            # MATLAB's order of axes, as it writes HDF5.
            file[name] = value.T
    for name in ("old.mat", "new.mat"):
        source = open_scene(tmp_path / name, SceneOptions(band_axis=given))
        assert (source.info.interleave, source.info.shape) == ("bip", CUBE.shape)
        assert len(source.info.metadata["wavelength"]) == BANDS
        check(source)
        named = open_scene(tmp_path / name, SceneOptions("map", scaling=Scaling(1.0)))
        assert named.info.shape == (1, LINES, SAMPLES)
