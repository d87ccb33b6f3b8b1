"""Strips are higher than usual where lines are short, and streams go on with the strips that they have."""

import numpy as np
import pytest

from bandfold.common.scene import SceneInfo
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder
from bandfold.onboard.downlink.resume import find_begun
from bandfold.onboard.strip_height import strip_height


def info(lines, samples, bands=2):
    return SceneInfo(bands, lines, samples, np.dtype(np.uint16))


@pytest.mark.parametrize(
    ("lines", "samples", "height"),
    [(65, 16, 64), (65, 15, 72), (200_000, 1, 1024), (200_000, 1000, 64), (64, 1, 64), (1, 1, 64)],
)
def test_a_strip_has_enough_samples(lines, samples, height):
    assert strip_height(info(lines, samples)) == height


def test_a_stream_does_not_know_its_lines():
    assert strip_height(info(1, 1), stream=True) == strip_height(info(10**6, 1), stream=True) == 1024


def test_what_is_asked_for_holds():
    assert strip_height(info(200_000, 1), 16) == strip_height(info(200_000, 1), 16, predicted=True) == 16


def test_predicted_bands_have_higher_strips():
    assert strip_height(info(2000, 128), predicted=True) == 256
    assert strip_height(info(2000, 1), predicted=True) == 512


@pytest.mark.parametrize("stream", [False, True])
def test_wide_scenes_have_lower_strips(stream):
    """Of 24 million samples at most, or one row of blocks."""
    assert strip_height(info(2000, 1000, 393), stream=stream) == 64
    assert strip_height(info(2000, 1000, 394), stream=stream) == 56
    assert strip_height(info(40, 5000, 400), stream=stream) == 8
    assert strip_height(info(2000, 100_000, 400), stream=stream) == 8
    assert strip_height(info(2000, 640, 425), predicted=True, stream=stream) == 32


def test_a_wide_scene_of_few_bytes_needs_no_trust():
    """A strip of 64 lines would take more memory than so few bytes may ask for."""
    bands, lines, samples = 300, 64, 1500
    line = (1000 + np.arange(bands)[:, None] + np.arange(samples) // 100).astype(np.uint16)
    cube = np.broadcast_to(line[:, None], (bands, lines, samples))
    encoder = Encoder(step=64.0)
    stream = encoder.encode(cube)
    assert len(stream) < 10_000
    assert not encoder.notes
    band = Decoder(stream).decode(bands=slice(7, 8))
    assert np.abs(band[0] - line[7].astype(int)).max() < 64


def narrow(lines):
    return (np.arange(2 * lines).reshape(2, lines, 1) % 977 + 100).astype(np.uint16)


@pytest.mark.parametrize("stream", [False, True])
def test_a_narrow_scene_is_coded_in_high_strips(stream):
    cube = narrow(2100)
    decoder = Decoder(Encoder(step=8.0, stream=stream).encode(cube))
    assert decoder.strip_lines == 1024
    assert np.abs(decoder.decode().astype(int) - cube).max() < 60


def test_a_stream_of_low_strips_goes_on_with_them(tmp_path):
    """As older encoders began them."""
    source = ArraySource(narrow(300))
    whole: list[bytes] = []
    Encoder(step=8.0, stream=True, strip_lines=64).encode_in_parts(source, whole.append)
    part = b"".join(whole)[: sum(map(len, whole[:-3]))]
    begun = find_begun(part)
    assert begun is not None
    rest: list[bytes] = []
    Encoder(step=8.0, stream=True).encode_in_parts(source, rest.append, begun=begun)
    decoder = Decoder(part[: begun.size] + b"".join(rest))
    assert decoder.strip_lines == 64
    assert np.abs(decoder.decode().astype(int) - source.read(slice(0, 2), slice(0, 300))).max() < 60
    assert decoder.damage == []
