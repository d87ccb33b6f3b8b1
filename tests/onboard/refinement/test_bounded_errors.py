"""Bounded errors: no sample is beyond its limit, whatever the scene, the base and the way of coding."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.common.errors import SettingsError
from bandfold.common.scene import Scaling
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder
from bandfold.onboard.refinement import strip_refiner

GOLDEN = Path(__file__).parents[2] / "golden"
BANDS, LINES, SAMPLES, STRIP = 6, 40, 21, 16


def scene(dtype=np.int16, seed=3):
    generator = np.random.default_rng(seed)
    line, sample = np.mgrid[:LINES, :SAMPLES]
    wave = np.sin(line / 5) * 300 + np.cos(sample / 4) * 200
    cube = 500 + wave * np.linspace(0.3, 1.4, BANDS)[:, None, None] + generator.normal(0, 6, wave.shape)
    ends = np.iinfo(dtype)
    return np.rint(np.clip(cube, ends.min, ends.max)).astype(dtype)


def coded(source, **choices):
    """The stream, its samples, and a decoder that found no damage."""
    data = Encoder(**{"strip_lines": STRIP, **choices}).encode(source)
    decoder = Decoder(data)
    samples = decoder.decode()
    assert decoder.damage == []
    return data, samples, decoder


def error(found, wanted):
    return np.abs(found.astype(np.float64) - wanted.astype(np.float64))


@pytest.fixture(autouse=True)
def packages(monkeypatch):
    monkeypatch.setenv("BANDFOLD_MODELS", str(GOLDEN))


BASES = [
    {},
    {"bps": 2.0},
    {"nbytes": 2500},
    {"psnr": 60.0},
    {"step": 1e6},
    {"step": 0.5, "quantiser": "uniform"},
    {"spectral": "none"},
    {"model": GOLDEN / "golden-lapped.bfm"},
    {"stream": True},
    {"stream": True, "step": 30.0},
    {"layers": "base-first"},
    {"threads": 2},
]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("limit", [0, 3])
def test_every_base_is_refined(base, limit):
    cube = scene()
    _, samples, decoder = coded(cube, max_error=limit, **base)
    assert samples.dtype == cube.dtype
    assert error(samples, cube).max() <= limit
    assert [bound.max_error for bound in decoder.bounds] == [limit] * len(decoder.bounds)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
def test_all_types_come_back_bit_by_bit(dtype):
    ends = np.iinfo(dtype)
    noise = np.random.default_rng(2).integers(ends.min, ends.max + 1, (3, 20, 9), dtype=dtype)
    for cube in (scene(dtype), noise, np.full((2, 9, 9), ends.max, dtype)):
        np.testing.assert_array_equal(coded(cube, lossless=True)[1], cube)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 1), (40, 1, 3), (2, 1, 70)])
def test_odd_shapes_come_back(shape):
    cube = np.random.default_rng(7).integers(0, 4000, shape).astype(np.uint16)
    np.testing.assert_array_equal(coded(cube, lossless=True)[1], cube)
    assert error(coded(cube, max_error=40)[1], cube).max() <= 40


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_limits_hold_for_any_samples(data):
    """Scenes of extremes and steps, limits by band, and any step of the base."""
    dtype = data.draw(st.sampled_from([np.uint8, np.int16, np.uint16]))
    ends = np.iinfo(dtype)
    shape = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 18), st.integers(1, 12)))
    generator = np.random.default_rng(data.draw(st.integers(0, 1 << 32)))
    spread = data.draw(st.sampled_from([1, 30, 3000, ends.max]))
    cube = generator.integers(-spread, spread + 1, shape) + data.draw(st.integers(ends.min, ends.max))
    cube = np.clip(cube, ends.min, ends.max).astype(dtype)
    limits = data.draw(st.lists(st.integers(0, 300), min_size=shape[0], max_size=shape[0]))
    _, samples, _ = coded(cube, max_error=limits, step=data.draw(st.sampled_from([0.25, 7.0, 900.0, 1e6])))
    assert (error(samples, cube).max(axis=(1, 2)) <= limits).all()


@settings(max_examples=15, deadline=None)
@given(share=st.floats(1e-5, 0.99), floor=st.integers(0, 200), seed=st.integers(0, 999))
def test_relative_limits_hold(share, floor, seed):
    cube = np.rint(np.random.default_rng(seed).standard_t(1, (3, 17, 9)) * 200).clip(-32768, 32767)
    cube = cube.astype(np.int16)
    _, samples, decoder = coded(cube, relative_error=share, max_error=floor)
    assert (error(samples, cube) <= np.maximum(floor, np.abs(cube.astype(float)) * share)).all()
    assert decoder.bounds[0].max_error == floor
    assert (decoder.bounds[0].relative_error or 0.0) <= share


def test_a_limit_of_its_own_for_each_band():
    cube, limits = scene(), [0, 1, 2, 5, 40, 1000]
    found = error(coded(cube, max_error=limits)[1], cube).max(axis=(1, 2))
    assert (found <= limits).all()
    assert (found[:4] == limits[:4]).all()


def test_absent_samples_stay_absent_and_cost_nothing():
    cube = scene()
    cube[2:4, 5:30, 3:12] = -7
    for limit in (0, 1, 9):
        _, samples, _ = coded(ArraySource(cube, no_data=-7), max_error=limit)
        np.testing.assert_array_equal(samples == -7, cube == -7)
        assert error(samples, cube).max() <= limit


@pytest.mark.parametrize("marker", [100, 0, 65535])
def test_no_present_sample_passes_for_an_absent_one_nor_leaves_its_limit(marker):
    """Samples on both sides of the marker, whose decoded values decoders move off it."""
    generator = np.random.default_rng(1)
    cube = np.clip(marker + generator.integers(-4, 5, (3, 24, 24)), 0, 65535).astype(np.uint16)
    for limit in (1, 3):
        _, samples, _ = coded(ArraySource(cube, no_data=marker), max_error=limit, step=100.0)
        np.testing.assert_array_equal(samples == marker, cube == marker)
        assert error(samples, cube).max() <= limit
    _, samples, _ = coded(ArraySource(cube, no_data=marker), relative_error=0.03, step=100.0)
    np.testing.assert_array_equal(samples == marker, cube == marker)
    assert (error(samples, cube) <= cube * 0.03).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_limits_of_floats_are_in_their_units(dtype):
    values = scene().astype(dtype) * 0.01 + np.random.default_rng(1).normal(0, 0.003, scene().shape)
    values = values.astype(dtype)
    values[1, 3:9] = np.nan
    source = ArraySource(values, scaling=Scaling(0.002), no_data=float("nan"))
    for limit in (0.0011, 0.01, 0.5):
        _, samples, _ = coded(source, max_error=limit)
        np.testing.assert_array_equal(np.isnan(samples), np.isnan(values))
        assert np.nanmax(error(samples, values)) <= limit
    with pytest.raises(SettingsError, match="finer --scale"):
        coded(source, max_error=0.0009)
    _, samples, decoder = coded(source, lossless=True)
    np.testing.assert_array_equal(samples, values)
    assert [bound.max_error for bound in decoder.bounds] == [0] * len(decoder.bounds)


def test_scaled_samples_that_are_counts_come_back_exactly():
    values = (scene().astype(np.float64) * 0.125 - 3).astype(np.float32)
    source = ArraySource(values, scaling=Scaling(0.125, -3.0))
    np.testing.assert_array_equal(coded(source, lossless=True)[1], values)
    integers = scene().astype(np.int32) + 1_000_000
    source = ArraySource(integers, scaling=Scaling(1.0, 1_000_000.0))
    np.testing.assert_array_equal(coded(source, lossless=True)[1], integers)


def wild_floats(dtype="float32"):
    """Radiances with outliers, infinities, NaN, an undeclared fill value, and a band of another order."""
    generator = np.random.default_rng(5)
    values = (scene() * 0.037 + generator.normal(0, 0.01, scene().shape)).astype(dtype)
    values[0, 3, :5] = 1e20
    values[2, 8] = np.inf
    values[3, 20:22, 4] = np.nan
    values[4] *= 1e6
    values[:, 30:36, 10:18] = -9999.0
    return values


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_need_no_scaling(dtype, stream):
    """Outliers are exact, all others within limits: one for usual bands, one for the wild one."""
    values = wild_floats(dtype)
    limits = [0.01] * BANDS
    limits[4] = 0.01 * 1e6 * 8
    _, samples, decoder = coded(values, max_error=limits, stream=stream)
    np.testing.assert_array_equal(np.isfinite(samples), np.isfinite(values))
    finite = np.isfinite(values)
    off = np.where(finite, error(np.where(finite, samples, 0), np.where(finite, values, 0)), 0)
    assert (off.max(axis=(1, 2)) <= limits).all()
    # To whom does not see the whole scene they are usual values of the wild band.
    bands = [band for band in range(BANDS) if band != 4 or not stream]
    np.testing.assert_array_equal(samples[bands, 30:36, 10:18], -9999.0)
    np.testing.assert_array_equal(samples[0, 3, :5], values[0, 3, :5])
    for bound in decoder.bounds:
        assert (off.max(axis=(1, 2)) <= bound.errors).all()
        assert (bound.errors <= np.array(limits) * (1 + 1e-9)).all()


def test_a_stream_whose_range_grows_keeps_its_limit():
    """Later strips exceed what counts of the first one hold: what has no count is exact."""
    values = (scene() * 0.037).astype("float32")
    values[:, 24:] *= 40
    _, samples, decoder = coded(values, max_error=0.01, stream=True)
    assert error(samples, values).max() <= 0.01
    assert max(bound.max_error for bound in decoder.bounds) <= 0.01


def test_whole_numbers_in_floats_come_back_exactly():
    values = scene().astype("float32")
    values[1, 2, 3] = 3e30
    values[2, 5] = np.nan
    _, samples, decoder = coded(values, lossless=True)
    np.testing.assert_array_equal(samples, values)
    assert [bound.max_error for bound in decoder.bounds] == [0] * len(decoder.bounds)
    assert decoder.report()["max_error"] == 0


def test_relative_limits_are_those_of_integers():
    with pytest.raises(SettingsError, match="8 and 16 bit integers"):
        coded(scene().astype("float32"), relative_error=0.1)


def test_the_base_is_what_it_would_be_alone():
    """But for what says and keeps the limits, sections are those of a stream without, byte by byte."""
    cube = scene()
    for layers in ("interleaved", "base-first"):
        data = coded(cube, bps=1.0, lossless=True, layers=layers)[0]
        parts = [one for one in read_sections(data) if one.kind not in (Section.REFINEMENT, Section.LIMITS)]
        alone = list(read_sections(Encoder(bps=1.0, strip_lines=STRIP).encode(cube)))
        assert parts == alone
        kinds = [one.kind for one in read_sections(data) if one.kind in (Section.SEGMENT, Section.REFINEMENT)]
        pairs = [Section.SEGMENT, Section.REFINEMENT]
        assert kinds == (pairs * 3 if layers == "interleaved" else sorted(pairs * 3))


def test_bytes_do_not_depend_on_threads():
    cube = scene()
    assert coded(cube, lossless=True, threads=2)[0] == coded(cube, lossless=True)[0]


def test_a_limit_that_the_base_keeps_costs_next_to_nothing():
    cube = scene()
    alone = len(Encoder(step=2.0, strip_lines=STRIP).encode(cube))
    assert len(coded(cube, step=2.0, max_error=100)[0]) < alone + 3 * 80


def test_published_networks_are_refused():
    with pytest.raises(SettingsError, match=r"golden-walsh decodes in floating point.*leave out the model"):
        Encoder(lossless=True, model=GOLDEN / "golden-walsh.bfm")


def test_a_refinement_that_fails_is_noticed_before_it_is_written(monkeypatch):
    """Whatever the residual coder says it made, samples are compared with their limits."""
    code = strip_refiner.code_bands

    def spoilt(*arguments):
        for number, band in enumerate(code(*arguments)):
            if number == 1:
                band.refined[2, 3] += 5
            yield band

    monkeypatch.setattr(strip_refiner, "code_bands", spoilt)
    for limits in ({"max_error": 2}, {"lossless": True}):
        with pytest.raises(
            strip_refiner.VerificationError, match="band 1 of the strip from line 0 on is not"
        ):
            coded(scene(), **limits)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"lossless": True, "max_error": 1}, "leave out lossless"),
        ({"lossless": True, "relative_error": 0.1}, "leave out lossless"),
        ({"max_error": -1}, "out of range"),
        ({"max_error": float("nan")}, "out of range"),
        ({"max_error": []}, "no limits"),
        ({"relative_error": 1.5}, "out of range"),
        ({"relative_error": 0.1, "max_error": [1, 2]}, "one max_error for all bands"),
        ({"layers": "base-first", "bps": 1.0}, "add lossless"),
        ({"layers": "sideways", "lossless": True}, "unknown"),
        ({"layers": "base-first", "lossless": True, "stream": True}, "hold back"),
        ({"lossless": True, "bps": 1.0, "step": 2.0}, "exactly one"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(choices, said):
    with pytest.raises(SettingsError, match=said):
        Encoder(**choices)
