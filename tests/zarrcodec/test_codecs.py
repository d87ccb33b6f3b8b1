"""Zarr arrays of bandfold streams, in both formats."""

import json

import numpy as np
import pytest

from bandfold.common.errors import BandfoldError, SettingsError, StreamError
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene
from bandfold.zarrcodec import ChunkSettings

numcodecs = pytest.importorskip("numcodecs")
zarr = pytest.importorskip("zarr", minversion="3")

from bandfold.zarrcodec.numcodec import Bandfold  # noqa: E402
from bandfold.zarrcodec.zarr3 import BandfoldCodec  # noqa: E402

BANDS, LINES, SAMPLES = 12, 24, 20


@pytest.fixture(scope="module")
def cube():
    return SyntheticScene(LINES, SAMPLES, BANDS, seed=1).read(slice(0, BANDS), slice(0, LINES))


def close(found, cube, distance):
    assert (found.shape, found.dtype) == (cube.shape, cube.dtype)
    assert np.abs(found.astype(float) - cube.astype(float)).max() < distance
    return True


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numcodecs(cube, axis, order):
    chunk = np.asarray(np.moveaxis(cube, 0, axis), order=order)
    codec = numcodecs.get_codec({"id": "bandfold", "step": 4, "band_axis": axis})
    assert isinstance(codec, Bandfold)
    stream = codec.encode(chunk)
    found = codec.decode(stream)
    assert close(found, chunk, 16)
    assert found.flags[f"{order}_CONTIGUOUS"]
    np.testing.assert_array_equal(Decoder(stream).decode(), np.moveaxis(found, axis, 0))
    out = np.empty_like(chunk, order="C")
    codec.decode(stream, out=out)
    np.testing.assert_array_equal(out, found)
    config = json.loads(json.dumps(codec.get_config()))
    assert numcodecs.get_codec(dict(config)) == codec
    assert repr(codec) == f"Bandfold(step=4{f', band_axis={axis}' if axis else ''})"


@pytest.mark.parametrize("settings", [{"step": 4}, {"bps": 1.0}, {"psnr": 85.0}])
def test_targets(cube, settings):
    stream = Bandfold(**settings).encode(cube)
    if "bps" in settings:
        assert cube.size / 8 * 0.9 < len(stream) <= cube.size / 8
    if "psnr" in settings:
        mse = np.mean((Bandfold(**settings).decode(stream).astype(float) - cube) ** 2)
        assert abs(10 * np.log10(65535**2 / mse) - 85) < 0.5


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays(tmp_path, cube, zarr_format, order):
    """Chunks that reach beyond the edges are filled with the fill value, which is absent data."""
    settings = {"step": 4, "no_data": 65535}
    codec = (
        {"compressors": Bandfold(**settings), "filters": None}
        if zarr_format == 2
        else {"serializer": BandfoldCodec(**settings), "compressors": None}
    )
    array = zarr.create_array(
        tmp_path / "a.zarr",
        shape=cube.shape,
        chunks=(BANDS, 16, 16),
        dtype=cube.dtype,
        zarr_format=zarr_format,
        fill_value=65535,
        order=order if zarr_format == 2 else None,
        **codec,
    )
    holed = cube.copy()
    holed[:, 3, 4:9] = 65535
    array[:] = holed
    found = zarr.open_array(tmp_path / "a.zarr", mode="r")
    assert close(found[:], holed, 16)
    np.testing.assert_array_equal(found[:] == 65535, holed == 65535)
    np.testing.assert_array_equal(found[2:5, 10:18, 3], found[:][2:5, 10:18, 3])
    described = json.loads(
        (tmp_path / "a.zarr" / (".zarray" if zarr_format == 2 else "zarr.json")).read_text()
    )
    if zarr_format == 2:
        assert described["compressor"] == {"id": "bandfold", "step": 4, "no_data": 65535.0}
    else:
        assert described["codecs"] == [{"name": "bandfold", "configuration": {"step": 4, "no_data": 65535.0}}]
    chunks = [
        path for path in (tmp_path / "a.zarr").rglob("*") if path.is_file() and "zarr" not in path.name[:5]
    ]
    streams = [path for path in chunks if path.read_bytes()[1:5] == b"BNDF"]
    assert len(streams) == 4


