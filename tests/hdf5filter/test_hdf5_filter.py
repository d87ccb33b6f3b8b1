"""HDF5 data sets whose chunks are streams, written and read by h5py."""

import pickle

import numpy as np
import pytest

from bandfold.common.errors import SettingsError
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene

h5py = pytest.importorskip("h5py")

from bandfold.hdf5filter import FILTER_ID, Bandfold, FilterWarning  # noqa: E402
from bandfold.hdf5filter.filter_options import FilterOptions  # noqa: E402
from bandfold.zarrcodec import ChunkSettings  # noqa: E402

BANDS, LINES, SAMPLES = 12, 24, 20


@pytest.fixture(scope="module")
def cube():
    return SyntheticScene(LINES, SAMPLES, BANDS, seed=1).read(slice(0, BANDS), slice(0, LINES))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.h5"


def stored(path, cube, settings, **more):
    with h5py.File(path, "w") as file:
        file.create_dataset("cube", data=cube, compression=Bandfold(**settings), **more)
    with h5py.File(path, "r") as file:
        return file["cube"][:]


def test_lossless_is_the_default(path, cube):
    np.testing.assert_array_equal(stored(path, cube, {}, chunks=(BANDS, 16, SAMPLES)), cube)
    assert path.stat().st_size < cube.nbytes


def test_chunks_are_streams(path, cube):
    found = stored(path, cube, {"step": 4.0}, chunks=(BANDS, LINES, SAMPLES))
    assert 0 < np.abs(found.astype(int) - cube).max() < 16
    with h5py.File(path, "r") as file:
        mask, stream = file["cube"].id.read_direct_chunk((0, 0, 0))
        assert dict(file["cube"]._filters) == {str(FILTER_ID): Bandfold_words(file)}
    assert mask == 0
    np.testing.assert_array_equal(Decoder(stream, restore="off").decode(), found)


def Bandfold_words(file):  # noqa: N802
    return FilterOptions(ChunkSettings(step=4.0), (BANDS, LINES, SAMPLES), file["cube"].dtype.str).words()


@pytest.mark.parametrize("dtype", ["<u2", ">u2", ">i2", "<u4", ">f4", "<f8", "u1", "i1"])
@pytest.mark.parametrize("axis", [0, 2])
def test_types_orders_and_axes(path, cube, dtype, axis):
    given = np.moveaxis(cube // 64, 0, axis).astype(dtype)
    found = stored(path, given, {"lossless": True, "band_axis": axis}, chunks=given.shape)
    assert found.dtype == given.dtype
    np.testing.assert_array_equal(found, given)


def test_limits_and_edges(path, cube):
    """Chunks that reach beyond the edges are filled with the fill value, which is absent data."""
    settings = {"max_error": 3, "no_data": 65535}
    found = stored(path, cube, settings, chunks=(BANDS, 16, 16), fillvalue=65535)
    assert np.abs(found.astype(int) - cube).max() <= 3


@pytest.mark.parametrize(
    ("data", "more", "message"),
    [
        (np.zeros((4, 8), "uint16"), {}, "chunks of three"),
        (np.zeros((2, 8, 8), "complex64"), {}, "integers and floats"),
        (np.zeros((2, 8, 8), "int64"), {}, "int64 is not supported"),
    ],
)
def test_what_cannot_be_coded_is_refused(path, data, more, message):
    with h5py.File(path, "w") as file, pytest.raises((ValueError, OSError), match=message):
        file.create_dataset("a", data=data, chunks=data.shape, compression=Bandfold(), **more)


def test_damage_is_an_error_with_its_reason(path, cube):
    stored(path, cube, {"step": 4.0}, chunks=cube.shape)
    with h5py.File(path, "r+") as file:
        _, stream = file["cube"].id.read_direct_chunk((0, 0, 0))
        damaged = bytearray(stream)
        damaged[-9] ^= 1
        file["cube"].id.write_direct_chunk((0, 0, 0), bytes(damaged))
    failure = pytest.raises(OSError, match="filter returned failure")
    with h5py.File(path, "r") as file, pytest.warns(FilterWarning, match="a chunk is damaged"), failure:
        file["cube"][:]
    other = Decoder(stream).info.shape
    with h5py.File(path, "w") as file:
        made = file.create_dataset(
            "a", shape=(6, *other[1:]), dtype="u2", compression=Bandfold(), chunks=True
        )
        assert made.chunks != other
        made.id.write_direct_chunk((0, 0, 0), stream)
        with (
            pytest.warns(FilterWarning, match="it is of another array"),
            pytest.raises(OSError, match="failure"),
        ):
            made[:1]


def test_efforts_are_those_of_the_encoder(path, cube):
    found = []
    for effort in (1, 9):
        stored(path, cube, {"step": 4.0, "effort": effort}, chunks=(BANDS, LINES, SAMPLES))
        with h5py.File(path, "r") as file:
            found.append(file["cube"].id.read_direct_chunk((0, 0, 0))[1])
        assert found[-1] == Encoder(step=4.0, effort=effort).encode(cube)
    assert found[0] != found[1]


def test_settings():
    with pytest.raises(SettingsError):
        Bandfold(step=-1.0)
    with pytest.raises(SettingsError, match="not understood"):
        FilterOptions.read((3, 7))
    assert pickle.loads(pickle.dumps(Bandfold(step=2.0))) == Bandfold(step=2.0)


def test_xarray_reads_it(path, cube):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    data = xarray.Dataset({"cube": (("band", "y", "x"), cube)})
    given = Bandfold(max_error=1)
    encoding = {"compression": given.filter_id, "compression_opts": given.filter_options}
    data.to_netcdf(
        path,
        engine="h5netcdf",
        encoding={"cube": {**encoding, "chunksizes": cube.shape}},
        invalid_netcdf=False,
    )
    with xarray.open_dataset(path, engine="h5netcdf") as found:
        assert np.abs(found.cube.values.astype(int) - cube).max() <= 1
