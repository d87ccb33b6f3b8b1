"""The live JPEG 2000 anchors: rates are met, streams stand alone, recorded curves are reached."""

import json
from pathlib import Path

import numpy as np
import pytest

from bandfold.benchmarks.codecs.jpeg2000 import (
    Jpeg2000,
    Jpeg2000Klt,
    decode_planes,
    encode_planes,
    karhunen_loeve,
)
from bandfold.benchmarks.measures.quality import psnr
from bandfold.benchmarks.scenes.evaluation_scenes import find_scenes
from bandfold.common.errors import BudgetError, StreamError

from .smooth_cube import smooth_cube

SHARED = Path(__file__).resolve().parents[4] / "shared"
CODECS = [Jpeg2000(), Jpeg2000Klt()]


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_a_scene_comes_back_from_the_bytes_alone_and_the_rate_is_met(codec, dtype):
    cube = smooth_cube(dtype)
    qualities = []
    for bps in (0.5, 1.0, 2.0):
        stream = codec.encode(cube, bps).stream
        assert 0.8 * bps < 8 * len(stream) / cube.size < 1.02 * bps
        decoded = codec.decode(stream).cube
        assert decoded.shape == cube.shape
        qualities.append(psnr(cube, decoded))
    assert qualities == sorted(qualities)
    assert qualities[-1] > 60


def test_the_klt_gains_where_bands_are_alike():
    cube = smooth_cube("uint16")
    plain, klt = (psnr(cube, codec.decode(codec.encode(cube, 1.0).stream).cube) for codec in CODECS)
    assert klt > plain + 10


def test_the_basis_is_orthonormal_and_sorted():
    cube = smooth_cube("int16")
    means, basis = karhunen_loeve(cube)
    assert np.allclose(basis.T @ basis, np.eye(len(cube)))
    energies = ((basis.T @ (cube.reshape(len(cube), -1) - means[:, None])) ** 2).sum(axis=1)
    assert (np.diff(energies) <= 1e-6 * energies[0]).all()


@pytest.mark.parametrize(("size", "levels"), [(16, 3), (27, 3), (48, 4), (64, 5), (100, 5)])
def test_small_scenes_get_as_many_wavelet_levels_as_fit(size, levels):
    cube = smooth_cube("uint16", size=size)
    stream = Jpeg2000().encode(cube, 3.0).stream
    # The number of levels in the codestream's COD segment.
    assert stream[stream.index(b"\xff\x52") + 9] == levels
    assert Jpeg2000().decode(stream).cube.shape == cube.shape


@pytest.mark.parametrize(
    ("low", "high"), [(0, 100), (0, 65535), (-7, 300), (-32768, 32767), (-(2**19), 2**19 - 1)]
)
def test_planes_of_any_depth_up_to_20_bits_survive(low, high):
    ramp = np.linspace(low, high, 64 * 64)
    planes = np.rint(np.stack([ramp, ramp[::-1]]).reshape(2, 64, 64)).astype(np.int32)
    back = decode_planes(encode_planes(planes, 6.0 * planes.size))
    assert np.abs(back.astype(np.int64) - planes).max() <= max(2, (high - low) / 200)


def test_a_budget_too_small_for_the_side_information_is_refused():
    with pytest.raises(BudgetError, match="does not fit"):
        Jpeg2000Klt().encode(smooth_cube("uint16", size=8), 0.1)
    with pytest.raises(BudgetError, match="raise the rate"):
        Jpeg2000().encode(smooth_cube("uint16", size=8), 0.001)


def test_a_torn_codestream_is_refused():
    with pytest.raises(StreamError, match="cannot decode"):
        Jpeg2000().decode(b"\0\0\0\0 not a codestream")


@pytest.mark.skipif(not (SHARED / "reference" / "anchors.json").is_file(), reason="needs recorded curves")
@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("name", ["jasper_ridge_224", "abu_airport_1"])
def test_live_runs_reach_the_recorded_curves(codec, name):
    recorded = json.loads((SHARED / "reference" / "anchors.json").read_text())["scenes"][name][codec.name]
    cube = find_scenes(SHARED / "scenes", [name])[0].read()
    for bps, quality, _ in (recorded[1], recorded[3]):
        stream = codec.encode(cube, bps).stream
        assert 8 * len(stream) / cube.size < 1.005 * bps
        assert psnr(cube, codec.decode(stream).cube) > quality - 0.3