@pytest.mark.parametrize(
    ("dtype", "settings"),
    [
        ("float32", {"scale": 0.0001}),
        ("float64", {"scale": "auto"}),
        ("float32", {"scale": 0.0001, "offset": 1.0, "no_data": np.nan}),
        ("int32", {"scale": 1.0}),
        ("int8", {}),
    ],
)
def test_types(tmp_path, cube, dtype, settings):
    chunk = (cube / 20000).astype(dtype) if dtype.startswith("f") else (cube // 200).astype(dtype)
    if "no_data" in settings:
        chunk[3, 4] = np.nan
    codec = BandfoldCodec(step=2, **settings)
    array = zarr.create_array(
        tmp_path / "a.zarr", data=chunk, chunks=chunk.shape, serializer=codec, compressors=None
    )
    found = zarr.open_array(tmp_path / "a.zarr", mode="r")[:]
    assert found.dtype == array.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(chunk))
    assert np.nanmax(np.abs(found - chunk.astype(float))) < (0.002 if dtype.startswith("f") else 12)


@pytest.mark.parametrize(
    "settings",
    [{"lossless": True}, {"max_error": 3}, {"max_error": 3, "bps": 1.0}, {"relative_error": 0.001}],
)
def test_bounded_errors(tmp_path, cube, settings):
    codec = BandfoldCodec(**settings)
    zarr.create_array(tmp_path / "a.zarr", data=cube, chunks=cube.shape, serializer=codec, compressors=None)
    found = zarr.open_array(tmp_path / "a.zarr", mode="r")[:]
    limit = cube * settings.get("relative_error", 0.0) + settings.get("max_error", 0)
    assert (np.abs(found.astype(float) - cube) <= limit).all()
    again = numcodecs.get_codec(Bandfold(**settings).get_config())
    assert again.get_config() == {"id": "bandfold", **settings}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint32"])
def test_lossless_floats_and_wide_integers(tmp_path, cube, dtype):
    wide = (cube * 70000.7).clip(0, 4e9 if dtype == "uint32" else 2e9).astype(dtype)
    codec = BandfoldCodec(lossless=True)
    zarr.create_array(tmp_path / "a.zarr", data=wide, chunks=cube.shape, serializer=codec, compressors=None)
    assert zarr.open_array(tmp_path / "a.zarr", mode="r")[:].tobytes() == wide.tobytes()


def test_limits_of_bands_are_written_as_json(tmp_path, cube):
    limits = np.arange(len(cube))
    codec = BandfoldCodec(max_error=limits)
    zarr.create_array(tmp_path / "a.zarr", data=cube, chunks=cube.shape, serializer=codec, compressors=None)
    found = zarr.open_array(tmp_path / "a.zarr", mode="r")[:]
    assert (np.abs(found.astype(int) - cube).max(axis=(1, 2)) <= limits).all()


def test_a_sensor_package(cube, tmp_path):
    from bandfold.bitstream.packages.package import save_package
    from bandfold.calibration.sensor_fit import fit_sensor
    from bandfold.onboard.samples.samples import ArraySource

    package = save_package(fit_sensor({"one": ArraySource(cube)}, "tiny"), tmp_path / "tiny.bfm")
    assert package.name == "tiny"
    small = Bandfold(step=8, sensor=str(tmp_path / "tiny.bfm")).encode(cube)
    assert len(small) < len(Bandfold(step=8).encode(cube))


