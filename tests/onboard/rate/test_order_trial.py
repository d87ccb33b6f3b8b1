"""Trials of orders of coding and of steps of bands."""

from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.package import load_package
from bandfold.bitstream.segments.predicted_codec import codec_of
from bandfold.common import kernels
from bandfold.ground.decoder import Decoder
from bandfold.onboard.downlink.resume import find_begun
from bandfold.onboard.encoder import Encoder
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.prediction.innovation_network import InnovationNetwork
from bandfold.onboard.prediction.predicted_coder import PredictedMethod
from bandfold.onboard.prediction.predicted_planner import PredictedPlanner
from bandfold.onboard.rate import order_trial
from bandfold.onboard.rate.order_trial import Aim, choose_order
from bandfold.onboard.samples.samples import ArraySource, Samples
from bandfold.onboard.stream_encoder import StreamEncoder
from bandfold.synthetic.scenes import SyntheticScene

MODEL = Path(__file__).parents[2] / "golden" / "golden-lapped.bfm"
SCENE = SyntheticScene(48, 33, 24, seed=8).read(slice(0, 24), slice(0, 48))
SETTINGS = {"step": 12.0, "model": MODEL, "strip_lines": 24}


def _decoder(stream):
    return Decoder(stream, models=[MODEL])


def _steps(stream):
    return _decoder(stream).fold.prediction.steps


def test_bands_take_steps_that_suit_them():
    stream = Encoder(**SETTINGS).encode(SCENE)
    steps = _steps(stream)
    assert len(set(steps)) > 2
    report = _decoder(stream).report()
    assert report["band_steps"] == [pytest.approx(12.0 * 2 ** (step / 8), rel=5e-3) for step in steps]
    assert report["band_weights"] is None


def test_engines_and_threads_find_the_same_steps():
    part = SCENE[:17, :16, :17]
    whole = Encoder(**SETTINGS).encode(part)
    assert _steps(whole)
    assert Encoder(**SETTINGS, threads=2).encode(part) == whole
    with kernels.switched_off():
        assert Encoder(**SETTINGS).encode(part) == whole


def test_steps_are_worth_their_bytes(monkeypatch):
    own = Encoder(**SETTINGS).encode(SCENE)
    monkeypatch.setattr(order_trial, "FEWEST_TIERS", 99)
    plain = Encoder(**SETTINGS).encode(SCENE)
    assert not _steps(plain)
    errors = [
        float(((_decoder(stream).decode().astype(np.float64) - SCENE) ** 2).mean()) for stream in (own, plain)
    ]
    # Octaves of bytes, and of error at the slope of low rates or less.
    assert np.log2(len(own) / len(plain)) + np.log2(errors[0] / errors[1]) < 0


@pytest.mark.parametrize("stepped", [False, True])
def test_a_stream_goes_on_as_it_was_begun(monkeypatch, stepped):
    scene = ArraySource(SCENE)
    if not stepped:
        monkeypatch.setattr(order_trial, "FEWEST_TIERS", 99)
    sections = []
    encoder = StreamEncoder(scene.info, sections.append, **SETTINGS)
    encoder.push(SCENE[:, :24].transpose(1, 0, 2))
    begun = b"".join(sections)
    # What goes on would choose the other way by itself.
    monkeypatch.setattr(order_trial, "FEWEST_TIERS", 99 if stepped else 2)
    sections.clear()
    encoder = StreamEncoder(scene.info, sections.append, begun=find_begun(begun), **SETTINGS)
    encoder.push(SCENE[:, 24:].transpose(1, 0, 2))
    encoder.flush()
    whole = begun + b"".join(sections)
    headers = [Header.unpack(one.payload) for one in read_sections(whole) if one.kind == Section.HEADER]
    assert {header.tools.weighted for header in headers} == {stepped}
    decoder = _decoder(whole)
    found = decoder.decode().astype(np.float64)
    assert not decoder.damage
    assert np.sqrt(((found - SCENE) ** 2).mean()) < 24


def _chosen(cube, code, **options):
    """What `choose_order` returns, and the planner."""
    samples = Samples.of(ArraySource(cube))
    planner = PredictedPlanner(sample_blocks(samples))
    method = PredictedMethod(InnovationNetwork(codec_of(load_package(MODEL))), load_tables())
    return choose_order(samples, method, planner, code, **options), planner


def test_bands_of_noise_are_not_coded_first():
    cube = SCENE.copy()
    _, planner = _chosen(cube, 3000)
    usual = PredictedPlanner(sample_blocks(Samples.of(ArraySource(cube)))).hierarchy
    distance = 1 << len(usual.gains)
    noise = np.random.default_rng(3).integers(0, 6000, cube[usual.first :: distance].shape)
    cube[usual.first :: distance] += noise.astype(cube.dtype)
    _, planner = _chosen(cube, 3000)
    order = planner.hierarchy
    assert (order.first - usual.first) % min(distance, 1 << len(order.gains))


@pytest.mark.parametrize("guess", [800, 60000])
def test_orders_are_tried_at_a_step_that_suits_the_aim(guess):
    assert _chosen(SCENE, guess)[0] == guess
    stream = Encoder(**SETTINGS).encode(SCENE)
    code, _ = _chosen(SCENE, guess, aim=Aim(size=float(len(stream))))
    assert 0.7 * 12 < code / 256 < 12 / 0.7
    error = float(((_decoder(stream).decode().astype(np.float64) - SCENE) ** 2).mean())
    code, _ = _chosen(SCENE, guess, aim=Aim(mse=error))
    assert 0.7 * 12 < code / 256 < 12 / 0.7
