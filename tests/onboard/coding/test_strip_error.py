"""The error that rate control sees is that of the samples that count, and of no others."""

import numpy as np
import pytest

from bandfold.common.errors import BudgetError
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder


def scene(lines, samples, bands=6):
    line, sample = np.mgrid[:lines, :samples]
    fields = np.stack([np.sin(line / 3 + sample * (1 + band) / 9) for band in range(3)])
    mix = np.random.default_rng(1).normal(size=(bands, 3))
    noise = np.random.default_rng(2).normal(0, 20, (bands, lines, samples))
    return (9000 + 1500 * np.einsum("bm,mls->bls", mix, fields) + noise).clip(0, 65535).astype(np.uint16)


def psnr(found, cube, counted=True):
    error = (found.astype(float) - cube)[np.broadcast_to(counted, cube.shape)]
    return 10 * np.log10(65535**2 / np.mean(error**2))


@pytest.mark.parametrize("sides", [(41, 44), (60, 33), (48, 48)])
@pytest.mark.parametrize("spectral", ["auto", "none"])
@pytest.mark.parametrize("quality", [60.0, 70.0])
def test_a_quality_is_met_where_sides_are_no_multiples_of_a_block(sides, spectral, quality):
    cube = scene(*sides)
    found = Decoder(Encoder(psnr=quality, spectral=spectral).encode(cube), restore="off").decode()
    assert psnr(found, cube) == pytest.approx(quality, abs=0.2)


@pytest.mark.parametrize("sides", [(9, 9), (17, 25), (33, 10), (1, 41), (24, 24)])
@pytest.mark.parametrize("spectral", ["auto", "none"])
@pytest.mark.parametrize("quality", [60.0, 70.0])
def test_a_small_scene_meets_a_quality_in_the_fewest_bytes(sides, spectral, quality):
    cube = scene(*sides)
    stream = Encoder(psnr=quality, spectral=spectral).encode(cube)
    doubt = 0.2
    assert psnr(Decoder(stream, restore="off").decode(), cube) > quality - doubt
    # Components come and go with the step: more may come than was asked for, but not with a byte less.
    smaller = Encoder(nbytes=len(stream) - 1, spectral=spectral).encode(cube)
    assert psnr(Decoder(smaller, restore="off").decode(), cube) < quality + doubt


def absent_samples(kind, shape):
    bands, lines, samples = shape
    line, sample = np.mgrid[:lines, :samples]
    pixels = {
        "columns": sample >= 20,
        "most columns": sample >= 9,
        "single columns": sample % 3 == 0,
        "lines": line < 15,
        "a corner": line + sample < 40,
        "pixels": np.random.default_rng(5).random((lines, samples)) < 0.3,
    }
    if kind == "bands":
        return np.broadcast_to(np.arange(bands)[:, None, None] % 3 == 0, shape)
    return np.broadcast_to(pixels[kind], shape)


@pytest.mark.parametrize("quality", [52.0, 65.0])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "kind", ["columns", "most columns", "single columns", "lines", "a corner", "pixels", "bands"]
)
def test_absent_samples_have_no_error(kind, stream, quality):
    cube = scene(40, 44, bands=12)
    absent = absent_samples(kind, cube.shape)
    cube[absent] = 0
    source = ArraySource(cube, no_data=0.0)
    encoder = Encoder(psnr=quality, stream=stream)
    found = Decoder(encoder.encode(source), restore="off").decode()
    assert not found[absent].any()
    # A step that comes near may be missing; then it is told.
    assert abs(psnr(found, cube, ~absent) - quality) < 0.25 or encoder.notes
    assert stream or psnr(found, cube, ~absent) > quality - 0.1


@pytest.mark.parametrize("lines", [16, 19])
def test_coarse_means_of_bands_are_part_of_the_error(lines):
    """Where steps are large, means are told coarsely: a quality was missed by up to 1.8 dB."""
    cube = scene(lines, 24, bands=12)
    for quality in (36.0, 40.0, 44.0):
        encoder = Encoder(psnr=quality)
        found = Decoder(encoder.encode(cube), restore="off").decode()
        assert psnr(found, cube) > quality - 0.1
        assert psnr(found, cube) < quality + 0.25 or encoder.notes


def test_a_scene_without_any_data_meets_any_quality():
    source = ArraySource(np.zeros((3, 9, 10), np.uint16), no_data=0.0)
    assert not Decoder(Encoder(psnr=80.0).encode(source), restore="off").decode().any()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("value", [None, -9999.0, -1e30])
def test_lines_without_any_data_leave_nothing_out(stream, value):
    cube = scene(48, 44, bands=12)
    cube = cube if value is None else cube.astype("f4")
    cube[:, :24] = 0 if value is None else value
    source = ArraySource(cube, no_data=0.0 if value is None else None)
    settings = {"psnr": 60.0} if value is None else {"rmse": 65.535}
    found = Decoder(Encoder(**settings, stream=stream).encode(source), restore="off").decode()
    np.testing.assert_array_equal(found[:, :24], cube[:, :24])
    # Noise that folds leave out was spread over all lines: 0.33 dB too little.
    assert psnr(found, cube, np.arange(48)[:, None] >= 24) == pytest.approx(60.0, abs=0.15)


@pytest.mark.parametrize(("stream", "rmse"), [(False, 1.5e-4), (False, 8e-5), (True, 2.2e-4)])
def test_rounding_to_counts_is_part_of_the_error(stream, rmse):
    values = (scene(32, 40) / 700).astype("f4")
    encoder = Encoder(rmse=rmse, stream=stream)
    found = Decoder(encoder.encode(values), restore="off").decode()
    reached = np.sqrt(np.mean((found.astype(float) - values) ** 2))
    assert reached == pytest.approx(rmse, rel=0.05)
    assert len(encoder.notes) == 1


def test_whole_numbers_are_not_rounded():
    values = scene(32, 40).astype("f4")
    found = Decoder(Encoder(rmse=0.05).encode(values), restore="off").decode()
    assert np.sqrt(np.mean((found - values) ** 2)) == pytest.approx(0.05, rel=0.3)


def test_a_quality_finer_than_counts_is_refused_and_told_of_a_stream():
    values = (scene(32, 40) / 700).astype("f4")
    with pytest.raises(
        BudgetError, match=r"quality of 130\.00 dB .* rounded to counts, which alone gives 107"
    ):
        Encoder(psnr=130).encode(values)
    encoder = Encoder(rmse=1e-6, stream=True)
    encoder.encode(values)
    assert "is out of reach in a strip: lines 0:32 have 9" in encoder.notes[-1]
    assert "since samples are rounded to counts of 0.0004" in encoder.notes[-1]
