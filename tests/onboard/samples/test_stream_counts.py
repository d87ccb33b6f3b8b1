"""Streams of floats whose first lines say little of others: they are whole numbers, or much darker."""

import numpy as np
import pytest

from bandfold.common.scene import Scaling
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder
from bandfold.onboard.downlink.resume import find_begun

BANDS, HEIGHT, SAMPLES = 12, 16, 40
STRIPS = 4


def radiance(gain=1.0):
    line, sample = np.mgrid[: STRIPS * HEIGHT, :SAMPLES]
    spectra = np.exp(-(((np.arange(BANDS)[:, None] - [2, 6, 10]) / 4.0) ** 2))
    fields = [np.sin(sample / 7 + one) * np.cos(line / 9 - one) + 1.2 for one in range(3)]
    noise = np.random.default_rng(3).normal(0, 0.02, (BANDS, *line.shape))
    return (gain * (5 * np.einsum("bm,mls->bls", spectra, fields) + 0.1 + noise)).astype("f4")


def whole_at_first(gain, strips=1):
    cube = radiance(gain)
    cube[:, : strips * HEIGHT] = np.rint(cube[:, : strips * HEIGHT])
    return cube


def brighter(gain):
    cube = radiance()
    cube[:, 2 * HEIGHT : 3 * HEIGHT] *= gain
    return cube


def streamed(cube, **settings):
    encoder = Encoder(stream=True, strip_lines=HEIGHT, **settings)
    stream = encoder.encode(cube)
    decoder = Decoder(stream, restore="off")
    errors = decoder.decode().astype(float) - cube
    by_strip = np.sqrt((errors.reshape(BANDS, STRIPS, HEIGHT, SAMPLES) ** 2).mean(axis=(0, 2, 3)))
    return by_strip, [one["precision"] for one in decoder.report()["segments"]], encoder.notes


@pytest.mark.parametrize("gain", [2, 10, 300])
@pytest.mark.parametrize("rmse", [0.004, 0.05])
def test_fractions_behind_whole_numbers_keep_a_quality(gain, rmse):
    rmse *= gain
    errors, precisions, notes = streamed(whole_at_first(gain), rmse=rmse)
    assert errors.max() < 1.05 * rmse
    assert errors[1:].min() > 0.9 * rmse
    assert precisions[0] == 1
    assert max(precisions[1:]) < rmse
    assert len(notes) == 1


def test_fractions_behind_whole_numbers_have_the_precision_that_is_told():
    cube = whole_at_first(10)
    encoder = Encoder(step=1 / 16, stream=True, strip_lines=HEIGHT)
    decoder = Decoder(encoder.encode(cube), restore="off")
    found, precision = decoder.decode(), decoder.report()["precision"]
    assert precision == 2.0**-7
    assert encoder.notes[0].startswith("precision 0.0078: ")
    assert "whole numbers" in encoder.notes[0]
    assert np.abs(found - cube).max() <= precision
    np.testing.assert_array_equal(found[:, :HEIGHT], cube[:, :HEIGHT])


@pytest.mark.parametrize("outlier", [4e4, 1e9, np.nan, 0.5, 7e3 + 0.25])
def test_whole_numbers_between_outliers(outlier):
    """What is no whole number is kept, whether it has a count or not."""
    cube = whole_at_first(100, STRIPS)
    cube[3, 5, 7] = cube[4, 20, 9] = outlier
    decoder = Decoder(Encoder(step=1 / 16, stream=True, strip_lines=HEIGHT).encode(cube), restore="off")
    np.testing.assert_allclose(decoder.decode(), cube, atol=decoder.report()["precision"], rtol=0)


