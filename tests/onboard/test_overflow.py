"""Full contrast at the smallest steps: nothing wraps, in C and in NumPy."""

from contextlib import nullcontext

import numpy as np
import pytest

from bandfold.bitstream.segments.predicted_codec import codec_of
from bandfold.bitstream.transforms.predicted_bands import PredictedBands
from bandfold.common import kernels
from bandfold.common.errors import SceneError
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.prediction.predicted_planner import PredictedPlanner
from bandfold.onboard.prediction.prediction_loop import PredictionLoop
from bandfold.onboard.quantisation.rdoq import ComponentQuantiser
from bandfold.onboard.rate_model import GAIN_UNIT, LARGEST_GAIN, latent_gain
from bandfold.onboard.samples.samples import ArraySource
from bandfold.onboard.settings import find_package
from bandfold.onboard.target import SMALLEST_STEP
from bandfold.onboard.transform.rotation import rotate_blocks

LINE, SAMPLE = np.mgrid[:32, :32]
HIGH = 65535


def _scene(kind, bands=24):
    if kind == "checkerboard":
        plane = (LINE + SAMPLE) % 2 * HIGH
    elif kind == "blocks":
        plane = (LINE // 8 + SAMPLE // 8) % 2 * HIGH
    else:
        plane = np.where(LINE < 12, HIGH, 2000 + 40 * SAMPLE)
    return np.broadcast_to(plane, (bands, 32, 32)).astype(np.uint16)


@pytest.mark.parametrize("kind", ["checkerboard", "blocks", "clouds"])
@pytest.mark.parametrize("settings", [{}, {"quantiser": "uniform"}, {"spectral": "none"}, {"stream": True}])
def test_full_contrast_comes_back_at_the_smallest_step(kind, settings):
    scene = _scene(kind)
    for step in (SMALLEST_STEP, 0.25):
        np.testing.assert_array_equal(Decoder(Encoder(step=step, **settings).encode(scene)).decode(), scene)


@pytest.mark.parametrize("settings", [{}, {"stream": True}])
def test_full_contrast_of_many_bands_comes_back(settings):
    scene = _scene("checkerboard", 224)
    stream = Encoder(step=SMALLEST_STEP, **settings).encode(scene)
    np.testing.assert_array_equal(Decoder(stream).decode(), scene)


def test_full_contrast_comes_back_from_predicted_bands():
    scene = _scene("clouds", 4)
    scene[3], scene[3, 8:16, 8:16] = 0, HIGH
    stream = Encoder(step=SMALLEST_STEP, model="innovations").encode(scene)
    np.testing.assert_array_equal(Decoder(stream).decode(), scene)


@pytest.mark.parametrize("target", [{"bps": 8.0}, {"psnr": 96.0}, {"bps": 8.0, "stream": True}])
def test_full_contrast_meets_its_target(target):
    scene = _scene("checkerboard")
    error = Decoder(Encoder(**target).encode(scene)).decode().astype(float) - scene
    assert (error**2).mean() < 1.0


def test_the_largest_latents_gain_as_much_as_any():
    latents = np.full((2, 64, 50), (1 << 31) - 1, dtype=np.int32)
    latents[1] = -latents[1]
    fast = latent_gain(latents, SMALLEST_STEP) / GAIN_UNIT
    np.testing.assert_allclose(fast, 64 * 50 * LARGEST_GAIN**2, rtol=1e-5)
    with kernels.switched_off():
        np.testing.assert_array_equal(latent_gain(latents, SMALLEST_STEP) / GAIN_UNIT, fast)


def test_latents_that_a_rotation_makes_too_large_are_refused():
    largest = (1 << 31) - 1
    hadamard = np.array([[1.0]])
    for _ in range(3):
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    matrices = np.rint(hadamard[None] / np.sqrt(8) * 65536)
    chosen = np.zeros(3, dtype=np.uint8)
    with pytest.raises(SceneError, match="exceeds 32 bits"):
        rotate_blocks(np.full((8, 64, 3), largest, dtype=np.int32), matrices, chosen)
    with kernels.switched_off(), pytest.raises(SceneError, match="exceeds 32 bits"):
        rotate_blocks(np.full((8, 64, 3), -largest, dtype=np.int32), matrices, chosen)


def test_latents_of_a_network_that_saturates_are_cut():
    scene = np.full((1, 8, 8), 1000, dtype=np.uint16)
    basis = PredictedPlanner(sample_blocks(ArraySource(scene))).plan(1.0).bases[0]
    codec = codec_of(find_package("innovations"))
    found = []
    for compiled in (True, False):
        with nullcontext() if compiled else kernels.switched_off():
            strip = PredictedBands(basis.fold, codec.kernels, codec.points, 256, (1, 1), forget=True)
            loop = PredictionLoop(strip, ComponentQuantiser(codec.mode, (1, 1)), codec, scene, 0)
            loop.predict(0)
            loop.latents[:] = 1000
            loop.code(0, np.full((3, 3, 64), 127, dtype=np.int8), 40)
        found.append(loop.latents)
    assert (found[0] == (1 << 31) - 1).all()
    np.testing.assert_array_equal(*found)
