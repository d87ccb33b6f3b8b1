"""Files as other programs write them."""

import numpy as np
import pytest

from bandfold.common.errors import SceneError
from bandfold.common.scene import Scaling
from bandfold.formats.arrays import Mapped
from bandfold.formats.blocks import Wanted
from bandfold.formats.georeference import Georeference, read_georeference
from bandfold.formats.kinds import format_of, output_format
from bandfold.formats.opening import open_scene

from .conftest import BANDS, LINES, SAMPLES, make_cube

CUBE = make_cube("uint16")
WAVELENGTHS = np.linspace(400, 900, BANDS).astype(np.float32)

h5py = pytest.importorskip("h5py")
scipy_io = pytest.importorskip("scipy.io")
xarray = pytest.importorskip("xarray")
rasterio = pytest.importorskip("rasterio")


def check(whole, source, cube=CUBE):
    np.testing.assert_array_equal(whole(source), cube)
    np.testing.assert_array_equal(source.read(slice(1, 4), slice(2, 9)), cube[1:4, 2:9])
    assert source.read(slice(1, 1), slice(2, 9)).shape == (0, 7, cube.shape[2])
    with pytest.raises(SceneError, match="are not in the scene"):
        source.read(slice(0, 1), slice(0, cube.shape[1] + 1))


@pytest.mark.parametrize(
    ("axes", "given", "interleave"),
    [((0, 1, 2), None, "bsq"), ((1, 0, 2), "1", "bil"), ((1, 2, 0), "-1", "bip"), ((1, 2, 0), "2", "bip")],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(tmp_path, whole, axes, given, interleave, order):
    np.save(tmp_path / "a.npy", np.asarray(CUBE.transpose(axes), order=order))
    source = open_scene(tmp_path / "a.npy", Wanted(band_axis=given))
    assert source.info.interleave == interleave
    check(whole, source)


def test_npy_of_the_other_byte_order_and_of_two_axes(tmp_path, whole):
    np.save(tmp_path / "a.npy", CUBE.astype(">u2"))
    source = open_scene(tmp_path / "a.npy", Wanted())
    assert (source.info.byte_order, source.info.dtype) == ("big", np.dtype("uint16"))
    check(whole, source)
    np.save(tmp_path / "a.npy", CUBE[4])
    np.testing.assert_array_equal(whole(open_scene(tmp_path / "a.npy", Wanted())), CUBE[4:5])
    np.save(tmp_path / "a.npy", CUBE[None, :, :, :])
    np.testing.assert_array_equal(whole(open_scene(tmp_path / "a.npy", Wanted(band_axis="1"))), CUBE)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path, whole, save):
    save(
        tmp_path / "a.npz",
        data=CUBE,
        gt=np.zeros((3, 3), int),
        wavelengths=WAVELENGTHS,
        words=np.array(["a"]),
    )
    source = open_scene(tmp_path / "a.npz", Wanted())
    assert source.info.metadata["wavelength"] == tuple(f"{number:.1f}" for number in WAVELENGTHS)
    assert source.info.metadata["variable name"] == "data"
    check(whole, source)
    # An archive larger than memory can be read where it is not compressed.
    assert isinstance(source._data, Mapped) == (save is np.savez)


@pytest.mark.parametrize("given", [None, "2", "-1"])
def test_matlab(tmp_path, whole, given):
    content = {
        "cube": CUBE.transpose(1, 2, 0),
        "wavelength": WAVELENGTHS[None],
        "map": np.zeros((LINES, SAMPLES)),
    }
    scipy_io.savemat(tmp_path / "old.mat", content, do_compression=True)
    with h5py.File(tmp_path / "new.mat", "w") as file:
        for name, value in content.items():
            # MATLAB's order of axes, as it writes HDF5.
            file[name] = value.T
    for name in ("old.mat", "new.mat"):
        source = open_scene(tmp_path / name, Wanted(band_axis=given))
        assert (source.info.interleave, source.info.shape) == ("bip", CUBE.shape)
        assert len(source.info.metadata["wavelength"]) == BANDS
        check(whole, source)
        named = open_scene(tmp_path / name, Wanted("map", scaling=Scaling(1.0)))
        assert named.info.shape == (1, LINES, SAMPLES)


def test_netcdf_with_groups(tmp_path, whole):
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
    source = open_scene(path, Wanted(scaling=Scaling(0.01)))
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
    check(whole, source, CUBE.astype(np.float32) / 100)


def test_netcdf_3_packed_on_a_grid(tmp_path, whole):
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
    source = open_scene(tmp_path / "a.nc", Wanted())
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
    check(whole, source, CUBE.astype(np.int16))