@pytest.mark.parametrize("gain", [10, 1000])
def test_every_bit_behind_whole_numbers(gain):
    cube = whole_at_first(gain, 2)
    encoder = Encoder(lossless=True, stream=True, strip_lines=HEIGHT)
    np.testing.assert_array_equal(Decoder(encoder.encode(cube), restore="off").decode(), cube)
    # Whole numbers are counts, and take no more than integers do.
    whole = cube[:, : 2 * HEIGHT]
    assert len(encoder.encode(whole)) < 1.02 * len(encoder.encode(whole.astype("i4")))


def test_limits_behind_whole_numbers():
    cube = whole_at_first(10)
    stream = Encoder(max_error=0.25, stream=True, strip_lines=HEIGHT).encode(cube)
    assert np.abs(Decoder(stream, restore="off").decode() - cube.astype(float)).max() <= 0.25


def test_a_stream_that_began_with_whole_numbers_goes_on():
    cube = whole_at_first(10)
    encoder = Encoder(rmse=0.3, stream=True, strip_lines=HEIGHT)
    whole = encoder.encode(cube)
    begun = find_begun(whole[: len(whole) // 2])
    rest = []
    encoder.encode_in_parts(ArraySource(cube), rest.append, begun)
    found = Decoder(whole[: begun.size] + b"".join(rest), restore="off").decode()
    assert np.sqrt(np.mean((found - cube.astype(float)) ** 2)) < 0.31


@pytest.mark.parametrize("gain", [10, 100, 1000])
def test_brighter_lines_keep_a_quality(gain):
    """Rounding to coarser counts leaves room for it; the fold of the lines before would not."""
    rmse = max(0.05, gain * 3e-4)
    errors, precisions, notes = streamed(brighter(gain), rmse=rmse)
    assert errors.max() < 1.05 * rmse
    assert precisions[2] > precisions[0] == precisions[1] == precisions[3]
    assert len(notes) == 1


@pytest.mark.parametrize("gain", [1e3, 1e6])
def test_brighter_lines_whose_counts_are_too_coarse_are_told(gain):
    errors, _, notes = streamed(brighter(gain), rmse=0.05)
    assert np.delete(errors, 2).max() < 1.05 * 0.05
    assert "(RMSE 0.05) is out of reach in a strip: lines 32:48 have" in notes[-1]
    assert "since samples are rounded to counts of" in notes[-1]
    assert "--max-error" in notes[-1]


@pytest.mark.parametrize("gain", [1e3, 1e6, 1e9])
def test_a_rate_is_kept_over_brighter_lines_and_used_behind_them(gain):
    errors, _, _ = streamed(brighter(gain), bps=1.0)
    plain, _, _ = streamed(brighter(1.0), bps=1.0)
    assert errors[2] < 3 * gain * plain[2]
    # The buffer has been used by the strip before.
    assert errors[3] < 2 * plain[3]


@pytest.mark.parametrize("scale", [None, 1.0])
def test_fractions_that_counts_cannot_hold_are_told(scale):
    """A wide range of whole numbers leaves counts of 1, and so does a scale that is declared."""
    cube = whole_at_first(2000 if scale is None else 100)
    source = ArraySource(cube, scaling=None if scale is None else Scaling(scale))
    encoder = Encoder(rmse=0.1, stream=True, strip_lines=HEIGHT)
    decoder = Decoder(encoder.encode(source), restore="off")
    assert decoder.report()["precision"] == 1
    errors = decoder.decode().astype(float) - cube
    assert np.sqrt((errors[:, :HEIGHT] ** 2).mean()) < 0.105
    assert np.sqrt((errors[:, HEIGHT:] ** 2).mean()) > 0.28
    assert "(RMSE 0.1) is out of reach in 3 strips, of which the worst: lines" in encoder.notes[-1]
    assert "since samples are rounded to counts of 1;" in encoder.notes[-1]


def test_lines_as_bright_as_the_first_ones_are_told_of_too():
    """A quality finer than what the counts of a whole stream are worth."""
    _, _, notes = streamed(radiance(), rmse=1e-5)
    assert f"in {STRIPS} strips, of which the worst: lines " in notes[-1]
