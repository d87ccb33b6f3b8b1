"""GeoTIFF as other programs write it."""

import numpy as np
import pytest

from bandfold.common.errors import SceneError
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions

from ..conftest import BANDS, CUBE, LINES, SAMPLES, WAVELENGTHS, check

rasterio = pytest.importorskip("rasterio")


def test_geotiff_of_other_programs(tmp_path):
    profile = {"driver": "GTiff", "dtype": "uint16", "count": BANDS, "width": SAMPLES, "height": LINES}
    place = {"crs": "EPSG:4326", "transform": rasterio.Affine.from_gdal(8, 0.5, 0, 50, 0, -0.25)}
    with rasterio.open(
        tmp_path / "a.tif", "w", **profile, **place, tiled=True, blockxsize=16, blockysize=16
    ) as file:
        file.write(CUBE)
        for band in range(BANDS):
            file.update_tags(band + 1, wavelength=str(WAVELENGTHS[band]), wavelength_units="Nanometers")
            file.set_band_description(band + 1, f"{WAVELENGTHS[band]} Nanometers")
    source = open_scene(tmp_path / "a.tif", SceneOptions())
    metadata = source.info.metadata
    assert (metadata["wavelength"][1], metadata["wavelength units"]) == ("462.5", "Nanometers")
    assert metadata["band names"][1] == "462.5 Nanometers"
    assert metadata["map info"] == (
        *("Geographic Lat/Lon", "1", "1", "8", "50", "0.5", "0.25"),
        *("WGS-84", "units=Degrees"),
    )
    check(source)
    with pytest.raises(SceneError, match="leave out --band-axis"):
        open_scene(tmp_path / "a.tif", SceneOptions(band_axis="0"))


@pytest.mark.parametrize("what", ["mask", "alpha", "no data", "nothing"])
def test_a_mask_that_is_not_carried_is_told(tmp_path, what):
    bands = 4 if what == "alpha" else 5
    profile = {"driver": "GTiff", "dtype": "uint8", "count": bands, "width": 5, "height": 6}
    profile["transform"] = rasterio.Affine.from_gdal(8, 0.5, 0, 50, 0, -0.25)
    profile |= {"alpha": {"alpha": "yes", "photometric": "RGB"}, "no data": {"nodata": 0}}.get(what, {})
    with rasterio.open(tmp_path / "a.tif", "w", **profile) as file:
        file.write(np.ones((bands, 6, 5), np.uint8))
        if what == "mask":
            file.write_mask(np.eye(6, 5, dtype=np.uint8) * 255)
    notes = open_scene(tmp_path / "a.tif", SceneOptions()).notes
    said = {"mask": "the mask is not carried", "alpha": "the alpha band is coded as a band"}.get(what)
    assert [one.partition(":")[0] for one in notes] == ([said] if said else [])