def test_hdf5(tmp_path, whole):
    path = tmp_path / "a.he5"
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "swath/data/cube", data=CUBE.transpose(1, 0, 2), chunks=(4, 3, 5), compression="gzip"
        )
        file["swath/cube"] = CUBE[:2]
        file["swath/text"] = "words"
    with pytest.raises(
        SceneError, match=r"several arrays: name one with --variable: swath/cube .* swath/data/cube"
    ):
        open_scene(path, Wanted())
    with pytest.raises(SceneError, match="is there several times"):
        open_scene(path, Wanted("cube"))
    with pytest.raises(SceneError, match=r"'other' of .* is not there"):
        open_scene(path, Wanted("other"))
    with pytest.raises(SceneError, match=r"does not tell which of its axes .* --band-axis"):
        open_scene(path, Wanted("swath/data/cube"))
    with pytest.raises(SceneError, match="has no axis '3'"):
        open_scene(path, Wanted("swath/data/cube", "3"))
    with pytest.raises(SceneError, match=r"2 dimensions|holds no integers"):
        open_scene(path, Wanted("swath/text"))
    source = open_scene(path, Wanted("/swath/data/cube", "1"))
    assert source.info.interleave == "bil"
    check(whole, source)


def test_hdf5_whose_axes_are_named_or_told_by_wavelengths(tmp_path, whole):
    with h5py.File(tmp_path / "named.h5", "w") as file:
        cube = file.create_dataset("cube", data=CUBE.transpose(2, 1, 0))
        for axis, name in enumerate(("x", "y", "band")):
            cube.dims[axis].label = name
    check(whole, open_scene(tmp_path / "named.h5", Wanted()))
    check(whole, open_scene(tmp_path / "named.h5", Wanted(band_axis="band")))
    with h5py.File(tmp_path / "told.h5", "w") as file:
        file["cube"] = CUBE.transpose(1, 0, 2)
        file["meta/Wavelength"] = WAVELENGTHS
    check(whole, open_scene(tmp_path / "told.h5", Wanted()))


def test_geotiff_of_other_programs(tmp_path, whole):
    profile = {"driver": "GTiff", "dtype": "uint16", "count": BANDS, "width": SAMPLES, "height": LINES}
    place = {"crs": "EPSG:4326", "transform": rasterio.Affine.from_gdal(8, 0.5, 0, 50, 0, -0.25)}
    with rasterio.open(
        tmp_path / "a.tif", "w", **profile, **place, tiled=True, blockxsize=16, blockysize=16
    ) as file:
        file.write(CUBE)
        for band in range(BANDS):
            file.update_tags(band + 1, wavelength=str(WAVELENGTHS[band]), wavelength_units="Nanometers")
            file.set_band_description(band + 1, f"{WAVELENGTHS[band]} Nanometers")
    source = open_scene(tmp_path / "a.tif", Wanted())
    metadata = source.info.metadata
    assert (metadata["wavelength"][1], metadata["wavelength units"]) == ("462.5", "Nanometers")
    assert metadata["band names"][1] == "462.5 Nanometers"
    assert metadata["map info"] == (
        *("Geographic Lat/Lon", "1", "1", "8", "50", "0.5", "0.25"),
        *("WGS-84", "units=Degrees"),
    )
    check(whole, source)
    with pytest.raises(SceneError, match="leave out --band-axis"):
        open_scene(tmp_path / "a.tif", Wanted(band_axis="0"))


def test_what_cannot_be_read(tmp_path):
    for name in ("a.tif", "a.nc", "a.h5", "a.npy", "a.npz", "a.mat"):
        (tmp_path / name).write_bytes(b"nothing that anybody could read" * 9)
        with pytest.raises(SceneError, match="cannot read"):
            open_scene(tmp_path / name, Wanted())
        with pytest.raises(SceneError, match="is not there"):
            open_scene(tmp_path / f"no{name}", Wanted())
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(SceneError, match="cannot read"):
        open_scene(tmp_path / "a.zarr", Wanted())
    np.save(tmp_path / "a.npy", np.array([None, 1]))
    with pytest.raises(SceneError, match="cannot read"):
        open_scene(tmp_path / "a.npy", Wanted())
    np.save(tmp_path / "a.npy", CUBE.astype(np.int64))
    with pytest.raises(SceneError, match="int64 is not supported"):
        open_scene(tmp_path / "a.npy", Wanted())
    np.save(tmp_path / "a.npy", CUBE.astype(float))
    with pytest.raises(SceneError, match="--scale"):
        open_scene(tmp_path / "a.npy", Wanted())
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(SceneError, match="give bands, lines and samples"):
        open_scene(tmp_path / "a.npy", Wanted())


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


def test_suffixes(tmp_path):
    from bandfold.common.errors import SettingsError

    assert format_of(tmp_path / "a.TIF") == "geotiff"
    assert format_of(tmp_path / "a.img") == "envi"
    assert output_format(tmp_path / "a.nc", None) == "netcdf"
    assert output_format(tmp_path / "a", "zarr") == "zarr"
    for name, kind, message in (("a.mat", None, "not written"), ("a.nc", "zarr", "not named like zarr")):
        with pytest.raises(SettingsError, match=message):
            output_format(tmp_path / name, kind)
