"""Streams as virtual rasters, read with the GDAL of rasterio."""

import warnings

import numpy as np
import pytest

from bandfold.common.errors import OutputError
from bandfold.ground import Decoder
from bandfold.ground.access.gdal_vrt import GDAL_SETTINGS, stream_to_vrt
from bandfold.ground.access.strip_reader import ReaderOptions
from bandfold.onboard import Encoder
from bandfold.onboard.samples.samples import ArraySource

rasterio = pytest.importorskip("rasterio")
pytest.importorskip("pyproj")

from rasterio.shutil import copy  # noqa: E402
from rasterio.windows import Window  # noqa: E402

from ..streams import BANDS, LINES, SAMPLES, STRIP, scene  # noqa: E402

METADATA = {
    "wavelength": tuple(str(500 + 100 * band) for band in range(BANDS)),
    "fwhm": tuple(str(9 + band) for band in range(BANDS)),
    "wavelength units": "nm",
    "map info": ("UTM", "1", "1", "500000", "4000000", "15", "15", "11", "North", "WGS-84"),
    "sensor type": "a < b & c",
}


@pytest.fixture
def written(tmp_path):
    """A virtual raster, and what it should give."""

    def write(cube, options=None, name="a scene.bf", **source):
        source = {"metadata": METADATA, **source}
        stream = Encoder(step=10.0, strip_lines=STRIP).encode(ArraySource(cube, **source))
        (tmp_path / name).write_bytes(stream)
        stream_to_vrt(tmp_path / name, tmp_path / "scene.vrt", options)
        restore = "auto" if options is None else options.restore
        return tmp_path / "scene.vrt", Decoder(stream, restore=restore).decode()

    return write


@pytest.fixture(autouse=True)
def settings():
    with rasterio.Env(**GDAL_SETTINGS):
        yield


def test_pixels_wavelengths_and_georeference(written):
    cube = scene()
    cube[:, 3, 4:9] = -99
    path, whole = written(cube, no_data=-99.0)
    with rasterio.open(path) as found:
        np.testing.assert_array_equal(found.read(), whole)
        assert (found.count, found.height, found.width) == whole.shape
        assert found.dtypes == ("int16",) * BANDS
        assert found.nodata == -99
        assert found.crs.to_epsg() == 32611
        assert found.transform.to_gdal() == (500000, 15, 0, 4000000, 0, -15)
        assert found.descriptions[2] == "700 nm"
        assert found.tags(3, ns="IMAGERY") == {"CENTRAL_WAVELENGTH_UM": "0.7", "FWHM_UM": "0.011"}
        assert found.tags(ns="ENVI")["sensor_type"] == "a < b & c"
        assert not found.read_masks(1)[3, 4:9].any()


def test_windows_and_overviews(written):
    path, whole = written(scene())
    with rasterio.open(path) as found:
        window = Window(3, STRIP - 2, 11, 9)
        block = found.read([5, 2], window=window)
        np.testing.assert_array_equal(block, whole[[4, 1], STRIP - 2 : STRIP + 7, 3:14])
        small = found.read(1, out_shape=(LINES // 4, SAMPLES // 3))
    np.testing.assert_array_equal(small, whole[0, 2::4, 1::3])


def test_copied_to_other_formats_by_gdal(written, tmp_path):
    path, whole = written(scene(), ReaderOptions(restore="off", cache=0))
    copy(path, tmp_path / "copy.tif", driver="GTiff")
    with rasterio.open(tmp_path / "copy.tif") as found:
        np.testing.assert_array_equal(found.read(), whole)
        assert found.crs.to_epsg() == 32611


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "uint32", "int32", "float32", "float64"])
def test_types(written, dtype):
    cube = (scene() // 16).astype(dtype)
    path, whole = written(cube, ReaderOptions(restore="off"), metadata={})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path) as found:
            block = found.read()
    assert block.dtype == ("int16" if dtype == "int8" else dtype)
    np.testing.assert_array_equal(block, whole)


def test_a_stream_that_is_replaced_or_gone(written, tmp_path):
    path, first = written(scene())
    with rasterio.open(path) as found:
        np.testing.assert_array_equal(found.read(1), first[0])
    path, second = written(scene()[::-1])
    with rasterio.open(path) as found:
        np.testing.assert_array_equal(found.read(1), second[0])
    (tmp_path / "a scene.bf").unlink()
    with rasterio.open(path) as found, pytest.raises(rasterio.errors.RasterioError):
        found.read(1)


def test_nothing_is_run_without_the_settings(written):
    path, _ = written(scene())
    off = rasterio.Env(GDAL_VRT_ENABLE_PYTHON="NO")
    with off, rasterio.open(path) as found, pytest.raises(rasterio.errors.RasterioError):
        found.read(1)


def test_output_that_cannot_be_written(tmp_path):
    (tmp_path / "a.bf").write_bytes(Encoder(step=10.0).encode(scene()))
    with pytest.raises(OutputError, match="No such file"):
        stream_to_vrt(tmp_path / "a.bf", tmp_path / "no" / "a.vrt")
