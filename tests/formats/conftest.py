"""A scene with everything that travels: wavelengths, bad bands, no-data value, a map, odd fields."""

import numpy as np
import pytest

from bandfold.common.errors import SettingsError
from bandfold.common.scene import Scaling, SceneInfo
from bandfold.synthetic.scenes import SyntheticScene

BANDS, LINES, SAMPLES = 9, 20, 13

METADATA = {
    "description": "A field, made up",
    "wavelength units": "Nanometers",
    "wavelength": tuple(f"{400 + 61.25 * band:.2f}" for band in range(BANDS)),
    "fwhm": tuple(f"{9 + band / 4:.2f}" for band in range(BANDS)),
    "bbl": ("1", "1", "0", *["1"] * (BANDS - 3)),
    "band names": tuple(f"band {band}" for band in range(BANDS)),
    "default bands": ("5", "3", "1"),
    "sensor type": "synthetic",
    "my_own key": "kept too",
    "map info": (
        "UTM",
        "1",
        "1",
        "587012.5",
        "4141008.25",
        "15.5",
        "15.5",
        "11",
        "North",
        "WGS-84",
        "units=Meters",
    ),
    "crs": "EPSG:32611",
}
TRANSFORM = (587012.5, 15.5, 0.0, 4141008.25, 0.0, -15.5)


def make_cube(dtype, marker=None):
    dtype = np.dtype(dtype)
    cube = SyntheticScene(LINES, SAMPLES, BANDS, seed=3).read(slice(0, BANDS), slice(0, LINES))
    if dtype.kind == "f":
        cube = (cube / 20000 - 0.1).astype(dtype)
    elif dtype.itemsize == 1:
        cube = (cube.astype(int) // 200 - (40 if dtype.kind == "i" else 0)).clip(
            np.iinfo(dtype).min, np.iinfo(dtype).max
        )
    elif dtype.kind == "i":
        cube = cube.astype(int) - 3000
    cube = cube.astype(dtype)
    if marker is not None:
        cube[:, 4, 3:8] = marker
        cube[2, 9] = marker
    return cube


def make_info(dtype, marker=None, **changes):
    dtype = np.dtype(dtype)
    scaling = Scaling(1.0) if dtype.itemsize > 2 else None
    given = {"scaling": scaling, "no_data": marker, "metadata": METADATA}
    return SceneInfo(BANDS, LINES, SAMPLES, dtype, **{**given, **changes})


CUBE = make_cube("uint16")
WAVELENGTHS = np.linspace(400, 900, BANDS).astype(np.float32)


def read_whole(source):
    return source.read(slice(0, source.info.bands), slice(0, source.info.lines))


def check(source, cube=CUBE):
    np.testing.assert_array_equal(read_whole(source), cube)
    np.testing.assert_array_equal(source.read(slice(1, 4), slice(2, 9)), cube[1:4, 2:9])
    np.testing.assert_array_equal(source.read(slice(None), slice(2, None)), cube[:, 2:])
    assert source.read(slice(1, 1), slice(2, 9)).shape == (0, 7, cube.shape[2])
    with pytest.raises(SettingsError, match="are not a part of the scene"):
        source.read(slice(0, 1), slice(0, cube.shape[1] + 1))
