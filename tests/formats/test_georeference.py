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
        np.testing.assert_allclose(place.transform, file.transform.to_gdal(), rtol=1e-12)
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
