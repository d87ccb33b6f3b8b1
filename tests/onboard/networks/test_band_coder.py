"""Scenes coded with a model: targets are met, and what is empty costs next to nothing."""

from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.package import load_package
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.common.errors import BudgetError, ModelError, SettingsError, VerificationError
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder
from bandfold.onboard.coding.scene_strips import scene_strips
from bandfold.onboard.networks.band_coder import NetworkMethod
from bandfold.onboard.networks.band_planner import BandPlanner
from bandfold.onboard.networks.network_engine import NetworkEngine
from bandfold.onboard.samples.samples import Samples

GOLDEN = Path(__file__).parents[2] / "golden"
MODEL = GOLDEN / "golden-walsh.bfm"


@pytest.fixture(scope="module")
def cube():
    """Signed, with detail of 4 x 4 samples: as fine as the networks see."""
    rng = np.random.default_rng(1)
    coarse = np.cumsum(np.cumsum(rng.normal(0, 60, (6, 40, 40)), axis=1), axis=2)
    fine = coarse.repeat(4, axis=1).repeat(4, axis=2)[:, :150, :141]
    return np.rint(fine - fine.mean() + rng.normal(0, 2, fine.shape)).astype(np.int16)


def error(first, second):
    return float(((first.astype(np.float64) - second) ** 2).mean())


@pytest.mark.parametrize("bps", [0.05, 0.1, 0.3])
def test_budgets_are_used_and_never_exceeded(cube, bps):
    stream = Encoder(bps=bps, model=MODEL).encode(cube)
    # A band comes and goes as a whole, which is a tenth of the smallest budget.
    assert 0.88 * bps < 8 * len(stream) / cube.size <= bps
    assert len(Encoder(nbytes=len(stream), model=MODEL).encode(cube)) <= len(stream)


def test_a_quality_is_met(cube):
    decoded = Decoder(Encoder(psnr=62, model=MODEL).encode(cube), models=[MODEL]).decode()
    assert 10 * np.log10(65535**2 / error(cube, decoded)) == pytest.approx(62, abs=0.15)


def test_a_quality_that_networks_cannot_give_is_an_error(cube):
    with pytest.raises(BudgetError, match=r"quality of 95.00 dB \(RMSE 1.165\) is out of reach"):
        Encoder(psnr=95, model=MODEL).encode(cube)


def test_a_budget_that_is_too_small_is_an_error(cube):
    with pytest.raises(BudgetError, match="too small"):
        Encoder(nbytes=20, model=MODEL).encode(cube)


def test_the_step_alone_gives_the_same_bytes_again(cube):
    streams = {
        Encoder(step=16.0, model=wanted).encode(cube) for wanted in (MODEL, str(MODEL), load_package(MODEL))
    }
    assert len(streams) == 1


def test_the_error_that_is_measured_is_that_of_the_decoder(cube):
    codec = BandCodec.from_package(load_package(MODEL))
    samples = Samples.of(ArraySource(cube))
    method = NetworkMethod(NetworkEngine(codec), load_tables())
    strips = scene_strips(samples, BandPlanner(samples, codec).plan(40.0), method, 64)
    measured = sum(strips.code(index, 40.0, errors=True).error for index in range(len(strips)))
    decoded = Decoder(Encoder(step=40.0, model=MODEL, strip_lines=64).encode(cube), models=[MODEL]).decode()
    # The decoder's samples are rounded to counts besides.
    assert measured / cube.size == pytest.approx(error(cube, decoded) - 1 / 12, rel=0.01)


def test_a_higher_multiplier_empties_bands(cube, monkeypatch):
    codec = BandCodec.from_package(load_package(MODEL))
    samples = Samples.of(ArraySource(cube))
    method = NetworkMethod(NetworkEngine(codec), load_tables())
    strips = scene_strips(samples, BandPlanner(samples, codec).plan(40.0), method, 64)
    sizes = []
    for one in (0.1, 1.0, 1e9):
        monkeypatch.setattr("bandfold.onboard.networks.band_coder.LAGRANGE_MULTIPLIER", one)
        sizes.append(len(strips.code(0, 40.0, errors=False).payload))
    assert sizes[0] >= sizes[1] > sizes[2]
    assert sizes[2] < 8


def test_constant_scenes_take_no_latents():
    cube = np.full((40, 33, 50), -321, np.int16)
    cube[7] = 32767
    stream = Encoder(step=2.0, model=MODEL).encode(cube)
    assert len(stream) < 140
    np.testing.assert_array_equal(Decoder(stream, models=[MODEL]).decode(), cube)


@pytest.mark.parametrize(
    "settings", [{"sensor": GOLDEN / "golden-20.bfm"}, {"spectral": "sensor"}, {"partition": "aviris-2022"}]
)
def test_a_model_goes_with_no_other_way_to_treat_bands(settings):
    with pytest.raises(SettingsError, match="band by band"):
        Encoder(bps=1.0, model=MODEL, **settings)


def test_a_sensor_is_no_model():
    with pytest.raises(ModelError, match="of kind 'sensor'"):
        Encoder(bps=1.0, model=GOLDEN / "golden-20.bfm")


def test_strips_may_end_inside_of_latents(cube):
    for height, settings in ((64, {}), (24, {"strip_lines": 24})):
        stream = Encoder(step=40.0, model=MODEL, **settings).encode(cube)
        segments = Decoder(stream, models=[MODEL]).report()["segments"]
        assert segments[0]["lines"] == [0, height]


def test_what_is_much_worse_than_band_means_is_refused(cube, monkeypatch):
    right = NetworkEngine.synthesise
    monkeypatch.setattr(NetworkEngine, "synthesise", lambda *arguments: -3.0 * right(*arguments))
    with pytest.raises(VerificationError, match="strip 0 what is much worse than band means"):
        Encoder(step=20.0, model=MODEL).encode(cube)
