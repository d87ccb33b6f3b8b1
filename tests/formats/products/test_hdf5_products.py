"""PRISMA and Tanager: HDF-EOS, with lists of bands in attributes."""

import json

import numpy as np
import pytest

from bandfold.common.errors import SceneError
from bandfold.formats.georeference import read_georeference
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions
from bandfold.formats.tie_points import read_tie_points

from .conftest import BANDS, LINES, SAMPLES, numbers, read

h5py = pytest.importorskip("h5py")
pytest.importorskip("pyproj")

VNIR = 5
"""Bands of the first cube; the others belong to the second one."""


def write_prisma(path, level, counts, wavelengths, grids):
    """Bands in order of falling wavelength, lines x bands x samples; the last band of VNIR is not used."""
    cubes = {"VNIR": counts[:VNIR][::-1], "SWIR": counts[VNIR:][::-1]}
    lists = {"VNIR": wavelengths[:VNIR][::-1].copy(), "SWIR": wavelengths[VNIR:][::-1].copy()}
    lists["VNIR"][-1] = 0
    with h5py.File(path, "w") as file:
        swath = f"HDFEOS/SWATHS/PRS_L{level}_HCO"
        for name, cube in cubes.items():
            file.create_dataset(
                f"{swath}/Data Fields/{name}_Cube",
                data=cube.transpose(1, 0, 2),
                chunks=(16, 2, SAMPLES),
                compression=4,
            )
            file[f"{swath}/Data Fields/{name}_PIXEL_SAT_ERR_MATRIX"] = np.zeros(
                (LINES, len(cube), SAMPLES), np.uint8
            )
            title = name.title()
            file.attrs[f"List_Cw_{title}"] = lists[name].astype(np.float32)
            file.attrs[f"List_Fwhm_{title}"] = np.where(lists[name] > 0, 10 + np.arange(len(cube)), 0).astype(
                "f4"
            )
            file.attrs[f"List_Cw_{title}_Flags"] = (lists[name] > 0).astype(np.int8)
            if level == "1":
                file.attrs[f"ScaleFactor_{title}"] = np.float32(100 if name == "VNIR" else 400)
                file.attrs[f"Offset_{title}"] = np.float32(0 if name == "VNIR" else 2)
                file[f"{swath}/Geolocation Fields/Latitude_{name}"] = grids[1].astype(np.float32)
                file[f"{swath}/Geolocation Fields/Longitude_{name}"] = grids[0].astype(np.float32)
            else:
                file.attrs[f"L2Scale{title}Min"] = np.float32(-0.25)
                file.attrs[f"L2Scale{title}Max"] = np.float32(1)
        if level == "2D":
            file.attrs["Epsg_Code"] = np.uint32(32632)
            corners = {"ULcorner_easting": 600000, "ULcorner_northing": 5e6}
            corners |= {
                "LRcorner_easting": 600000 + 30 * (SAMPLES - 1),
                "LRcorner_northing": 5e6 - 30 * (LINES - 1),
            }
            for name, value in corners.items():
                file.attrs[f"Product_{name}"] = np.float64(value)


def test_prisma_level_1(tmp_path, counts, wavelengths, grids):
    write_prisma(tmp_path / "a.he5", "1", counts, wavelengths, grids)
    source = open_scene(tmp_path / "a.he5")
    np.testing.assert_array_equal(read(source), counts)
    np.testing.assert_array_equal(source.read(slice(3, 8), slice(9, 40)), counts[3:8, 9:40])
    assert source.read(slice(4, 4), slice(0, 9)).shape == (0, 9, SAMPLES)
    metadata = source.info.metadata
    np.testing.assert_allclose(numbers(source, "wavelength"), [0, *wavelengths[1:]], rtol=1e-6)
    assert metadata["wavelength units"] == "Nanometers"
    assert metadata["bbl"] == ("0", *["1"] * (BANDS - 1))
    assert numbers(source, "fwhm").tolist() == [0, 13, 12, 11, 10, *range(16, 9, -1)]
    np.testing.assert_allclose(
        numbers(source, "data gain values"), [1 / 100] * VNIR + [1 / 400] * (BANDS - VNIR)
    )
    assert metadata["variable name"] == "radiance"
    assert metadata["data units"] == "W/(m2 sr um)"
    assert len(read_tie_points(metadata)) == 6
    assert "joined" in source.notes[0]
    assert "VNIR_PIXEL_SAT_ERR_MATRIX" in source.notes[2]
    assert "_Cube" not in source.notes[2]


