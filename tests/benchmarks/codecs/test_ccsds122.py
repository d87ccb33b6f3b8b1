"""CCSDS 122 as an anchor: rates are met, streams stand alone, recorded curves are reached."""

from pathlib import Path

import numpy as np
import pytest

from bandfold.benchmarks.codecs.ccsds122 import Ccsds122
from bandfold.benchmarks.codecs.recorded import read_anchors
from bandfold.benchmarks.measures.bdrate import quality_at
from bandfold.benchmarks.measures.quality import psnr
from bandfold.benchmarks.scenes.evaluation_scenes import find_scenes
from bandfold.common.errors import BudgetError, StreamError

SHARED = Path(__file__).resolve().parents[4] / "shared"


@pytest.mark.parametrize("segment", [0, 16])
@pytest.mark.parametrize("kind", ["uint16", "int16", "uint8"])
def test_a_scene_comes_back_from_the_bytes_alone_and_the_rate_is_met(cube, kind, segment):
    scene = (cube // 8 if kind == "uint8" else cube - (700 if kind == "int16" else 0)).astype(kind)
    codec = Ccsds122(segment)
    qualities = []
    for bps in (1.5, 3.0, 6.0):
        stream = codec.encode(scene, bps).stream
        assert 0.9 * bps < 8 * len(stream) / cube.size <= bps or bps == 6.0
        assert 8 * len(stream) / cube.size <= bps
        decoded = codec.decode(stream).cube
        assert decoded.shape == scene.shape
        qualities.append(psnr(scene, decoded))
    assert qualities == sorted(qualities)
    assert qualities[-1] > 75


def test_scenes_smaller_than_the_least_image_are_padded():
    scene = np.arange(3 * 9 * 30, dtype=np.uint16).reshape(3, 9, 30)
    decoded = Ccsds122().decode(Ccsds122().encode(scene, 12.0).stream).cube
    assert np.abs(decoded.astype(int) - scene).max() <= 1


def test_rates_and_streams_that_cannot_be_are_told(cube):
    with pytest.raises(BudgetError, match="raise the rate"):
        Ccsds122().encode(cube, 0.05)
    with pytest.raises(StreamError, match="first four bytes"):
        Ccsds122().decode(bytes(40))
    with pytest.raises(StreamError, match="within its head"):
        Ccsds122().decode(b"C122")


@pytest.mark.skipif(not (SHARED / "scenes").is_dir(), reason="no scenes from real sensors")
def test_recorded_curves_are_reached():
    name = "aviris_raw_gici_sppa_64"
    recorded = read_anchors(SHARED / "reference" / "anchors.json")[name]["CCSDS 122"]
    scene = find_scenes(SHARED / "scenes", (name,))[0].read()
    for bps in (0.25, 1.0):
        stream = Ccsds122().encode(scene, bps).stream
        assert 0.999 * bps < 8 * len(stream) / scene.size <= bps
        expected = quality_at(recorded, bps)
        assert psnr(scene, Ccsds122().decode(stream).cube) == pytest.approx(expected, abs=0.1)
