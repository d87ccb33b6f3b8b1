"""Weights of bands: the noise that they are made of, their codes, and what they do to errors."""

import numpy as np
import pytest

from bandfold.bitstream.transforms.coding_weights import LARGEST_CODE, PER_OCTAVE, weights_of
from bandfold.common import kernels
from bandfold.common.errors import SettingsError
from bandfold.common.scene import BandScaling, Scaling
from bandfold.ground import Decoder
from bandfold.onboard import Encoder, StreamEncoder
from bandfold.onboard.planning.block_sample import BlockSample, sample_blocks
from bandfold.onboard.planning.noise_estimate import ROUNDING, noise_variances
from bandfold.onboard.planning.weight_codes import weight_codes
from bandfold.onboard.samples.samples import ArraySource

BANDS, LINES, SAMPLES = 12, 64, 72
SIGMA = np.array([2.0, 40.0, 5.0, 20.0] * 3)


@pytest.fixture(scope="module")
def cube():
    """Two smooth spectra over a slope and waves, with noise that differs from band to band."""
    rng = np.random.default_rng(7)
    line, sample = np.mgrid[:LINES, :SAMPLES]
    planes = np.stack([line * 9.0 + sample, 300 * np.sin(line / 7) + 200 * np.cos(sample / 5)])
    spectra = np.stack([np.linspace(1, 2, BANDS), np.linspace(1.5, 0.5, BANDS)])
    scene = 4000 + np.tensordot(spectra.T, planes, 1)
    return np.rint(scene + rng.normal(size=scene.shape) * SIGMA[:, None, None]).astype(np.uint16)


def test_weights_are_powers_of_two_in_eighths_of_octaves():
    codes = np.arange(LARGEST_CODE + 1)
    weights = weights_of(codes)
    np.testing.assert_allclose(weights, 2.0 ** (-codes / PER_OCTAVE), rtol=1e-5)
    assert (weights[::PER_OCTAVE] == 2.0 ** -np.arange(12)).all()


def test_noise_is_found_in_bands_that_resemble_each_other(cube):
    found = np.sqrt(noise_variances(sample_blocks(ArraySource(cube)).blocks))
    # What predicts a band brings noise of its own: that of the quietest bands is found too large.
    np.testing.assert_allclose(found[1::2], SIGMA[1::2], rtol=0.1)
    assert (found > 0.9 * SIGMA).all()
    assert (found < 1.5 * SIGMA + 4).all()


@pytest.mark.parametrize("bands", [1, 2, 3])
def test_noise_of_few_and_of_constant_bands(bands):
    blocks = np.random.default_rng(1).integers(1000, 1100, (bands, 50, 64)).astype(np.int32)
    found = noise_variances(blocks)
    np.testing.assert_allclose(found, blocks[0].var(), rtol=0.2)
    same = np.repeat(blocks[:1], 3, axis=0)
    assert noise_variances(same).tolist() == [ROUNDING] * 3
    assert noise_variances(np.full((3, 5, 64), 65535, np.int32)).tolist() == [ROUNDING] * 3


def test_codes_are_ratios():
    info = ArraySource(
        np.zeros((4, 1, 1), np.float32), scaling=Scaling(0.5, bands=(BandScaling(2, 3, 0.0),))
    ).info
    sample = BlockSample(np.zeros((4, 1, 64), np.int32), 1)
    # A count of the third band is worth eight of the others.
    assert weight_codes((8, 4, 1, 1e-9), sample, info).tolist() == [0, 8, 0, LARGEST_CODE]
    assert weight_codes([3, 3, 3 / 8, 3], sample, info).tolist() == [0, 0, 0, 0]
    with pytest.raises(SettingsError, match="3 weights are given for 4 bands"):
        weight_codes((1, 2, 3), sample, info)


def test_errors_are_even_in_units_of_noise(cube):
    def errors(**settings):
        stream = Encoder(bps=1.5, **settings).encode(cube)
        found = Decoder(stream, restore="off").decode().astype(float) - cube
        return len(stream), np.sqrt((found**2).mean(axis=(1, 2))) / SIGMA

    size, even = errors(weights="snr")
    usual, uneven = errors()
    assert size <= cube.size * 1.5 / 8
    assert usual <= cube.size * 1.5 / 8
    assert np.sqrt((even**2).mean()) < 0.8 * np.sqrt((uneven**2).mean())
    assert even.max() / even.min() < 0.5 * uneven.max() / uneven.min()


def test_a_band_that_matters_is_coded_finely(cube):
    weights = np.ones(BANDS)
    weights[5] = 16
    stream = Encoder(bps=0.5, weights=weights).encode(cube)
    decoder = Decoder(stream, restore="off")
    error = np.sqrt(((decoder.decode().astype(float) - cube) ** 2).mean(axis=(1, 2)))
    assert error[5] < 0.25 * np.delete(error, 5).min()
    assert decoder.report()["band_weights"][5] == 1
    # Bands are decoded one by one as all together.
    np.testing.assert_array_equal(decoder.decode(bands=slice(4, 7)), decoder.decode()[4:7])


@pytest.mark.parametrize("weights", ["snr", tuple(1 / SIGMA)])
def test_streams_have_weights_too(cube, weights):
    settings = {"step": 4.0, "weights": weights, "strip_lines": 16}
    stream = Encoder(stream=True, **settings).encode(cube)
    decoder = Decoder(stream, restore="off")
    error = np.sqrt(((decoder.decode().astype(float) - cube) ** 2).mean(axis=(1, 2))) / SIGMA
    assert error.max() < 3.2 * error.min()
    # Folds are renewed where the land changes, not because of the weights.
    usual = Encoder(stream=True, step=4.0, strip_lines=16).encode(cube)
    assert decoder.report()["folds"] <= Decoder(usual).report()["folds"]
    sections = []
    encoder = StreamEncoder(ArraySource(cube).info, sections.append, **settings)
    for line in cube.transpose(1, 0, 2):
        encoder.push(line[None])
    encoder.flush()
    assert b"".join(sections) == stream


def test_the_same_bytes_without_kernels(cube):
    stream = Encoder(step=8.0, weights="snr").encode(cube[:, :24, :24])
    with kernels.switched_off():
        assert Encoder(step=8.0, weights="snr").encode(cube[:, :24, :24]) == stream


@pytest.mark.parametrize(
    "others",
    [
        {"psnr": 60.0},
        {"rmse": 3.0},
        {"step": 4.0, "max_error": 3},
        {"lossless": True},
        {"step": 4.0, "spectral": "none"},
        {"step": 4.0, "model": "innovations"},
        {"step": 4.0, "sensor": "aviris-224"},
    ],
)
def test_what_weights_do_not_go_with(others):
    with pytest.raises(SettingsError, match="weights do not go with"):
        Encoder(weights="snr", **others)


def test_weights_out_of_range():
    for weights, message in (("noise", "unknown"), ((1, 0), "above 0"), ((1, float("inf")), "finite")):
        with pytest.raises(SettingsError, match=message):
            Encoder(step=4.0, weights=weights)
