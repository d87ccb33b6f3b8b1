"""The first commands of the README, on files of any format."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from bandfold.formats.opening import open_scene
from bandfold.synthetic.scenes import SyntheticScene

README = Path(__file__).parents[2] / "README.md"
BANDS, LINES, SAMPLES = 12, 40, 32


def commands():
    """Words of the commands behind the installation."""
    block = re.search(r"^```sh\n(.+?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)[1]
    install, *others = block.strip().splitlines()
    assert install.startswith("pip install ")
    assert len(others) <= 3
    return [shlex.split(line, comments=True) for line in others]


def write(suffix, cube, path):
    """Write a scene as other programs do."""
    pixels = cube.transpose(1, 2, 0)
    if suffix == ".hdr":
        cube.tofile(path.with_suffix(".img"))
        path.write_text(
            f"ENVI\nsamples = {SAMPLES}\nlines = {LINES}\nbands = {BANDS}\ndata type = 12\n"
            "interleave = bsq\nbyte order = 0\n"
        )
    elif suffix == ".npy":
        np.save(path, cube)
    elif suffix == ".mat":
        pytest.importorskip("scipy.io").savemat(path, {"cube": pixels})
    elif suffix == ".h5":
        with pytest.importorskip("h5py").File(path, "w") as file:
            file["radiance"] = pixels
            file["wavelength"] = np.linspace(400, 900, BANDS)
    elif suffix == ".tif":
        rasterio = pytest.importorskip("rasterio")
        placed = rasterio.Affine(30, 0, 5e5, 0, -30, 4e6)
        options = {"driver": "GTiff", "count": BANDS, "height": LINES, "width": SAMPLES, "dtype": cube.dtype}
        with rasterio.open(path, "w", crs="EPSG:32611", transform=placed, **options) as file:
            file.write(cube)
    else:
        data = pytest.importorskip("xarray").Dataset({"radiance": (("y", "x", "wavelength"), pixels)})
        if suffix == ".nc":
            data.to_netcdf(path, engine="h5netcdf")
        else:
            data.to_zarr(path, zarr_format=2)


@pytest.mark.parametrize("suffix", [".hdr", ".tif", ".nc", ".h5", ".zarr", ".npy", ".mat"])
def test_a_scene_of_ones_own(run, tmp_path, suffix):
    if suffix == ".zarr":
        pytest.importorskip("zarr", minversion="3")
    cube = SyntheticScene(LINES, SAMPLES, BANDS, 3).read(slice(0, BANDS), slice(0, LINES))
    write(suffix, cube, tmp_path / f"SCENE{suffix}")
    assert f"`SCENE{suffix}`" in README.read_text(encoding="utf-8")
    for name, *words in commands():
        assert name == "bandfold"
        result = run(*(word.replace("SCENE.hdr", f"SCENE{suffix}") for word in words))
        assert (result.status, result.err) == (0, "")
    back = open_scene(tmp_path / "BACK.hdr").read(slice(0, BANDS), slice(0, LINES))
    assert np.abs(back.astype(int) - cube).mean() < 0.1 * cube.mean()
    assert (tmp_path / "SCENE.html").stat().st_size > 1_000_000
