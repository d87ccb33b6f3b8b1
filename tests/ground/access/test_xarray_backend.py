"""Streams opened with xarray."""

import pickle

import numpy as np
import pytest

from bandfold.common.scene import Scaling
from bandfold.ground import Decoder
from bandfold.ground.access.strip_reader import StripReader
from bandfold.onboard import Encoder
from bandfold.onboard.samples.samples import ArraySource

xarray = pytest.importorskip("xarray")
pytest.importorskip("pyproj")

from ..streams import BANDS, SAMPLES, STRIP, scene  # noqa: E402

METADATA = {
    "wavelength": tuple(str(500 + 100 * band) for band in range(BANDS)),
    "wavelength units": "nm",
    "map info": ("UTM", "1", "1", "500000", "4000000", "15", "15", "11", "North", "WGS-84"),
    "sensor type": "none",
}


def write(path, cube, **source):
    source = {"metadata": METADATA, **source}
    path.write_bytes(
        Encoder(step=10.0, strip_lines=STRIP, partition=(2, BANDS)).encode(ArraySource(cube, **source))
    )
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("xarray") / "scene.bf", scene())


@pytest.fixture(scope="module")
def whole(path):
    return Decoder(path).decode()


@pytest.mark.parametrize("engine", [None, "bandfold"])
def test_open(path, whole, engine):
    found = xarray.open_dataset(path, engine=engine)
    assert found.cube.dims == ("band", "y", "x")
    assert found.cube.dtype == whole.dtype
    np.testing.assert_array_equal(found.cube.values, whole)
    assert found.wavelength.values.tolist() == [500 + 100 * band for band in range(BANDS)]
    assert found.wavelength.attrs["units"] == "nm"
    assert found.wavelength.attrs["standard_name"] == "sensor_band_central_radiation_wavelength"
    assert found.attrs == {"Conventions": "CF-1.11", "envi_sensor_type": "none"}
    assert found.x.values[0] == 500007.5
    assert found.cube.attrs["grid_mapping"] == "spatial_ref"
    assert found.cube.attrs["comment"].endswith("quantiser step 10 counts")


def test_selections(path, whole):
    cube = xarray.open_dataset(path).cube
    for key in (
        (0, 0, 0),
        (-1, slice(None), 3),
        (slice(None, None, -1), slice(30, 3, -4), slice(1, 9, 2)),
        (slice(1, 5, 3), slice(5, 5), slice(None)),
        ([0, 4, 2], slice(None), [3, 3]),
        (np.arange(BANDS) % 2 == 0, 17, slice(None)),
    ):
        expected = xarray.DataArray(whole, dims=cube.dims)[key].values
        np.testing.assert_array_equal(cube[key].values, expected)
    near = cube.sel(wavelength=790, method="nearest")
    np.testing.assert_array_equal(near.values, whole[3])
    np.testing.assert_array_equal(cube.sel(wavelength=slice(600, 850)).values, whole[1:4])
    picked = cube.isel(band=xarray.DataArray([1, 2], dims="p"), y=xarray.DataArray([30, 2], dims="p"))
    np.testing.assert_array_equal(picked.values, whole[[1, 2], [30, 2]])


def test_nothing_is_decoded_before_it_is_needed(path, monkeypatch):
    calls = []
    real = StripReader._decode

    def decode(reader, strip, bands):
        calls.append((strip, bands))
        return real(reader, strip, bands)

    monkeypatch.setattr(StripReader, "_decode", decode)
    found = xarray.open_dataset(path)
    assert calls == []
    found.cube.isel(band=slice(2, 4), y=slice(17, 20), x=slice(2, 5)).load()
    assert calls == [(1, slice(2, 4))]


def test_dask_gets_strips_and_intervals(path, whole):
    pytest.importorskip("dask")
    found = xarray.open_dataset(path, chunks={})
    assert found.cube.chunks == ((2, 4), (16, 16, 8), (SAMPLES,))
    mean = found.cube.mean("band")
    np.testing.assert_allclose(mean.values, whole.mean(0))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(found.cube)).values, whole)


def test_absent_samples_and_scale(tmp_path):
    cube = scene()
    cube[:, 5:9, 3] = -9999
    gains = {"data gain values": ("0.01",) * BANDS, "data offset values": ("-1",) * BANDS}
    path = write(tmp_path / "a.bf", cube, metadata={**METADATA, **gains}, no_data=-9999.0)
    decoded = Decoder(path).decode()
    found = xarray.open_dataset(path).cube
    expected = np.where(decoded == -9999, np.nan, decoded * 0.01 - 1)
    np.testing.assert_allclose(found.values, expected, rtol=1e-5)
    assert np.isnan(found.values[:, 5:9, 3]).all()
    raw = xarray.open_dataset(path, mask_and_scale=False).cube
    np.testing.assert_array_equal(raw.values, decoded)
    assert raw.attrs["scale_factor"] == 0.01


def test_floats_and_a_name_of_their_own(tmp_path):
    cube = scene().astype(np.float32) / 1000
    cube[0, 0, 0] = np.nan
    source = {"metadata": {"variable name": "reflectance"}, "scaling": Scaling(0.001), "no_data": np.nan}
    found = xarray.open_dataset(write(tmp_path / "a.bf", cube, **source))
    assert list(found.data_vars) == ["reflectance"]
    assert list(found.coords) == []
    np.testing.assert_array_equal(found.reflectance.values, Decoder(tmp_path / "a.bf").decode())
    assert np.isnan(found.reflectance.values[0, 0, 0])


def test_wavelengths_that_overlap_are_no_index(tmp_path):
    metadata = {"wavelength": ("400", "500", "490", "600", "700", "800")}
    found = xarray.open_dataset(write(tmp_path / "a.bf", scene(), metadata=metadata))
    assert "wavelength" in found.coords
    assert list(found.indexes) == []


def test_copies_of_it_can_be_written(path, whole, tmp_path):
    for name in ("a.nc", "a.zarr"):
        found = xarray.open_dataset(path)
        if name == "a.nc":
            found.to_netcdf(tmp_path / name, engine="h5netcdf")
        else:
            found.to_zarr(tmp_path / name, consolidated=False)
        kwargs = {"engine": "h5netcdf"} if name == "a.nc" else {"engine": "zarr", "consolidated": False}
        with xarray.open_dataset(tmp_path / name, **kwargs) as again:
            np.testing.assert_array_equal(again.cube.values, whole)


@pytest.mark.parametrize("unit", ["days since 2000-01-01", "seconds"])
def test_samples_with_a_unit_of_time_stay_numbers(tmp_path, unit):
    from bandfold.onboard import ArraySource, Encoder

    cube = np.arange(3 * 9 * 10, dtype=np.uint16).reshape(3, 9, 10)
    source = ArraySource(cube, metadata={"data units": unit, "wavelength units": unit})
    Encoder(step=1.0).encode_to(source, tmp_path / "a.bf")
    with xarray.open_dataset(tmp_path / "a.bf", engine="bandfold", restore="off") as dataset:
        assert dataset["cube"].dtype.kind in "uf"
        assert np.abs(dataset["cube"].values.astype(float) - cube).max() < 4
