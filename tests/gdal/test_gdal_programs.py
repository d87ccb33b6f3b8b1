"""gdalinfo and gdal_translate of an installed GDAL read a stream: `make test-gdal`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bandfold.formats.opening import open_scene
from bandfold.ground import Decoder
from bandfold.ground.access.gdal_vrt import GDAL_SETTINGS, stream_to_vrt
from bandfold.onboard import Encoder
from bandfold.onboard.samples.samples import ArraySource
from bandfold.synthetic.scenes import SyntheticScene

pytestmark = pytest.mark.gdal

METADATA = {
    "wavelength": tuple(str(500 + 10 * band) for band in range(12)),
    "wavelength units": "nm",
    "map info": ("UTM", "1", "1", "500000", "4000000", "15", "15", "11", "North", "WGS-84"),
}


@pytest.fixture
def run(tmp_path):
    """Run a program of GDAL, which finds this Python and its packages."""
    program = Path(sys.executable).parent
    environment = {
        **os.environ,
        **GDAL_SETTINGS,
        "PATH": os.pathsep.join((str(program), os.environ["PATH"])),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }

    def call(*arguments):
        done = subprocess.run(
            [*map(str, arguments)], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_info_and_translate(tmp_path, run):
    cube = SyntheticScene(64, 80, 12, seed=1).read(slice(0, 12), slice(0, 64))
    stream = Encoder(step=4, strip_lines=16).encode(ArraySource(cube, metadata=METADATA))
    (tmp_path / "scene.bf").write_bytes(stream)
    whole = Decoder(stream).decode()
    stream_to_vrt(tmp_path / "scene.bf", tmp_path / "scene.vrt")
    about = json.loads(run("gdalinfo", "-json", "-mm", "scene.vrt"))
    assert about["size"] == [80, 64]
    assert about["geoTransform"] == [500000, 15, 0, 4000000, 0, -15]
    assert 'ID["EPSG",32611]' in about["coordinateSystem"]["wkt"]
    band = about["bands"][3]
    assert (band["description"], band["type"]) == ("530 nm", "UInt16")
    assert (band["computedMin"], band["computedMax"]) == (whole[3].min(), whole[3].max())
    run("gdal_translate", "-q", "-b", "9", "-b", "2", "-srcwin", 10, 20, 50, 30, "scene.vrt", "part.tif")
    found = open_scene(tmp_path / "part.tif").read(slice(0, 2), slice(0, 30))
    np.testing.assert_array_equal(found, whole[[8, 1], 20:50, 10:60])
    run("gdal_translate", "-q", "-of", "ENVI", "scene.vrt", "whole.img")
    again = open_scene(tmp_path / "whole.hdr")
    np.testing.assert_array_equal(again.read(slice(0, 12), slice(0, 64)), whole)
