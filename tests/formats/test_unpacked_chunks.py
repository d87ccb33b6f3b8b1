"""Each compressed chunk is unpacked once, whatever parts of the array are read, and how often."""

import numpy as np
import pytest

from bandfold.formats import unpacked_chunks
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions
from bandfold.formats.unpacked_chunks import UnpackedChunks, unpacked

from .conftest import CUBE, read_whole


class CountedArray:
    """Counts how often each element is read."""

    def __init__(self, data):
        self._data, self.shape, self.dtype = data, data.shape, data.dtype
        self.reads = np.zeros(data.shape, int)

    def __getitem__(self, index):
        self.reads[index] += 1
        return self._data[index]


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("chunks", [(4, 7, 5), (9, 20, 13), (1, 1, 1), (100, 3, 100)])
def test_each_chunk_is_unpacked_once(chunks, in_memory, monkeypatch):
    monkeypatch.setattr(unpacked_chunks, "_UNIT_BYTES", 64)
    if not in_memory:
        monkeypatch.setattr(unpacked_chunks, "_IN_MEMORY", 0)
    counted = CountedArray(CUBE.astype(">f4"))
    array = UnpackedChunks(counted, chunks)
    for _ in range(3):
        for start in range(0, CUBE.shape[1], 4):
            np.testing.assert_array_equal(array[:, start : start + 4], CUBE[:, start : start + 4])
    np.testing.assert_array_equal(array[2, 3:9, 4:5], CUBE[2, 3:9, 4:5])
    np.testing.assert_array_equal(array[:], CUBE)
    assert array[3:3].shape == (0, *CUBE.shape[1:])
    assert (counted.reads == 1).all()
    with pytest.raises(IndexError, match="step"):
        array[::2]


def test_nothing_is_unpacked_that_is_not_read():
    counted = CountedArray(CUBE)
    UnpackedChunks(counted, (9, 4, 13))[:, 4:8]
    assert counted.reads[:, 4:8].all() or counted.reads.all()
    assert UnpackedChunks(counted, (9, 4, 13)).shape == CUBE.shape


def test_a_disk_without_room_makes_reading_slow_and_is_told(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    monkeypatch.setattr(unpacked_chunks, "_IN_MEMORY", 0)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("packed", data=CUBE, chunks=(3, 4, 5), compression="gzip")
    assert open_scene(tmp_path / "a.h5", SceneOptions(band_axis="0")).notes == ()
    usage = unpacked_chunks.shutil.disk_usage("/")
    monkeypatch.setattr(unpacked_chunks.shutil, "disk_usage", lambda folder: usage._replace(free=9))
    source = open_scene(tmp_path / "a.h5", SceneOptions(band_axis="0"))
    assert "TMPDIR" in source.notes[0]
    np.testing.assert_array_equal(read_whole(source), CUBE)
    np.testing.assert_array_equal(source.read(slice(1, 3), slice(4, 6)), CUBE[1:3, 4:6])


def test_a_disk_that_gets_full_meanwhile(monkeypatch):
    class Full:
        def seek(self, offset):
            raise OSError(28, "No space left on device")

        truncate = close = lambda self, *sizes: None

    monkeypatch.setattr(unpacked_chunks, "_IN_MEMORY", 0)
    monkeypatch.setattr(unpacked_chunks.tempfile, "TemporaryFile", Full)
    array = UnpackedChunks(CUBE, (3, 3, 3))
    np.testing.assert_array_equal(array[2:5, :, 1:4], CUBE[2:5, :, 1:4])
    np.testing.assert_array_equal(array[:], CUBE)


def test_which_arrays_are_compressed(tmp_path):
    h5py = pytest.importorskip("h5py")
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("plain", data=CUBE)
        file.create_dataset("chunked", data=CUBE, chunks=(3, 4, 5))
        file.create_dataset("packed", data=CUBE, chunks=(3, 4, 5), compression="gzip")
        kinds = {name: isinstance(unpacked(item), UnpackedChunks) for name, item in file.items()}
    assert kinds == {"plain": False, "chunked": False, "packed": True}
    scene = xarray.Dataset({"cube": (("band", "y", "x"), CUBE)})
    scene.to_netcdf(
        tmp_path / "a.nc", engine="h5netcdf", encoding={"cube": {"zlib": True, "chunksizes": (3, 4, 5)}}
    )
    stored = {"mask_and_scale": False, "chunks": None}
    with xarray.open_dataset(tmp_path / "a.nc", engine="h5netcdf", **stored) as opened:
        assert isinstance(unpacked(opened.variables["cube"]), UnpackedChunks)
    scene.chunk({"y": 7}).to_zarr(tmp_path / "a.zarr", consolidated=False)
    with xarray.open_dataset(tmp_path / "a.zarr", engine="zarr", consolidated=False, **stored) as opened:
        assert isinstance(unpacked(opened.variables["cube"]), UnpackedChunks)
    for name in ("a.nc", "a.zarr"):
        np.testing.assert_array_equal(read_whole(open_scene(tmp_path / name)), CUBE)


@pytest.mark.parametrize("interleave", ["pixel", "band"])
def test_tiles_of_a_geotiff(tmp_path, monkeypatch, interleave):
    rasterio = pytest.importorskip("rasterio")
    from bandfold.formats.raster import geotiff_reader

    profile = {
        "driver": "GTiff",
        "width": 40,
        "height": 50,
        "count": 3,
        "dtype": "uint16",
        "crs": "EPSG:32611",
    }
    tiles = {
        "tiled": True,
        "blockxsize": 16,
        "blockysize": 16,
        "compress": "deflate",
        "interleave": interleave,
    }
    cube = np.arange(6000, dtype=np.uint16).reshape(3, 50, 40)
    transform = rasterio.Affine(1, 0, 5, 0, -1, 9)
    with rasterio.open(tmp_path / "a.tif", "w", transform=transform, **profile, **tiles) as file:
        file.write(cube)
    monkeypatch.setattr(geotiff_reader, "_CACHE_MEGABYTES", 0)
    source = open_scene(tmp_path / "a.tif")
    assert isinstance(source._samples, UnpackedChunks)
    np.testing.assert_array_equal(read_whole(source), cube)
    np.testing.assert_array_equal(source.read(slice(1, 3), slice(15, 34)), cube[1:, 15:34])
