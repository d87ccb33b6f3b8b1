"""EMIT and AVIRIS-3: NetCDF with groups."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from bandfold.formats.georeference import read_georeference
from bandfold.formats.opening import open_scene
from bandfold.formats.tie_points import read_tie_points

from .conftest import BANDS, LINES, SAMPLES, numbers, read

h5netcdf = pytest.importorskip("h5netcdf")
pytest.importorskip("xarray")
pytest.importorskip("pyproj")


def write_emit(path, level, counts, wavelengths, grids):
    """Level 1B holds radiance, level 2A reflectance and a list of good bands."""
    name = {"L1B": "radiance", "L2A": "reflectance"}[level]
    scene = (counts.transpose(1, 2, 0) / 1000).astype(np.float32)
    scene[4, 3:9] = -9999
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {
            "downtrack": LINES,
            "crosstrack": SAMPLES,
            "bands": BANDS,
            "ortho_y": 80,
            "ortho_x": 40,
        }
        file.attrs.update(title=f"EMIT {level}", geotransform=np.array([11.5, 5e-4, 0, 48.3, 0, -5e-4]))
        cube = file.create_variable(
            name,
            ("downtrack", "crosstrack", "bands"),
            np.float32,
            fillvalue=np.float32(-9999),
            chunks=(32, SAMPLES, 4),
            compression="gzip",
        )
        cube[...] = scene
        cube.attrs["units"] = "uW/cm^2/SR/nm" if level == "L1B" else "unitless"
        bands = file.create_group("sensor_band_parameters")
        bands.create_variable("wavelengths", ("bands",), data=wavelengths.astype(np.float32)).attrs[
            "units"
        ] = "nm"
        bands.create_variable("fwhm", ("bands",), data=np.full(BANDS, 8.5, np.float32))
        if level == "L2A":
            good = np.ones(BANDS, np.float32)
            good[5] = 0
            bands.create_variable("good_wavelengths", ("bands",), data=good)
        place = file.create_group("location")
        for key, grid in (("lon", grids[0]), ("lat", grids[1]), ("elev", grids[0] * 9)):
            place.create_variable(key, ("downtrack", "crosstrack"), data=grid, fillvalue=-9999.0)
        for key in ("glt_x", "glt_y"):
            place.create_variable(key, ("ortho_y", "ortho_x"), data=np.ones((80, 40), np.int32))
    return scene.transpose(2, 0, 1)


@pytest.mark.parametrize("level", ["L1B", "L2A"])
def test_emit(tmp_path, counts, wavelengths, grids, level):
    path = tmp_path / f"EMIT_{level}.nc"
    cube = write_emit(path, level, counts, wavelengths, grids)
    source = open_scene(path)
    np.testing.assert_array_equal(read(source), cube)
    metadata = source.info.metadata
    assert source.info.no_data == -9999
    np.testing.assert_allclose(numbers(source, "wavelength"), wavelengths, rtol=1e-6)
    assert metadata["wavelength units"] == "Nanometers"
    assert (numbers(source, "fwhm") == 8.5).all()
    assert ("bbl" in metadata) == (level == "L2A")
    # The grid of the orthorectified image is not that of the swath.
    assert "map info" not in metadata
    points = read_tie_points(metadata)
    assert {(one.line, one.sample) for one in points} >= {(0, 0), (64, 0), (LINES - 1, SAMPLES - 1)}
    for one in points:
        place = int(one.line), int(one.sample)
        np.testing.assert_allclose(
            (one.longitude, one.latitude), (grids[0][place], grids[1][place]), atol=1e-6
        )
    told, dropped = source.notes
    assert f"{len(points)} tie points" in told
    assert dropped.endswith(": location/glt_x, location/glt_y, location/elev")
    assert "lat" not in dropped.replace("location", "")


def test_whole_grids_are_kept_as_the_document_says(run, tmp_path, counts, wavelengths, grids):
    write_emit(tmp_path / "EMIT.nc", "L1B", counts, wavelengths, grids)
    assert run("encode", "EMIT.nc", "-o", "EMIT.bf", "--psnr", 70).status == 0
    assert run("decode", "EMIT.bf", "-o", "decoded.nc").status == 0
    text = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()
    (code,) = re.findall(r"```python\n(import xarray\n.*?)```", text, re.DOTALL)
    exec(code, {})
    with h5netcdf.File(tmp_path / "EMIT.nc") as first, h5netcdf.File(tmp_path / "decoded.nc") as again:
        for key in ("lon", "lat", "elev", "glt_x", "glt_y"):
            np.testing.assert_array_equal(again["location"][key][...], first["location"][key][...])
    np.testing.assert_array_equal(read(open_scene(tmp_path / "decoded.nc")).shape, (BANDS, LINES, SAMPLES))


def test_lookup_tables_are_told_of_many_arrays_too(tmp_path, counts, wavelengths, grids):
    path = tmp_path / "EMIT.nc"
    write_emit(path, "L1B", counts, wavelengths, grids)
    with h5netcdf.File(path, "a") as file:
        for number in range(9):
            file.create_variable(f"a{number}", ("downtrack", "crosstrack"), data=grids[0])
    assert ": location/glt_x, location/glt_y, a0, a1, a2, a3 and 6 others" in open_scene(path).notes[1]


def test_one_command_and_what_comes_back(run, tmp_path, counts, wavelengths, grids):
    cube = write_emit(tmp_path / "a.nc", "L2A", counts, wavelengths, grids)
    result = run("encode", "a.nc", "-o", "a.bf", "--psnr", 70, "--json")
    assert result.status == 0
    assert any("not carried" in note for note in json.loads(result.out)["notes"])
    assert "warning: not carried, keep the file for them: location/glt_x" in result.err
    for name in ("a.hdr", "a.tif", "b.nc"):
        assert run("decode", "a.bf", "-o", name).status == 0
        again = open_scene(tmp_path / name)
        assert read_tie_points(again.info.metadata) == read_tie_points(
            open_scene(tmp_path / "a.nc").info.metadata
        )
        np.testing.assert_array_equal(read(again) == -9999, cube == -9999)
        # A stream is compared as it is, and decoded files alike.
        compared = [
            json.loads(run("compare", "a.nc", other, "--json").out)["whole"] for other in (name, "a.bf")
        ]
        assert compared[0] == compared[1]
        assert compared[0]["count"] == (cube != -9999).sum()
    assert run("report", "a.bf", "--reference", "a.nc", "-o", "a.html").status == 0
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(tmp_path / "a.tif") as file:
        first = file.gcps[0][0]
        assert (first.row, first.col) == (0.5, 0.5)
        np.testing.assert_allclose((first.x, first.y), (grids[0][0, 0], grids[1][0, 0]), atol=1e-6)


@pytest.mark.parametrize(("level", "group"), [("L1B", "radiance"), ("L2A", "reflectance")])
def test_aviris_3_has_its_grid_mapping_in_the_root(tmp_path, counts, wavelengths, level, group):
    from pyproj import CRS

    path = tmp_path / f"AV320230101t000000_{level}.nc"
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"northing": LINES, "easting": SAMPLES}
        mapping = file.create_variable("transverse_mercator", (), np.int32, data=0)
        mapping.attrs["crs_wkt"] = CRS.from_epsg(32611).to_wkt()
        mapping.attrs["GeoTransform"] = "500000.0 3.1 0 3800000.0 0 -3.1"
        file.create_variable("northing", ("northing",), data=3800000 - 3.1 * (np.arange(LINES) + 0.5))
        file.create_variable("easting", ("easting",), data=500000 + 3.1 * (np.arange(SAMPLES) + 0.5))
        inside = file.create_group(group)
        inside.dimensions = {"wavelength": BANDS}
        cube = inside.create_variable(
            group,
            ("wavelength", "northing", "easting"),
            np.float32,
            fillvalue=np.float32(-9999),
            chunks=(4, 32, 16),
            compression="gzip",
        )
        cube[...] = counts / 1000
        cube.attrs["grid_mapping"] = "transverse_mercator"
        inside.create_variable("wavelength", ("wavelength",), data=wavelengths).attrs["units"] = "nm"
        inside.create_variable("fwhm", ("wavelength",), data=np.full(BANDS, 7.4)).attrs["units"] = "nm"
    source = open_scene(path)
    np.testing.assert_array_equal(read(source), (counts / 1000).astype(np.float32))
    place = read_georeference(source.info.metadata)
    assert place.crs.to_epsg() == 32611
    assert place.transform == (500000, 3.1, 0, 3800000, 0, -3.1)
    assert source.info.metadata["map info"][0] == "UTM"
    np.testing.assert_allclose(numbers(source, "wavelength"), wavelengths)
    assert (source.info.no_data, len(source.info.metadata["fwhm"])) == (-9999, BANDS)
    assert source.notes == ()
