"""NetCDF files as other programs write them."""

import numpy as np
import pytest

from bandfold.common.scene import Scaling
from bandfold.formats.georeference import read_georeference
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions

from ..conftest import BANDS, CUBE, LINES, SAMPLES, WAVELENGTHS, check

xarray = pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")
pytest.importorskip("scipy")


def test_netcdf_with_groups(tmp_path):
    """Laid out as granules of EMIT are: axes downtrack, crosstrack, bands; wavelengths in a group."""
    radiance = xarray.DataArray(
        CUBE.astype(np.float32).transpose(1, 2, 0) / 100,
        dims=("downtrack", "crosstrack", "bands"),
        attrs={"units": "uW/cm^2/SR/nm", "_FillValue": np.float32(-9999)},
    )
    parameters = xarray.Dataset(
        {
            "wavelengths": ("bands", WAVELENGTHS, {"units": "nm"}),
            "fwhm": ("bands", np.full(BANDS, 8.4, np.float32)),
            "good_wavelengths": ("bands", np.array([1, 1, 0, *[1] * (BANDS - 3)], np.float32)),
        }
    )
    path = tmp_path / "a.nc"
    xarray.Dataset({"radiance": radiance}, attrs={"title": "A granule"}).to_netcdf(path, engine="h5netcdf")
    parameters.to_netcdf(path, engine="h5netcdf", mode="a", group="sensor_band_parameters")
    source = open_scene(path, SceneOptions(scaling=Scaling(0.01)))
    info = source.info
    assert (info.interleave, info.no_data, info.dtype) == ("bip", -9999, np.dtype("float32"))
    assert info.metadata == {
        "description": "A granule",
        "data units": "uW/cm^2/SR/nm",
        "variable name": "radiance",
        "wavelength": tuple(f"{number:.1f}" for number in WAVELENGTHS),
        "wavelength units": "Nanometers",
        "fwhm": ("8.4",) * BANDS,
        "bbl": ("1", "1", "0", *["1"] * (BANDS - 3)),
    }
    check(source, CUBE.astype(np.float32) / 100)


def test_netcdf_3_packed_on_a_grid(tmp_path):
    packed = xarray.Dataset(
        {
            "reflectance": (
                ("wavelength", "lat", "lon"),
                CUBE.astype(np.int16),
                {"scale_factor": 0.0001, "add_offset": 0.5, "_FillValue": np.int16(-1)},
            )
        },
        {
            "wavelength": ("wavelength", WAVELENGTHS / 1000, {"units": "um"}),
            "lat": ("lat", 50 - 0.25 * np.arange(LINES), {"units": "degrees_north"}),
            "lon": ("lon", 8 + 0.5 * np.arange(SAMPLES), {"units": "degrees_east"}),
        },
    )
    packed.to_netcdf(tmp_path / "a.nc", engine="scipy")
    source = open_scene(tmp_path / "a.nc", SceneOptions())
    info = source.info
    assert (info.dtype, info.no_data, info.metadata["data gain values"][3]) == (
        np.dtype("int16"),
        -1,
        "0.0001",
    )
    assert info.metadata["data offset values"] == ("0.5",) * BANDS
    assert info.metadata["wavelength units"] == "Micrometers"
    place = read_georeference(info.metadata)
    assert place.crs.to_epsg() == 4326
    np.testing.assert_allclose(place.transform, (7.75, 0.5, 0, 50.125, 0, -0.25))
    check(source, CUBE.astype(np.int16))
