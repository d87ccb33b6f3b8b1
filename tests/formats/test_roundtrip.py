"""What each format writes, it reads: samples, no-data value, and everything that is known of the scene."""

import numpy as np
import pytest

from bandfold.common.errors import OutputError
from bandfold.common.scene import NoData, SceneInfo
from bandfold.formats.file_formats import USUAL_SUFFIX
from bandfold.formats.georeference import read_georeference
from bandfold.formats.opening import open_scene, open_writer
from bandfold.formats.scene_options import SceneOptions

from .conftest import BANDS, METADATA, SAMPLES, TRANSFORM, make_cube, make_info, read_whole

KINDS = ("geotiff", "netcdf", "zarr", "npy")
LOOK = SceneOptions(for_coding=False)


def write(path, kind, cube, info, height=8):
    with open_writer(kind, path, info, height) as writer:
        for start in range(0, info.lines, height):
            rows = slice(start, min(start + height, info.lines))
            writer.write(slice(0, info.bands), rows, cube[:, rows])
    return path


def scene_file(tmp_path, kind):
    return tmp_path / f"scene{USUAL_SUFFIX[kind]}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("dtype", "marker"),
    [
        ("uint8", 0),
        ("int8", -128),
        ("uint16", 65535),
        ("int16", -9999),
        ("int32", -(2**31)),
        ("uint32", None),
        ("float32", np.nan),
        ("float64", -9999.0),
    ],
)
def test_there_and_back(tmp_path, kind, dtype, marker):
    cube, info = make_cube(dtype, marker), make_info(dtype, marker)
    source = open_scene(write(scene_file(tmp_path, kind), kind, cube, info), LOOK)
    again = source.info
    assert (again.shape, again.dtype) == (info.shape, info.dtype)
    assert again.no_data == marker or (np.isnan(again.no_data) and np.isnan(marker))
    np.testing.assert_array_equal(read_whole(source), cube)
    np.testing.assert_array_equal(source.read(slice(2, 5), slice(3, 17)), cube[2:5, 3:17])
    for key in METADATA:
        if key != "map info":
            assert again.metadata[key] == METADATA[key], key
    place = read_georeference(again.metadata)
    assert (place.transform, place.crs.to_epsg()) == (TRANSFORM, 32611)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_known(tmp_path, kind):
    cube, info = make_cube("uint16"), make_info("uint16", metadata={})
    source = open_scene(write(scene_file(tmp_path, kind), kind, cube, info), LOOK)
    assert (source.info.metadata, source.info.no_data) == ({}, None)
    np.testing.assert_array_equal(read_whole(source), cube)


@pytest.mark.parametrize("kind", KINDS)
def test_smallest_scene(tmp_path, kind):
    cube = np.array([[[7]]], np.uint16)
    info = SceneInfo(1, 1, 1, cube.dtype, metadata={"wavelength": ("500",), "wavelength units": "Nanometers"})
    source = open_scene(write(scene_file(tmp_path, kind), kind, cube, info), LOOK)
    np.testing.assert_array_equal(read_whole(source), cube)
    assert source.info.metadata["wavelength"] == ("500",)


@pytest.mark.parametrize("kind", KINDS)
def test_turned_pixels_micrometres_and_scale(tmp_path, kind):
    metadata = {
        "geotransform": ("100", "7.5", "-2.25", "900", "-2.25", "-7.5"),
        "wavelength": tuple(f"{0.4 + 0.1 * band:.1f}" for band in range(BANDS)),
        "wavelength units": "Micrometers",
        "data gain values": ("0.0001",) * BANDS,
        "data offset values": ("-0.1",) * BANDS,
        "data units": "W m-2 sr-1 um-1",
    }
    info = make_info("int16", metadata=metadata)
    again = open_scene(write(scene_file(tmp_path, kind), kind, make_cube("int16"), info), LOOK).info
    assert again.metadata == metadata


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "place",
    [
        ("Moon Sinusoidal", "1", "1", "-500.5", "800", "20", "20", "D_Moon", "units=Meters"),
        ("UTM", "1", "1", "5", "8", "2", "2", "11", "North", "North America 1983", "units=Meters"),
        ("Nothing that", "anybody", "can read"),
    ],
)
def test_projections_that_are_not_understood_stay_as_they_are(tmp_path, kind, place):
    info = make_info("int16", metadata={"map info": place, "projection info": ("99", "a", "b")})
    again = open_scene(write(scene_file(tmp_path, kind), kind, make_cube("int16"), info), LOOK).info
    assert again.metadata["map info"] == place
    assert again.metadata["projection info"] == ("99", "a", "b")


