"""Faults of an encoder are noticed before a stream comes out: each is put in, and refused."""

import numpy as np
import pytest

from bandfold.common.errors import BudgetError, VerificationError
from bandfold.onboard import Encoder
from bandfold.onboard.coding import strip_coder
from bandfold.onboard.planning import component_latents
from bandfold.onboard.prediction.innovation_network import OpenNetworks
from bandfold.synthetic.scenes import SyntheticScene

SCENE = SyntheticScene(40, 48, 24, seed=5).read(slice(0, 24), slice(0, 40))
TARGETS = [{"step": 2.0}, {"bps": 2.0}, {"psnr": 70.0}, {"step": 2.0, "stream": True}]


@pytest.mark.parametrize("settings", TARGETS)
def test_a_plan_without_its_strongest_component_is_refused(monkeypatch, settings):
    sums = component_latents.latent_gain

    def wrapped(latents, step):
        """The strongest one looks worthless, as where its sum has wrapped."""
        gains = sums(latents, step)
        gains[np.argmax(gains)] = -1.0
        return gains

    monkeypatch.setattr(component_latents, "latent_gain", wrapped)
    # At a quality rate control may see it first.
    with pytest.raises((VerificationError, BudgetError), match=r"a component is missing|out of reach"):
        Encoder(**settings).encode(SCENE)


@pytest.mark.parametrize("settings", [*TARGETS, {"step": 2.0, "spectral": "none"}])
def test_levels_that_do_not_stand_for_their_latents_are_refused(monkeypatch, settings):
    right = strip_coder.quantise

    def wrong(*arguments, **options):
        levels, classes = right(*arguments, **options)
        levels[0, 0] //= 4
        return levels, classes

    monkeypatch.setattr(strip_coder, "quantise", wrong)
    with pytest.raises(VerificationError, match="strip 0 was coded wrongly"):
        Encoder(**settings).encode(SCENE)


@pytest.mark.parametrize("settings", [{"step": 2.0}, {"step": 2.0, "stream": True}])
def test_predicted_bands_that_do_not_come_back_are_refused(monkeypatch, settings):
    right = OpenNetworks.analyse

    def wrong(network, inputs, engine):
        outputs = right(network, inputs, engine).copy()
        outputs[..., 0] = 0
        return outputs

    monkeypatch.setattr(OpenNetworks, "analyse", wrong)
    with pytest.raises(VerificationError, match="does not come back"):
        Encoder(model="innovations", **settings).encode(SCENE[:4])


def test_sound_streams_pass_at_every_step():
    for step in (0.0625, 1.0, 64.0, 4096.0, 65536.0):
        assert Encoder(step=step).encode(SCENE)
