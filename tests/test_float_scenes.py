"""Float scenes with each kind of outlier: ordinary samples as precise as promised, outliers exact."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.cli.main import main
from bandfold.common.scene import SceneInfo
from bandfold.ground import Decoder
from bandfold.onboard import Encoder, StreamEncoder
from bandfold.zarrcodec import ChunkSettings

BANDS, LINES, SAMPLES = 12, 40, 27
FINEST = 1 / 16


def radiance(seed=0):
    """Smooth radiance of 0 to 13 W/m2/sr/um, with some noise."""
    line, sample = np.mgrid[:LINES, :SAMPLES]
    spectra = np.exp(-(((np.arange(BANDS)[:, None] - [2, 6, 10]) / 4.0) ** 2))
    fields = [np.sin(sample / 7 + one) * np.cos(line / 9 - one) + 1.2 for one in range(3)]
    noise = np.random.default_rng(seed).normal(0, 0.02, (BANDS, LINES, SAMPLES))
    return (5 * np.einsum("bm,mls->bls", spectra, fields) + 0.1 + noise).astype(np.float32)


def some(count, seed=3):
    """Places of some samples."""
    mask = np.zeros(BANDS * LINES * SAMPLES, bool)
    mask[np.random.default_rng(seed).choice(mask.size, count, replace=False)] = True
    return mask.reshape(BANDS, LINES, SAMPLES)


def border():
    mask = np.zeros((BANDS, LINES, SAMPLES), bool)
    mask[:, :6], mask[:, :, -3:] = True, True
    return mask


def bands(*numbers):
    mask = np.zeros((BANDS, LINES, SAMPLES), bool)
    mask[list(numbers)] = True
    return mask


def of_bands(values, mask=None):
    """A value for each sample of a mask, by its band."""
    mask = border() if mask is None else mask
    return np.repeat(np.asarray(values, "f4"), mask.sum(axis=(1, 2)))


RNG = np.random.default_rng(9)

OUTLIERS = {
    "one fill value": (some(1), -9999.0),
    "fill values": (some(500), -9999.0),
    "a spike": (some(1), 1e6),
    "a negative spike": (some(1), -3e7),
    "different spikes": (some(60), RNG.normal(0, 1e6, 60).astype("f4")),
    "fill of NetCDF": (some(300), 9.969209968386869e36),
    "fill of NetCDF in one sample": (some(1), 9.969209968386869e36),
    "least integer": (some(90), -(2.0**31)),
    "NaN": (some(70), np.nan),
    "one NaN": (some(1), np.nan),
    "infinities": (some(6), np.array([np.inf, -np.inf] * 3, "f4")),
    "greatest float": (some(2), np.finfo("f4").max),
    "a border": (border(), -9999.0),
    "a border of zeros": (border(), 0.0),
    "a border of NaN": (border(), np.nan),
    "bands without data": (bands(2, 5, 6), -9999.0),
    "a band of infinities": (bands(7), np.inf),
    "a border with another value in each band": (border(), of_bands(-9999 - np.arange(BANDS))),
    "a border with small values of each band": (border(), of_bands(-20.0 - np.arange(BANDS))),
    "a border of five codes": (border(), of_bands(np.resize([-9999, -32768, np.nan, 1e20, -777], BANDS))),
    "single samples with a value of each band": (
        columns := np.tile(some(2000).any(axis=0), (BANDS, 1, 1)),
        of_bands(1e4 + 3.0 * np.arange(BANDS), columns),
    ),
}


def scene(kind):
    cube = radiance()
    mask, values = OUTLIERS[kind]
    cube[mask] = values
    return cube, mask


def check(found, cube, mask, precision):
    """Bits of outliers, and ordinary samples to the precision that was told."""
    assert found.dtype == cube.dtype
    np.testing.assert_array_equal(found[mask], cube[mask])
    error = np.abs(found[~mask].astype(float) - cube[~mask])
    assert error.max() <= 1.01 * precision
    assert 2e-5 < precision < 2e-3


def precision_of(stream):
    report = Decoder(stream, restore="off").report()
    assert report["precision_of_bands"] == []
    assert {one["precision"] for one in report["segments"]} == {report["precision"]}
    return report["precision"]


@pytest.mark.parametrize("kind", OUTLIERS)
def test_encoder(kind):
    cube, mask = scene(kind)
    encoder = Encoder(step=FINEST)
    stream = encoder.encode(cube)
    check(Decoder(stream, restore="off").decode(), cube, mask, precision_of(stream))
    assert encoder.notes[0].startswith(f"precision {precision_of(stream):.2g}")


@pytest.mark.parametrize("kind", OUTLIERS)
def test_stream_encoder(kind):
    cube, mask = scene(kind)
    sections = []
    encoder = StreamEncoder(
        SceneInfo(BANDS, 1, SAMPLES, cube.dtype), sections.append, step=FINEST, strip_lines=16
    )
    for line in range(LINES):
        encoder.push(cube[:, line : line + 1].transpose(1, 0, 2))
    encoder.flush()
    stream = b"".join(sections)
    check(Decoder(stream, restore="off").decode(), cube, mask, precision_of(stream))
    assert encoder.notes[0].startswith("precision ")


@pytest.mark.parametrize("kind", OUTLIERS)
def test_zarr(kind):
    cube, mask = scene(kind)
    codec = ChunkSettings(step=FINEST)
    stream = codec.encode(cube)
    check(codec.decode(stream, cube.shape, cube.dtype), cube, mask, precision_of(stream))


@pytest.mark.parametrize(
    "kind", ["fill values", "a spike", "bands without data", "a border of NaN", "infinities"]
)
def test_command_line(kind, tmp_path, monkeypatch, capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([str(one) for one in arguments])
        assert caught.value.code == 0
        return capsys.readouterr()

    monkeypatch.chdir(tmp_path)
    cube, mask = scene(kind)
    np.save("a.npy", cube)
    told = run("encode", "a.npy", "-o", "a.bf", "--step", FINEST).err
    report = json.loads(run("info", "a.bf", "--json").out)
    assert f"precision {report['precision']:.2g}" in told
    run("decode", "a.bf", "-o", "b.npy", "--restore", "off")
    check(np.load("b.npy"), cube, mask, report["precision"])
    if kind == "fill values":
        assert "fill value -9999 in 3.9 % of the samples, which nobody declared" in told
        assert report["fill_values_found"] == "-9999 in 3.9 % of the samples"
        assert report["no_data"] == "-9999.0"
        run("encode", "a.npy", "-o", "c.bf", "--step", FINEST, "--no-data", "none")
        other = json.loads(run("info", "c.bf", "--json").out)
        assert (other["no_data"], other["fill_values_found"]) == (None, None)
        run("decode", "c.bf", "-o", "c.npy", "--restore", "off")
        check(np.load("c.npy"), cube, mask, other["precision"])


@settings(max_examples=40, deadline=None)
@given(
    places=st.lists(st.integers(0, 6 * 17 * 13 - 1), max_size=40, unique=True),
    values=st.lists(st.floats(width=32), min_size=1, max_size=40),
    stream=st.booleans(),
    no_data=st.sampled_from([None, -9999.0, math.nan, 0.0]),
)
def test_whatever_is_put_into_a_scene(places, values, stream, no_data):
    from bandfold.onboard import ArraySource

    generator = np.random.default_rng(2)
    cube = generator.normal(5, 1, (6, 17, 13)).astype(np.float32)
    ordinary = cube.copy()
    cube.reshape(-1)[places] = np.resize(np.array(values, "f4"), len(places))
    encoder = Encoder(step=FINEST, spectral="none", stream=stream, strip_lines=8)
    data = encoder.encode(ArraySource(cube, no_data=no_data))
    decoder = Decoder(data, restore="off")
    found = decoder.decode()
    changed = np.zeros(cube.size, bool)
    changed[places] = True
    changed = changed.reshape(cube.shape)
    precision = decoder.report()["precision"]
    assert np.abs(found - ordinary)[~changed].max() <= 1.01 * precision
    assert precision < 0.01
    far = changed & ~(np.abs(cube - 5) < 1e3)
    np.testing.assert_array_equal(found[far], cube[far])
    if no_data is not None:
        absent = np.isnan if math.isnan(no_data) else lambda block: block == np.float32(no_data)
        np.testing.assert_array_equal(absent(found), absent(cube))


@pytest.mark.parametrize("dtype", ["int32", "uint32", "float64"])
@pytest.mark.parametrize("stream", [False, True])
def test_narrow_integers_with_a_fill_value_are_exact(dtype, stream):
    cube = np.rint(70000 + 100 * radiance()).astype(dtype)
    fill = {"int32": -(2**31), "uint32": 2**32 - 1, "float64": 1e300}[dtype]
    cube[:, 20:24] = fill
    cube[3, 5, 6] = 2**31 - 1
    data = Encoder(step=FINEST, stream=stream, strip_lines=16).encode(cube)
    np.testing.assert_array_equal(Decoder(data, restore="off").decode(), cube)


def test_bad_bands_do_not_spoil_the_others():
    cube = radiance()
    bad = [3, 7]
    cube[bad] = np.random.default_rng(4).normal(0, 1e6, (2, LINES, SAMPLES))
    encoder = Encoder(step=FINEST)
    decoder = Decoder(encoder.encode(cube), restore="off")
    found, report = decoder.decode(), decoder.report()
    good = [band for band in range(BANDS) if band not in bad]
    assert np.abs(found - cube)[good].max() <= 1.01 * report["precision"] < 1e-3
    for own, note in zip(report["precision_of_bands"], encoder.notes[1:], strict=True):
        assert own["band"] in bad
        assert f"band {own['band']} " in note
        assert np.abs(found - cube)[own["band"]].max() <= 1.01 * own["precision"]
        assert own["precision"] < 1e4


def test_lines_that_are_much_brighter_than_the_first_ones_are_coarser_and_say_so():
    cube = radiance()
    cube[:, 16:32] *= 300
    data = Encoder(step=FINEST, stream=True, strip_lines=16).encode(cube)
    decoder = Decoder(data, restore="off")
    found, segments = decoder.decode(), decoder.report()["segments"]
    assert [one["precision"] > segments[0]["precision"] for one in segments] == [False, True, False]
    for one in segments:
        lines = slice(*one["lines"])
        # Half a unit of rounding, and what half a step adds.
        assert np.abs(found - cube)[:, lines].max() <= 2 * one["precision"]
    assert len(data) < cube.size * 2.2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", ["fill values", "a border", "a spike"])
def test_qualities_are_those_of_the_data(kind, stream):
    cube, mask = scene(kind)
    spread = float(np.ptp(cube[~mask]))
    for target, rmse in (({"psnr": 45.0}, spread * 10 ** (-45 / 20)), ({"rmse": 0.05}, 0.05)):
        data = Encoder(**target, stream=stream, strip_lines=16).encode(cube)
        found = Decoder(data, restore="off").decode()
        error = np.sqrt(np.mean((found[~mask].astype(float) - cube[~mask]) ** 2))
        # A stream refers to the range of its first strip.
        assert error <= rmse * (1.25 if stream and "psnr" in target else 1.05)
        # What is put in place of scattered samples takes more than its share of the error.
        assert error >= rmse * (0.4 if kind == "fill values" else 0.75 if stream else 0.95)


def test_a_stream_of_floats_is_resumed():
    from bandfold.onboard.downlink.resume import find_begun

    cube, mask = scene("fill values")
    whole = []
    info = SceneInfo(BANDS, 1, SAMPLES, cube.dtype)
    encoder = StreamEncoder(info, whole.append, step=FINEST, strip_lines=8)
    encoder.push(cube[:, :16].transpose(1, 0, 2))
    begun = find_begun(b"".join(whole))
    rest = []
    again = StreamEncoder(info, rest.append, step=FINEST, strip_lines=8, begun=begun)
    again.push(cube[:, begun.lines :].transpose(1, 0, 2))
    again.flush()
    stream = b"".join(whole)[: begun.size] + b"".join(rest)
    check(Decoder(stream, restore="off").decode(), cube, mask, precision_of(stream))


def test_a_declared_scaling_stays_as_it_was():
    from bandfold.common.errors import SceneError
    from bandfold.common.scene import Scaling
    from bandfold.onboard import ArraySource

    cube, _ = scene("a spike")
    with pytest.raises(SceneError, match="is outside"):
        Encoder(step=1.0).encode(ArraySource(cube, scaling=Scaling(0.001)))
