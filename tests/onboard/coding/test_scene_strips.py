"""Strips of a scene: where their large arrays lie changes no byte."""

import numpy as np
import pytest

from bandfold.onboard import Encoder
from bandfold.onboard.coding import scene_strips
from bandfold.synthetic.scenes import SyntheticScene

SCENE = SyntheticScene(40, 48, 24, seed=5).read(slice(0, 24), slice(0, 40))


@pytest.mark.parametrize("target", [{"bps": 0.6}, {"psnr": 60.0}, {"lossless": True}])
def test_strips_that_share_memory_are_those_that_do_not(monkeypatch, target):
    usual = Encoder(**target, strip_lines=16).encode(SCENE)
    monkeypatch.setattr(scene_strips, "LATENTS_KEPT", 0)
    for threads in (1, 3):
        assert Encoder(**target, strip_lines=16, threads=threads).encode(SCENE) == usual


def test_what_is_forgotten_is_found_again():
    from bandfold.onboard.planning.block_sample import sample_blocks
    from bandfold.onboard.planning.scene_planner import ScenePlanner
    from bandfold.onboard.samples.samples import ArraySource

    planner = ScenePlanner(sample_blocks(ArraySource(SCENE)), None)
    before = planner.plan(9.0)
    planner.forget()
    after = planner.plan(14.0)
    again = ScenePlanner(planner.sample, None).plan(14.0)
    assert before.fold.components >= after.fold.components
    np.testing.assert_array_equal(after.fold.second.codes, again.fold.second.codes)
