"""The error that rate control sees is that of the samples that count, and of no others."""

import numpy as np
import pytest

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


@pytest.mark.parametrize("sides", [(9, 9), (17, 25), (33, 10), (1, 41), (24, 24)])
@pytest.mark.parametrize("spectral", ["auto", "none"])
@pytest.mark.parametrize("quality", [60.0, 70.0])
def test_a_quality_is_met_where_sides_are_no_multiples_of_a_block(sides, spectral, quality):
    cube = scene(*sides)
    found = Decoder(Encoder(psnr=quality, spectral=spectral).encode(cube), restore="off").decode()
    # What a fold leaves out is estimated from whole blocks, which tells in scenes of one or two.
    assert psnr(found, cube) == pytest.approx(quality, abs=0.2 if min(sides) > 9 else 0.65)


@pytest.mark.parametrize("stream", [False, True])
def test_absent_samples_have_no_error(stream):
    cube = scene(40, 44)
    absent = np.zeros(cube.shape, bool)
    absent[:, :, 20:] = True
    cube[absent] = 0
    source = ArraySource(cube, no_data=0.0)
    found = Decoder(Encoder(psnr=65.0, stream=stream).encode(source), restore="off").decode()
    assert not found[absent].any()
    assert psnr(found, cube, ~absent) == pytest.approx(65.0, abs=0.35)


def test_a_scene_without_any_data_meets_any_quality():
    source = ArraySource(np.zeros((3, 9, 10), np.uint16), no_data=0.0)
    assert not Decoder(Encoder(psnr=80.0).encode(source), restore="off").decode().any()
