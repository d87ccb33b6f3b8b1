"""The georeference in header fields: read as GDAL reads it, and written so that it comes back."""

import numpy as np
import pytest

from bandfold.formats.georeference import Georeference, read_georeference

rasterio = pytest.importorskip("rasterio")


@pytest.mark.parametrize(
    "info",
    [
        "UTM, 1, 1, 587012.5, 4141008.25, 15.5, 15.5, 11, North, WGS-84, units=Meters",
        "UTM, 1, 1, 587012.5, 4141008.25, 15.5, 15.5, 33, South, WGS-84, units=Meters, rotation=30",
        "Geographic Lat/Lon, 3.5, 2, 8.5, 50.25, 0.5, 0.25, WGS-84, units=Degrees",
        "UTM, 1, 1, 587012.5, 4141008.25, 15.5, 15.5, 11, North, North America 1983, units=Meters",
        "UTM, 1, 1, 587012.5, 4141008.25, 15.5, 10, 11, North, WGS-84, units=Meters, rotation=180",
        "UTM, 4, 3, 587012.5, 4141008.25, 15.5, 10, 11, North, WGS-84, units=Meters, rotation=-180.0",
        "UTM, 4, 3, 587012.5, 4141008.25, 15.5, 10, 11, North, WGS-84, units=Meters, rotation=25.5",
        "UTM, 4, 3, 587012.5, 4141008.25, 15.5, 10, 11, North, WGS-84, units=Meters, rotation=-90",
        "Arbitrary, 1, 1, 0, 0, 2, 2",
    ],
)
def test_map_info_means_what_gdal_reads_in_it(tmp_path, info):
    (tmp_path / "a.hdr").write_text(
        "ENVI\nsamples = 4\nlines = 3\nbands = 1\nheader offset = 0\ndata type = 1\ninterleave = bsq\n"
        f"byte order = 0\nmap info = {{{info}}}\n"
    )
    (tmp_path / "a.img").write_bytes(bytes(12))
    place = read_georeference({"map info": tuple(item.strip() for item in info.split(","))})
    with rasterio.open(tmp_path / "a.img") as file:
        np.testing.assert_allclose(place.transform, file.transform.to_gdal(), rtol=1e-12, atol=1e-9)
        if "Arbitrary" not in info:
            assert place.crs.to_epsg() == file.crs.to_epsg()


def test_georeference_of_every_kind_comes_back():
    from pyproj import CRS

    upright, turned = (10.0, 0.1, 0.0, 1 / 3, 0.0, -0.1), (1.5, 2.0, 0.25, 3.0, -0.25, -2.0)
    odd = CRS.from_proj4("+proj=laea +lat_0=12.25 +lon_0=-3 +ellps=GRS80 +units=m")
    for crs in (None, CRS.from_epsg(32733), CRS.from_epsg(3035), odd):
        for transform in (None, upright, turned):
            again = read_georeference(Georeference(crs, transform).fields())
            assert again.transform == transform
            assert again.crs == crs
    assert read_georeference({"map info": ("UTM", "1"), "crs": "nonsense"}) == Georeference()
    assert read_georeference({"map info": tuple("abcdefgh"), "geotransform": ("1", "b")}) == Georeference()


@pytest.mark.parametrize("rotation", ["", ", rotation=180", ", rotation=30", ", rotation=-75.5"])
@pytest.mark.parametrize("reference", ["1, 1", "3.5, 2"])
def test_a_crop_lies_where_gdal_puts_those_lines(tmp_path, rotation, reference):
    from bandfold.common.scene import SceneInfo
    from bandfold.formats.envi.writer import write_envi
    from bandfold.ground.access.scene_subset import ScenePart, subset_info

    text = f"UTM, {reference}, 587012.5, 4141008.25, 15.5, 10, 11, North, WGS-84, units=Meters{rotation}"
    metadata = {"map info": tuple(item.strip() for item in text.split(","))}
    info = SceneInfo(1, 9, 4, np.dtype("uint8"), metadata=metadata)
    cube = np.zeros((1, 9, 4), np.uint8)
    write_envi(tmp_path / "whole.hdr", cube, info)
    part = subset_info(info, ScenePart(slice(0, 1), slice(5, 8), slice(1, 4)))
    write_envi(tmp_path / "part.hdr", cube[:, 5:8, 1:4], part)
    with rasterio.open(tmp_path / "whole.img") as whole, rasterio.open(tmp_path / "part.img") as crop:
        for line, sample in ((0, 0), (2, 3), (1.5, 0.5)):
            place = np.array([sample, line, 1])
            there = np.reshape(whole.transform, (3, 3)) @ np.add(place, [1, 5, 0])
            here = np.reshape(crop.transform, (3, 3)) @ place
            np.testing.assert_allclose(here, there, rtol=0, atol=1e-6)