@pytest.mark.parametrize("kind", KINDS)
def test_band_by_band_scale(tmp_path, kind):
    gains = tuple(f"{0.5 + band / 8:.3f}" for band in range(BANDS))
    info = make_info("int16", metadata={"data gain values": gains})
    again = open_scene(write(scene_file(tmp_path, kind), kind, make_cube("int16"), info), LOOK).info
    assert [float(gain) for gain in again.metadata["data gain values"]] == [float(gain) for gain in gains]


@pytest.mark.parametrize("kind", KINDS)
def test_failures_leave_nothing(tmp_path, kind):
    path, info = scene_file(tmp_path, kind), make_info("uint16")
    writer = open_writer(kind, path, info, 8)
    with pytest.raises(ValueError, match="does not fit"), writer:
        writer.write(slice(0, BANDS), slice(0, 9), np.zeros((BANDS, 8, SAMPLES), np.uint16))
    writer = open_writer(kind, path, info, 8)
    with pytest.raises(OutputError, match="were not written"), writer:
        writer.write(slice(0, BANDS), slice(0, 8), make_cube("uint16")[:, :8])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match="cannot write"):
        open_writer(kind, tmp_path / "no" / "scene", info, 8)


@pytest.mark.parametrize("kind", KINDS)
def test_an_output_is_replaced(tmp_path, kind):
    path, info = scene_file(tmp_path, kind), make_info("uint16")
    write(path, kind, make_cube("uint16") + 1, info)
    write(path, kind, make_cube("uint16"), info)
    np.testing.assert_array_equal(read_whole(open_scene(path, LOOK)), make_cube("uint16"))
    assert not [name for name in tmp_path.iterdir() if "part" in name.name]


def test_no_folder_of_something_else_is_replaced(tmp_path):
    (tmp_path / "scene.zarr").mkdir()
    (tmp_path / "scene.zarr" / "thesis.tex").touch()
    for kind in KINDS:
        with pytest.raises(OutputError, match="folder of something else"):
            open_writer(kind, tmp_path / "scene.zarr", make_info("uint16"), 8)
    assert (tmp_path / "scene.zarr" / "thesis.tex").exists()


@pytest.mark.parametrize("interleave", ["bsq", "bip"])
def test_geotiff_for_other_programs(tmp_path, interleave):
    rasterio = pytest.importorskip("rasterio")
    cube, info = make_cube("int16", -9999), make_info("int16", -9999, interleave=interleave)
    path = write(tmp_path / "scene.tif", "geotiff", cube, info)
    with rasterio.open(path) as file:
        assert file.nodata == -9999
        assert file.crs.to_epsg() == 32611
        assert file.transform.to_gdal() == TRANSFORM
        assert file.interleaving.value == {"bsq": "BAND", "bip": "PIXEL"}[interleave]
        assert file.descriptions == METADATA["band names"]
        assert file.tags(2, ns="IMAGERY") == {"CENTRAL_WAVELENGTH_UM": "0.46125", "FWHM_UM": "0.00925"}
    assert sorted(tmp_path.iterdir()) == [path]
    assert open_scene(path, LOOK).info.interleave == interleave


@pytest.mark.parametrize("kind", ["netcdf", "zarr"])
def test_xarray_understands_it(tmp_path, kind):
    xarray = pytest.importorskip("xarray")
    cube, info = make_cube("int16", -9999), make_info("int16", -9999)
    metadata = {**METADATA, "data gain values": ("0.5",) * BANDS}
    path = write(scene_file(tmp_path, kind), kind, cube, make_info("int16", -9999, metadata=metadata))
    with xarray.open_dataset(path, engine="zarr" if kind == "zarr" else "h5netcdf") as found:
        assert found.cube.dims == ("band", "y", "x")
        masked = np.where(cube == -9999, np.nan, cube * 0.5)
        np.testing.assert_array_equal(found.cube.values, masked.astype(found.cube.dtype))
        assert found.wavelength.attrs["units"] == "nm"
        assert found.wavelength.values[1] == 461.25
        assert found.good_band.values.tolist() == [1, 1, 0, *[1] * (BANDS - 3)]
        assert found.x.values[:2].tolist() == [587012.5 + 7.75, 587012.5 + 23.25]
        assert found.x.attrs["standard_name"] == "projection_x_coordinate"
        assert found.spatial_ref.attrs["grid_mapping_name"] == "transverse_mercator"
        assert found.attrs["Conventions"] == "CF-1.11"
    assert info.no_data == -9999


def test_no_data_of_the_user_wins(tmp_path):
    path = write(tmp_path / "a.tif", "geotiff", make_cube("int16", -9999), make_info("int16", -9999))
    assert open_scene(path, SceneOptions()).info.no_data == -9999
    assert open_scene(path, SceneOptions(no_data=NoData.HEADER)).info.no_data == -9999
    assert open_scene(path, SceneOptions(no_data=3.0)).info.no_data == 3
    assert open_scene(path, SceneOptions(no_data=None)).info.no_data is None
