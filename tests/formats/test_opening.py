"""Files that hold no scene."""

import numpy as np
import pytest

from bandfold.common.errors import SceneError
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions

from .conftest import CUBE

for library in ("rasterio", "h5py", "xarray", "scipy.io"):
    pytest.importorskip(library)


def test_what_cannot_be_read(tmp_path):
    for name in ("a.tif", "a.nc", "a.h5", "a.npy", "a.npz", "a.mat"):
        (tmp_path / name).write_bytes(b"nothing that anybody could read" * 9)
        with pytest.raises(SceneError, match="cannot read"):
            open_scene(tmp_path / name, SceneOptions())
        with pytest.raises(SceneError, match="is not there"):
            open_scene(tmp_path / f"no{name}", SceneOptions())
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(SceneError, match="cannot read"):
        open_scene(tmp_path / "a.zarr", SceneOptions())
    np.save(tmp_path / "a.npy", np.array([None, 1]))
    with pytest.raises(SceneError, match="cannot read"):
        open_scene(tmp_path / "a.npy", SceneOptions())
    np.save(tmp_path / "a.npy", CUBE.astype(np.int64))
    with pytest.raises(SceneError, match="int64 is not supported"):
        open_scene(tmp_path / "a.npy", SceneOptions())
    np.save(tmp_path / "a.npy", CUBE.astype(float))
    assert open_scene(tmp_path / "a.npy", SceneOptions()).info.scaling is None
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(SceneError, match="give bands, lines and samples"):
        open_scene(tmp_path / "a.npy", SceneOptions())
