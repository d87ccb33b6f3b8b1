"""Lossless floats and 32-bit integers: every bit comes back, whatever the samples and the way of coding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.container.truncation import truncate
from bandfold.common.scene import Scaling
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder

BANDS, LINES, SAMPLES, STRIP = 6, 40, 21, 16
DTYPES = ["float32", "float64", "int32", "uint32"]


def scene(dtype="float32", seed=3):
    """Radiances of more digits than counts have."""
    generator = np.random.default_rng(seed)
    line, sample = np.mgrid[:LINES, :SAMPLES]
    wave = np.sin(line / 5) * 300 + np.cos(sample / 4) * 200
    cube = 600 + wave * np.linspace(0.3, 1.4, BANDS)[:, None, None] + generator.normal(0, 6, wave.shape)
    return (cube * (0.0371 if dtype.startswith("f") else 12345.0)).astype(dtype)


def coded(source, **choices):
    """A stream, and a decoder of it that found no damage."""
    data = Encoder(**{"strip_lines": STRIP, "lossless": True, **choices}).encode(source)
    decoder = Decoder(data)
    samples = decoder.decode()
    assert decoder.damage == []
    assert [bound.max_error for bound in decoder.bounds] == [0] * len(decoder.bounds)
    assert decoder.report()["max_error"] == 0
    return data, samples


def same(found, wanted):
    """Bit by bit."""
    return found.dtype == wanted.dtype and found.tobytes() == np.ascontiguousarray(wanted).tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "base",
    [
        {},
        {"bps": 2.0},
        {"step": 1e6, "layers": "base-first"},
        {"spectral": "none", "step": 40.0},
        {"stream": True},
        {"stream": True, "step": 30.0, "threads": 2},
    ],
)
def test_every_base_leads_to_every_bit(dtype, base):
    cube = scene(dtype)
    data, samples = coded(cube, **base)
    assert same(samples, cube)
    assert len(data) < 0.9 * cube.nbytes


def test_bytes_do_not_depend_on_threads():
    cube = scene()
    assert coded(cube, threads=2)[0] == coded(cube)[0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_part_is_the_part_of_the_whole(dtype):
    cube = scene(dtype)
    data, _ = coded(cube)
    for bands, lines in (
        (slice(2, 4), slice(3, 20)),
        (slice(5, 6), slice(33, 40)),
        (slice(0, 1), slice(0, 1)),
    ):
        assert same(Decoder(data).decode(bands, lines), cube[bands, lines])


def test_what_truncation_leaves_is_exact_and_the_rest_is_told():
    cube = scene()
    data, _ = coded(cube)
    decoder = Decoder(truncate(data, len(data) * 3 // 4).data)
    found, (first, *_, last) = decoder.decode(), decoder.bounds
    assert decoder.damage == []
    assert (first.max_error, last.max_error) == (0, None)
    assert same(found[:, first.lines], cube[:, first.lines])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_outliers_and_absent_samples_are_kept_beside(dtype, stream):
    cube = scene(dtype)
    cube[0, 3, :5] = 1e20
    cube[1, 2] = -0.0
    cube[1, 2, 3:6] = [0.0, 1e-42, -1e-42]
    cube[2, 8] = np.inf
    cube[2, 9, 4] = -np.inf
    cube[:, 20:26, 10:18] = -9999.0
    _, samples = coded(cube, stream=stream)
    assert same(samples, cube)
    # As what nobody declared, with bits of its own.
    cube[3, 5, 5:7] = np.array([0x7FC00123, 0xFFC00001], dtype=np.uint32).view(np.float32)
    assert same(coded(cube, stream=stream)[1], cube)
    cube[:, 30:34, 2:9] = np.nan
    assert same(coded(ArraySource(cube, no_data=-9999.0), stream=stream)[1], cube)


@pytest.mark.parametrize("marker", [float("nan"), -1.0])
def test_a_declared_scaling_is_only_the_base(marker):
    cube = scene()
    cube[1:3, 4:9, 2:7] = marker
    source = ArraySource(cube, scaling=Scaling(0.05, 1.0), no_data=marker)
    assert same(coded(source)[1], cube)


def test_strips_of_counts_stay_counts():
    """They take less, and say the same."""
    counts = np.rint(scene())
    _, samples = coded(counts)
    assert same(samples, counts)
    finer = counts.copy()
    finer[0, 0, 0] += np.float32(1 / 1024)
    scaling = Scaling(1.0)
    plain, mixed = (coded(ArraySource(one, scaling=scaling), step=8.0)[0] for one in (counts, finer))
    assert len(plain) < len(mixed) < 3 * len(plain)
    assert same(Decoder(mixed).decode(), finer)


def test_doubles_that_are_singles_take_what_these_take():
    cube = scene()
    wide = coded(cube.astype("float64"), step=8.0)
    assert same(wide[1], cube.astype("float64"))
    assert len(wide[0]) < 1.02 * len(coded(cube, step=8.0)[0])


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_any_bits_come_back(dtype, data):
    """Subnormal, huge and negative numbers, zeros, infinities, NaN, least and largest integers."""
    width = np.dtype(dtype).itemsize
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 18), st.integers(1, 12)))
    generator = np.random.default_rng(data.draw(st.integers(0, 1 << 32)))
    bits = generator.integers(0, 1 << 8 * width, shape, dtype=f"u{width}", endpoint=False)
    low = data.draw(st.sampled_from([0, 4, 8 * width - 9, 8 * width - 2]))
    sign = bits & np.array(1 << 8 * width - 1, bits.dtype)
    cube = (bits >> np.array(low, bits.dtype) | sign * data.draw(st.booleans())).view(dtype)
    if dtype.startswith("f"):
        # One NaN all over would be found, and taken for what marks absent data.
        cube[np.isnan(cube)] = 1.5
    step = data.draw(st.sampled_from([0.25, 7.0, 900.0, 1e6]))
    encoder = Encoder(lossless=True, step=step, find_fill_values=False)
    assert same(Decoder(encoder.encode(cube)).decode(), cube)


def test_doubles_infinitely_many_counts_away():
    cube = scene().astype("float64") * 1e-200
    cube[1, 2, 3] = 1e300
    assert same(coded(cube, step=8.0)[1], cube)


@pytest.mark.parametrize("dtype", ["int32", "uint32"])
def test_least_and_largest_integers(dtype):
    ends = np.iinfo(dtype)
    some = np.random.default_rng(1).random((3, 20, 9))
    cube = np.where(some < 0.4, ends.min, np.where(some < 0.8, ends.max, ends.max // 3)).astype(dtype)
    assert same(coded(cube)[1], cube)
