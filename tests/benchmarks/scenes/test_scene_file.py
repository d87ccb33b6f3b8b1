"""Scenes of any format as the integers that codecs see."""

import numpy as np
import pytest

from bandfold.benchmarks.scenes.scene_file import read_any_scene, read_scene
from bandfold.common.errors import SceneError
from bandfold.common.scene import Scaling
from bandfold.formats.envi.writer import write_envi
from bandfold.onboard.samples.samples import ArraySource


def test_any_format_gives_the_samples_and_the_wavelengths(tmp_path, cube):
    metadata = {"wavelength": tuple(f"{400 + 10 * band}" for band in range(len(cube)))}
    write_envi(tmp_path / "scene.hdr", cube, ArraySource(cube, metadata=metadata).info)
    found, fields = read_any_scene(tmp_path / "scene.hdr")
    assert (found == cube).all()
    assert len(fields["wavelength"]) == len(cube)
    np.save(tmp_path / "scene.npy", cube)
    assert (read_any_scene(tmp_path / "scene.npy")[0] == cube).all()


def test_floats_become_counts_as_in_envi_scenes(tmp_path, cube):
    floats = (cube / 7000).astype(np.float32)
    write_envi(tmp_path / "scene.hdr", floats, ArraySource(floats, scaling=Scaling(1.0)).info)
    np.save(tmp_path / "scene.npy", floats)
    counts = read_any_scene(tmp_path / "scene.npy")[0]
    assert counts.dtype.itemsize == 2
    assert (counts == read_scene(tmp_path / "scene.hdr")).all()
    assert np.corrcoef(counts.ravel(), floats.ravel())[0, 1] > 0.9999
    floats[0, 0, 0] = np.nan
    np.save(tmp_path / "scene.npy", floats)
    with pytest.raises(SceneError, match="NaN"):
        read_any_scene(tmp_path / "scene.npy")
