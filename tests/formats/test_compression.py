"""Compression within files: smaller, the same samples, and refused where a format has none."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio

from bandfold.common.errors import SettingsError
from bandfold.formats.compression import Compression
from bandfold.formats.file_formats import USUAL_SUFFIX
from bandfold.formats.opening import open_scene, open_writer
from bandfold.formats.scene_options import SceneOptions

from .conftest import BANDS, METADATA, SAMPLES, make_info, read_whole

LINES = 40


def smooth(dtype):
    line, sample, band = np.ogrid[0:LINES, 0:SAMPLES, 0:BANDS]
    return np.transpose(line + 2 * sample + 10 * band, (2, 0, 1)).astype(dtype)


def written(path, kind, cube, compression, metadata=METADATA):
    info = replace(make_info(cube.dtype), lines=LINES, metadata=metadata)
    with open_writer(kind, path, info, 16, None, compression) as writer:
        for start in range(0, LINES, 16):
            rows = slice(start, min(start + 16, LINES))
            writer.write(slice(0, BANDS), rows, cube[:, rows])
    return path


@pytest.mark.parametrize(
    ("kind", "compression"),
    [
        ("geotiff", Compression("deflate")),
        ("geotiff", Compression("deflate", 9)),
        ("geotiff", Compression("zstd", 3)),
        ("geotiff", Compression("lzw")),
        ("netcdf", Compression("deflate", 1)),
    ],
)
@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_samples_come_back_from_less_bytes(tmp_path, kind, compression, dtype):
    cube = smooth(dtype)
    packed = written(tmp_path / f"a{USUAL_SUFFIX[kind]}", kind, cube, compression)
    plain = written(tmp_path / f"b{USUAL_SUFFIX[kind]}", kind, cube, Compression())
    np.testing.assert_array_equal(read_whole(open_scene(packed, SceneOptions(for_coding=False))), cube)
    assert packed.stat().st_size < plain.stat().st_size
    if kind == "geotiff":
        with rasterio.open(packed) as file:
            assert file.compression.name.lower() == compression.method


@pytest.mark.parametrize(
    ("kind", "compression", "message"),
    [
        ("envi", Compression("deflate"), "envi is not compressed this way"),
        ("npy", Compression("zstd"), "npy is not compressed"),
        ("zarr", Compression("zstd"), "zarr is not compressed"),
        ("netcdf", Compression("zstd"), "netcdf has deflate"),
        ("geotiff", Compression("deflate", 10), "levels 1 to 9"),
        ("geotiff", Compression("lzw", 1), "has no levels"),
        ("geotiff", Compression("none", 1), "needs a method"),
    ],
)
def test_what_a_format_does_not_have_is_refused(kind, compression, message):
    with pytest.raises(SettingsError, match=message):
        compression.check(kind)


def test_bands_are_described_by_their_names_or_wavelengths(tmp_path):
    cube = smooth("uint16")
    path = written(tmp_path / "a.tif", "geotiff", cube, Compression())
    with rasterio.open(path) as file:
        assert file.descriptions == METADATA["band names"]
    unnamed = {key: value for key, value in METADATA.items() if key != "band names"}
    path = written(tmp_path / "b.tif", "geotiff", cube, Compression(), unnamed)
    with rasterio.open(path) as file:
        assert file.descriptions[0] == "400 nm"
        assert file.descriptions[1] == "461.25 nm"
    # They are no names when they are read again.
    assert "band names" not in open_scene(path).info.metadata