def test_offsets_of_one_cube_of_prisma(tmp_path, counts, wavelengths, grids):
    write_prisma(tmp_path / "a.he5", "1", counts, wavelengths, grids)
    source = open_scene(tmp_path / "a.he5", SceneOptions(variable="SWIR_Cube"))
    np.testing.assert_array_equal(read(source), counts[VNIR:])
    np.testing.assert_allclose(numbers(source, "wavelength"), wavelengths[VNIR:], rtol=1e-6)
    assert (numbers(source, "data offset values") == -2).all()
    assert "VNIR_Cube" in " ".join(source.notes)
    # Where only one cube has an offset, the joined one has zeros for the other.
    joined = numbers(open_scene(tmp_path / "a.he5"), "data offset values")
    assert joined.tolist() == [0] * VNIR + [-2] * (BANDS - VNIR)


def test_prisma_level_2d_lies_on_a_map(tmp_path, counts, wavelengths, grids):
    write_prisma(tmp_path / "a.he5", "2D", counts, wavelengths, grids)
    source = open_scene(tmp_path / "a.he5")
    assert source.info.metadata["variable name"] == "reflectance"
    place = read_georeference(source.info.metadata)
    assert place.crs.to_epsg() == 32632
    assert place.transform == (599985, 30, 0, 5000015, 0, -30)
    np.testing.assert_allclose(numbers(source, "data gain values"), 1.25 / 65535)
    assert set(numbers(source, "data offset values")) == {-0.25}


def test_prisma_in_one_command(run, tmp_path, counts, wavelengths, grids):
    write_prisma(tmp_path / "a.he5", "1", counts, wavelengths, grids)
    assert run("encode", "a.he5", "-o", "a.bf", "--step", 4).status == 0
    assert run("decode", "a.bf", "-o", "b.hdr").status == 0
    for other in ("b.hdr", "a.bf"):
        result = run("compare", "a.he5", other, "--json")
        assert json.loads(result.out)["whole"]["count"] == counts.size
    arguments = ("--variable", "VNIR_Cube", "--other-variable", "VNIR_Cube", "--json")
    compared = json.loads(run("compare", "a.he5", "a.he5", *arguments).out)
    assert (compared["whole"]["mse"], len(compared["band_mse"])) == (0, VNIR)


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_tanager(tmp_path, counts, wavelengths, grids, case):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        fields, place = "HDFEOS/SWATHS/HYP/Data Fields", "HDFEOS/SWATHS/HYP/Geolocation Fields"
        cube = file.create_dataset(
            f"{fields}/toa_radiance",
            data=(counts / 100).astype("f4"),
            chunks=(BANDS, 8, 8),
            compression="gzip",
        )
        file[f"{fields}/toa_radiance_uncertainty"] = np.zeros(counts.shape, np.float32)
        file[f"{fields}/nodata_pixels"] = np.zeros((LINES, SAMPLES), np.uint8)
        good = np.ones(BANDS, np.uint8)
        good[2] = 0
        lists = {"wavelengths": wavelengths, "fwhm": np.full(BANDS, 5.5), "good_wavelengths": good}
        for name, value in lists.items():
            cube.attrs[case(name)] = value
        cube.attrs[case("_FillValue")] = np.float32(-9999)
        cube.attrs[case("units")] = "W/(m2 sr um)"
        file[f"{place}/Longitude"], file[f"{place}/Latitude"] = grids
    source = open_scene(tmp_path / "a.h5")
    np.testing.assert_array_equal(read(source), (counts / 100).astype(np.float32))
    np.testing.assert_allclose(numbers(source, "wavelength"), wavelengths)
    metadata = source.info.metadata
    assert metadata["wavelength units"] == "Nanometers"
    assert metadata["bbl"][:4] == ("1", "1", "0", "1")
    assert (source.info.no_data, metadata["data units"]) == (-9999, "W/(m2 sr um)")
    assert len(read_tie_points(metadata)) == 6
    assert "nodata_pixels" in source.notes[1]


@pytest.mark.parametrize("name", ["EO1H0120312014.L1R", "a.hdf", "a.h5", "a.nc", "a.hdr"])
def test_hdf4_is_refused_in_one_line(run, tmp_path, name):
    (tmp_path / name).write_bytes(b"\x0e\x03\x13\x01" + bytes(600))
    with pytest.raises(SceneError, match="gdal_translate"):
        open_scene(tmp_path / name)
    result = run("encode", name, "-o", "a.bf", "--bps", 1)
    assert (result.status, result.err.count("\n"), result.out) == (3, 1, "")
    assert f"{name} is HDF4 (as Hyperion L1R), which is not read" in result.err
