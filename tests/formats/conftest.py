"""A scene with everything that travels: wavelengths, bad bands, no-data value, a map, odd fields."""

import numpy as np
import pytest

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


@pytest.fixture
def whole():
    """Read a whole scene."""

    def read(source):
        return source.read(slice(0, source.info.bands), slice(0, source.info.lines))

    return read
