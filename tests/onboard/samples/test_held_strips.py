"""Streams of floats that begin with one value in each band: as good behind it as if it had not been there."""

import math

import numpy as np
import pytest

from bandfold.common.scene import SceneInfo
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder, StreamEncoder
from bandfold.onboard.downlink.resume import find_begun
from bandfold.onboard.samples.held_strips import HeldStrips

BANDS, LINES, SAMPLES, HEIGHT = 10, 64, 40, 16
VALUES = {
    "NaN": math.nan,
    "a fill value": -9999.0,
    "zeros": 0.0,
    "a constant": 3.0,
    "far off": 1e30,
    "inf": math.inf,
}


def radiance():
    line, sample = np.mgrid[:LINES, :SAMPLES]
    spectra = np.sin(np.arange(BANDS)[:, None, None] / 4) * np.cos(line / 9 + sample / 14) + 3
    return (spectra + np.random.default_rng(4).normal(0, 0.02, (BANDS, LINES, SAMPLES))).astype("f4")


def streamed(cube, **settings):
    sections = []
    info = SceneInfo(BANDS, 1, SAMPLES, cube.dtype)
    encoder = StreamEncoder(info, sections.append, strip_lines=HEIGHT, **settings)
    for line in range(0, cube.shape[1], 5):
        encoder.push(cube[:, line : line + 5].transpose(1, 0, 2))
        assert encoder.lines == min(line + 5, cube.shape[1])
    encoder.flush()
    return b"".join(sections), encoder


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize(
    "target", [{"rmse": 0.03}, {"psnr": 40.0}, {"step": 8.0}, {"bps": 1.0}, {"max_error": 0.05}]
)
def test_the_lines_behind_are_coded_as_they_would_be_alone(value, target):
    cube = radiance()
    cube[:, : 2 * HEIGHT] = value
    stream, encoder = streamed(cube, **target)
    found = Decoder(stream, restore="off").decode()
    with np.errstate(invalid="ignore"):
        error = found.astype(float) - cube
    alone, _ = streamed(cube[:, 2 * HEIGHT :], **target)
    apart = Decoder(alone, restore="off").decode() - cube[:, 2 * HEIGHT :].astype(float)
    behind = np.sqrt(np.mean(error[:, 2 * HEIGHT :] ** 2))
    assert behind <= 1.15 * np.sqrt(np.mean(apart**2)) + 1e-9
    assert float(encoder.notes[0].split()[1].rstrip(":")) < 1e-3
    if math.isfinite(value) and abs(value) < 10:
        assert np.abs(error[:, : 2 * HEIGHT]).max() < 0.1
    else:
        np.testing.assert_array_equal(found[:, : 2 * HEIGHT], cube[:, : 2 * HEIGHT])


@pytest.mark.parametrize("lines", [5, HEIGHT, 3 * HEIGHT + 7])
def test_a_stream_of_nothing_else(lines):
    cube = np.full((BANDS, lines, SAMPLES), 7.5, "f4")
    stream, _ = streamed(cube, rmse=0.1)
    np.testing.assert_array_equal(Decoder(stream, restore="off").decode(), cube)


def test_bits_of_nan_are_values_too():
    held = HeldStrips()
    strip = np.full((2, 3, 4), np.nan, "f4")
    assert held.take(strip)
    strip[1, 2, 3] = -np.float32("nan")
    assert not held.take(strip)
    assert held.lines == 3
    (back,) = held.release(4)
    assert (back.shape, held.lines) == ((2, 3, 4), 0)


def test_a_stream_that_began_so_goes_on():
    cube = radiance()
    cube[:, :HEIGHT] = 0
    encoder = Encoder(rmse=0.03, stream=True, strip_lines=HEIGHT)
    whole = encoder.encode(cube)
    begun = find_begun(whole[: len(whole) * 2 // 3])
    rest = []
    encoder.encode_in_parts(ArraySource(cube), rest.append, begun)
    found = Decoder(whole[: begun.size] + b"".join(rest), restore="off").decode()
    assert np.sqrt(np.mean((found - cube.astype(float)) ** 2)) < 0.035
