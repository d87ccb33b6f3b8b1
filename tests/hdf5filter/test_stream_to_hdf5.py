"""Streams put into HDF5 files, strip by strip, and read by h5py and xarray."""

import json

import numpy as np
import pytest

from bandfold.common.errors import OutputError, StreamError
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.samples.samples import ArraySource
from bandfold.synthetic.scenes import SyntheticScene

h5py = pytest.importorskip("h5py")
pytest.importorskip("h5netcdf")
xarray = pytest.importorskip("xarray")
pytest.importorskip("pyproj")

from bandfold.hdf5filter.stream_to_hdf5 import stream_to_hdf5  # noqa: E402

BANDS, LINES, SAMPLES = 12, 44, 20

METADATA = {
    "wavelength": tuple(str(500 + 10 * band) for band in range(BANDS)),
    "wavelength units": "nm",
    "map info": ("UTM", "1", "1", "500000", "4000000", "15", "15", "11", "North", "WGS-84"),
}


def stream_of(dtype="uint16", lines=LINES, **settings):
    cube = SyntheticScene(lines, SAMPLES, BANDS, seed=1).read(slice(0, BANDS), slice(0, lines)).astype(dtype)
    cube[:, 3, 4:9] = 7
    settings = {"step": 4.0, "strip_lines": 16, **settings}
    return Encoder(**settings).encode(ArraySource(cube, metadata=METADATA, no_data=7))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"dtype": "float32"},
        {"lines": 10},
        {"lossless": True, "step": None},
        {"stream": True, "bps": 2.0, "step": None},
    ],
)
def test_h5py_and_xarray(tmp_path, settings):
    stream = stream_of(**settings)
    whole = Decoder(stream, restore="off").decode()
    (tmp_path / "a.bf").write_bytes(stream)
    stream_to_hdf5(tmp_path / "a.bf", tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r") as file:
        np.testing.assert_array_equal(file["cube"][:], whole)
        np.testing.assert_array_equal(file["cube"][3, 5:9, ::3], whole[3, 5:9, ::3])
        assert file["wavelength"][4] == 540
        assert file["cube"].attrs["_FillValue"] == 7
    with xarray.open_dataset(tmp_path / "a.h5", engine="h5netcdf", mask_and_scale=False) as found:
        np.testing.assert_array_equal(found.cube.values, whole)
        assert found.wavelength.attrs["units"] == "nm"
        assert found.x.values[0] == 500007.5
        assert found.spatial_ref.attrs["crs_wkt"].endswith('ID["EPSG",32611]]')


def test_damage_and_failures(tmp_path):
    stream = bytearray(stream_of())
    (tmp_path / "a.bf").write_bytes(stream)
    with pytest.raises(OutputError):
        stream_to_hdf5(tmp_path / "a.bf", tmp_path / "no" / "a.h5")
    stream[-9] ^= 1
    (tmp_path / "a.bf").write_bytes(stream)
    with pytest.raises(StreamError, match="lines 32:44 are damaged"):
        stream_to_hdf5(tmp_path / "a.bf", tmp_path / "a.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["a.bf"]


def test_command(tmp_path, capsys):
    from bandfold.cli.main import main

    (tmp_path / "a.bf").write_bytes(stream_of())
    for command, name in (("hdf5", "a.h5"), ("vrt", "a.vrt")):
        with pytest.raises(SystemExit) as caught:
            main([command, str(tmp_path / "a.bf"), "-o", str(tmp_path / name), "--json"])
        assert caught.value.code == 0
        report = json.loads(capsys.readouterr().out)
        assert (report["output"], report["bands"]) == (str(tmp_path / name), BANDS)
        assert (tmp_path / name).exists()
