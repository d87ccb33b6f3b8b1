"""NetCDF files as other programs write them."""

import numpy as np
import pytest

from bandfold.common.errors import SceneError
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


@pytest.mark.parametrize(
    ("scale", "gains", "note"),
    [
        ("0.01", ("0.01",) * BANDS, None),
        (b" 0.01 ", ("0.01",) * BANDS, None),
        (np.arange(1, BANDS + 1) / 4, tuple(f"{(1 + band) / 4:.2f}" for band in range(BANDS)), None),
        ([0.5, 0.25], None, "scale_factor of reflectance is "),
        ("percent", None, "scale_factor of reflectance is 'percent', no number for all bands or for each"),
    ],
)
def test_scales_that_are_no_number_are_read_or_told(tmp_path, scale, gains, note):
    array = (("band", "y", "x"), CUBE.astype(np.int16), {"scale_factor": scale})
    xarray.Dataset({"reflectance": array}).to_netcdf(tmp_path / "a.nc", engine="scipy")
    source = open_scene(tmp_path / "a.nc")
    found = source.info.metadata.get("data gain values")
    assert found is None if gains is None else [float(one) for one in found] == [float(one) for one in gains]
    assert [one.startswith(note or "-") for one in source.notes] == ([True] if note else [])


@pytest.mark.parametrize("unit", ["days since 2000-01-01", "seconds", "ms", "W/m2/sr/um"])
def test_a_unit_of_time_makes_no_dates_of_samples(tmp_path, unit):
    from bandfold.common.scene import SceneInfo
    from bandfold.formats.opening import open_writer

    cube = CUBE.astype(np.float32)
    info = SceneInfo(*cube.shape, cube.dtype, metadata={"data units": unit})
    with open_writer("netcdf", tmp_path / "a.nc", info, 8) as writer:
        writer.write(slice(0, BANDS), slice(0, LINES), cube)
    # As everybody opens it, times and durations decoded.
    with xarray.open_dataset(tmp_path / "a.nc", decode_timedelta=True) as dataset:
        assert dataset["cube"].dtype == np.float32
        np.testing.assert_array_equal(dataset["cube"], cube)
    assert open_scene(tmp_path / "a.nc").info.metadata["data units"] == unit


@pytest.mark.parametrize("engine", ["scipy", "h5netcdf"])
def test_unsigned_samples_of_a_signed_type(tmp_path, engine):
    stored = CUBE.astype(np.int32).clip(0, 65535).astype(np.uint16)
    stored[0, 0] = 65000
    attributes = {"_Unsigned": "true", "_FillValue": np.int16(-1)}
    data = xarray.Dataset({"cube": (("band", "y", "x"), stored.view(np.int16), attributes)})
    data.to_netcdf(tmp_path / "a.nc", engine=engine)
    source = open_scene(tmp_path / "a.nc")
    assert (source.info.dtype, source.info.no_data) == (np.dtype("uint16"), 65535)
    np.testing.assert_array_equal(source.read(slice(0, BANDS), slice(0, LINES)), stored)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"missing_value": "-9999"}, (-9999.0,)),
        ({"missing_value": "-9999.0, -32768"}, (-9999.0, -32768.0)),
        ({"missing_value": np.array([-9999, -32768], np.float32)}, (-9999.0, -32768.0)),
        ({"_FillValue": np.float32(-9999), "missing_value": np.float32(-9999)}, (-9999.0,)),
        ({"Data_Ignore_Value": b"-9999"}, (-9999.0,)),
        ({"Data_Ignore_Value": np.array([b"-9999"])}, (-9999.0,)),
        ({"missing_value": "none"}, ()),
        ({"missing_value": "nan"}, (float("nan"),)),
    ],
)
def test_no_data_values_of_every_kind(tmp_path, attributes, expected):
    import h5py

    cube = CUBE.astype(np.float32)
    cube[:, 0, :3], cube[:, 1, :3] = -9999, -32768
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = cube
        file["cube"].attrs.update(attributes)
    source = open_scene(tmp_path / "a.h5", SceneOptions(band_axis="0"))
    np.testing.assert_equal(source.info.no_data, expected[0] if expected else None)
    found = source.read(slice(0, BANDS), slice(0, LINES))
    if len(expected) > 1:
        # All of them mark absent data, and a scene has one value that does.
        cube[cube == -32768] = -9999
    np.testing.assert_array_equal(found, cube)


@pytest.mark.parametrize(
    "names", [("reflectance", "reflectance_uncertainty"), ("radiance", "obs"), ("a", "mask")]
)
def test_one_of_several_cubes_is_sensible(tmp_path, names):
    dims = ("y", "x", "band")
    other = CUBE.transpose(1, 2, 0).astype(np.float32) / 7
    cubes = {names[1]: (dims, other), names[0]: (dims, 2 * other)}
    data = xarray.Dataset({**cubes, "wavelength": ("band", WAVELENGTHS)})
    data.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    source = open_scene(tmp_path / "a.nc")
    np.testing.assert_array_equal(source.read(slice(0, BANDS), slice(0, LINES)), 2 * other.transpose(2, 0, 1))
    two = {"one": (dims, other), "two": (dims, other)}
    xarray.Dataset(two).to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    with pytest.raises(SceneError, match="name one with --variable"):
        open_scene(tmp_path / "b.nc")


@pytest.mark.parametrize("unit", ["nm", "Micrometers", None])
def test_coordinates_of_the_bands_in_nanometres_are_their_wavelengths(tmp_path, unit):
    about = {} if unit is None else {"units": unit}
    cube = xarray.Dataset({"r": (("band", "y", "x"), CUBE)}, {"band": ("band", WAVELENGTHS, about)})
    cube.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    found = open_scene(tmp_path / "a.nc", SceneOptions()).info.metadata.get("wavelength")
    assert found == (None if unit is None else tuple(f"{number:.1f}" for number in WAVELENGTHS))


def test_hdf5_without_names_of_axes_gives_no_warning(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file["cube"], file["wavelength"] = CUBE, WAVELENGTHS
    check(open_scene(tmp_path / "a.nc", SceneOptions()))


def test_a_file_that_is_named_like_a_folder(tmp_path):
    pytest.importorskip("zarr")
    (tmp_path / "a.zarr").write_text("no folder")
    with pytest.raises(SceneError, match="is not a folder: give a scene"):
        open_scene(tmp_path / "a.zarr", SceneOptions())


@pytest.mark.parametrize(
    "mapping",
    [
        None,
        {"spatial_ref": "nonsense", "GeoTransform": "1 2 x"},
        {"GeoTransform": "1 2 3 4 5 x"},
        {"GeoTransform": "1 nan 3 4 5 6"},
        {"grid_mapping_name": "no such projection"},
    ],
)
def test_a_grid_mapping_that_tells_nothing_is_told(tmp_path, mapping):
    scene = xarray.Dataset({"cube": (("band", "y", "x"), CUBE, {"grid_mapping": "crs"})})
    if mapping is not None:
        scene["crs"] = ((), 0, mapping)
    scene.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    source = open_scene(tmp_path / "a.nc")
    check(source, CUBE)
    assert not read_georeference(source.info.metadata).transform
    assert any(note.startswith("not carried: grid mapping 'crs'") for note in source.notes)
