"""Anchors that run live on request: rates are met, streams stand alone, quality rises with the rate."""

import sys

import numpy as np
import pytest

from bandfold.benchmarks.codecs.imagecodecs_build import imagecodecs_with
from bandfold.benchmarks.codecs.jpeg2000 import karhunen_loeve
from bandfold.benchmarks.codecs.klt_side import read_side, side_size, write_side
from bandfold.benchmarks.codecs.live_anchors import LIVE, live_anchors
from bandfold.benchmarks.measures.quality import psnr
from bandfold.common.errors import BudgetError, SettingsError

from .smooth_cube import smooth_cube


@pytest.fixture(params=sorted(LIVE))
def codec(request):
    pytest.importorskip("imagecodecs")
    return live_anchors([request.param])[0]


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_a_scene_comes_back_from_the_bytes_alone_and_the_rate_is_met(codec, dtype):
    cube = smooth_cube(dtype, size=64, noise=5)
    qualities = []
    for bps in (0.5, 1.0, 2.0):
        stream = codec.encode(cube, bps).stream
        assert 0.6 * bps < 8 * len(stream) / cube.size <= bps
        found = codec.decode(stream).cube
        assert found.dtype == cube.dtype
        qualities.append(psnr(cube, found))
    assert qualities == sorted(qualities)
    assert qualities[-1] > qualities[0] + 1 > 56


def test_a_rate_that_nothing_fits_into_is_refused(codec):
    with pytest.raises(BudgetError, match="raise the rate"):
        codec.encode(smooth_cube("uint16", size=64, noise=5), 0.0001)


def test_a_step_is_the_same_for_all_components():
    pytest.importorskip("imagecodecs")
    for name in ("klt-jpegxl", "klt-htj2k"):
        codec = live_anchors([name])[0]
        plane = np.random.default_rng(1).normal(size=(32, 32)).cumsum(axis=1) * 100
        for step in (1.0, 8.0):
            number, image = codec.encode_plane(plane, step)
            error = codec.decode_plane(number, image, step) - plane
            assert 0.2 * step < np.sqrt(np.mean(error**2)) < 0.5 * step


def test_few_pixels_and_steps_too_fine_for_an_image():
    """A scene of 27 x 10 pixels, and one with samples that stand out, whose finest steps no image holds."""
    pytest.importorskip("imagecodecs")
    cube = smooth_cube("uint16", 120, 64, 5)[:, :27, :10]
    wide = cube.copy()
    wide[:, 3, 3] = 65535
    for codec in live_anchors(["klt-jpegxl", "klt-htj2k"]):
        for scene in (cube, wide):
            stream = codec.encode(scene, 8.0).stream
            assert psnr(scene, codec.decode(stream).cube) > 75
            assert len(stream) <= scene.size


def test_side_information_has_the_size_that_is_counted():
    means, basis = karhunen_loeve(smooth_cube("int16"))
    told = write_side(means, basis[:, :3], 2, signed=True)
    assert len(told) == side_size(12, 3)
    side = read_side(told + b"more")
    assert (side.size, side.exponent, side.means.tolist()) == (len(told), 2, means.tolist())
    np.testing.assert_allclose(side.basis, basis[:, :3], atol=2.0**-14)


def test_names_are_taken_once_and_a_missing_library_is_told(monkeypatch):
    pytest.importorskip("imagecodecs")
    assert [codec.name for codec in live_anchors(["sperr", "klt-htj2k", "sperr"])] == [
        "SPERR 3D",
        "KLT + HTJ2K",
    ]
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(SettingsError, match="pip install"):
        imagecodecs_with("SPERR")


def test_a_build_without_a_codec_is_told(monkeypatch):
    imagecodecs = pytest.importorskip("imagecodecs")

    class Absent:
        available = False

    monkeypatch.setattr(imagecodecs, "SPERR", Absent)
    with pytest.raises(SettingsError, match="built without SPERR"):
        live_anchors(["sperr"])