def test_from_xarray(tmp_path, cube):
    xarray = pytest.importorskip("xarray")
    data = xarray.Dataset({"cube": (("band", "y", "x"), cube)})
    encoding = {"cube": {"chunks": cube.shape, "serializer": BandfoldCodec(step=4), "compressors": ()}}
    data.to_zarr(tmp_path / "a.zarr", encoding=encoding, consolidated=False)
    with xarray.open_zarr(tmp_path / "a.zarr", consolidated=False, chunks=None) as found:
        assert close(found.cube.values, cube, 16)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_efforts_are_those_of_the_encoder_and_kept_in_the_array(tmp_path, cube, zarr_format):
    def chunk(**settings):
        codec = BandfoldCodec if zarr_format == 3 else Bandfold
        made = {"serializer" if zarr_format == 3 else "compressors": codec(step=4, **settings)}
        path = tmp_path / f"{settings}.zarr"
        array = zarr.create_array(
            path,
            data=cube,
            chunks=cube.shape,
            zarr_format=zarr_format,
            **({"compressors": None} if zarr_format == 3 else {}) | made,
        )
        assert close(array[:], cube, 24)
        told = json.loads((path / ("zarr.json" if zarr_format == 3 else ".zarray")).read_text())
        told = told["codecs"][0]["configuration"] if zarr_format == 3 else told["compressor"]
        assert {name: told.get(name) for name in settings} == settings
        data = next(path.glob("c/0/0/0" if zarr_format == 3 else "0.0.0")).read_bytes()
        assert data == Encoder(step=4, **settings).encode(cube)
        return data

    assert len({chunk(effort=1), chunk(), chunk(effort=9)}) == 3
    assert chunk(effort=4, quantiser="uniform") == chunk(effort=3)


def test_what_is_refused(tmp_path, cube):
    for settings, message in [
        ({}, "exactly one"),
        ({"step": 4, "bps": 1}, "exactly one"),
        ({"lossless": True, "max_error": 1}, "leave out lossless"),
        ({"step": 4, "band_axis": 3}, "use 0, 1 or 2"),
        ({"step": 4, "effort": 10}, "effort 10 is out of range"),
        ({"step": 4, "quantiser": "best"}, "best"),
        ({"step": 4, "scale": "much"}, "or auto"),
    ]:
        with pytest.raises(SettingsError, match=message):
            ChunkSettings(**settings)
    codec = Bandfold(step=4)
    with pytest.raises(SettingsError, match="2 axes"):
        codec.encode(cube[0])
    with pytest.raises(SettingsError, match="native byte order"):
        codec.encode(cube.astype(">u2"))
    for dtype, settings in (("int64", {}), ("complex64", {"scale": 1.0})):
        with pytest.raises(BandfoldError):
            zarr.create_array(
                tmp_path / f"{dtype}.zarr",
                shape=cube.shape,
                dtype=dtype,
                chunks=cube.shape,
                serializer=BandfoldCodec(step=4, **settings),
                compressors=None,
            )
    stream = bytearray(codec.encode(cube))
    stream[-4] ^= 0xFF
    with pytest.raises(StreamError, match="a chunk is damaged"):
        codec.decode(bytes(stream))


def test_a_chunk_of_another_array_is_refused(tmp_path, cube):
    """Of another shape with as many bytes, of another type: never taken for the samples of the array."""
    stream = Bandfold(step=4).encode(cube)
    for out in (
        np.empty((BANDS, SAMPLES, LINES), cube.dtype),
        np.empty((BANDS, LINES, SAMPLES), np.int16),
        np.empty((BANDS, LINES, 2 * SAMPLES), cube.dtype),
        np.empty(BANDS * LINES * SAMPLES * 2 + 1, np.uint8),
    ):
        with pytest.raises(StreamError, match="another array"):
            Bandfold(step=4).decode(stream, out=out)
    for shape, dtype in (
        ((BANDS, SAMPLES, LINES), "uint16"),
        ((BANDS, LINES, SAMPLES), "int16"),
        ((BANDS, LINES, SAMPLES), "float32"),
    ):
        folder = tmp_path / f"{shape[1]}{dtype}.zarr"
        array = zarr.create_array(
            folder, shape=shape, dtype=dtype, chunks=shape, serializer=BandfoldCodec(step=4), compressors=None
        )
        array[...] = np.ones(shape, dtype)
        (chunk,) = (path for path in folder.rglob("c/0/0/0"))
        chunk.write_bytes(stream)
        with pytest.raises(StreamError, match="another array"):
            array[...]
