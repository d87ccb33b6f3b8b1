"""Several folds are made where coding says that they cost less, not where a sample alone says so."""

from dataclasses import replace

import pytest

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.coding.scene_coder import SceneCoder
from bandfold.onboard.coding.strip_coder import TransformMethod
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.planning.region_planner import find_regions
from bandfold.onboard.planning.scene_planner import ScenePlanner
from bandfold.onboard.rate.region_trial import RegionTrial, try_regions
from bandfold.onboard.samples.samples import ArraySource, Samples

from ..planning.test_region_planner import LANDS, STEP, STRIP, encode, land


@pytest.fixture(scope="module")
def cube():
    return land(LANDS)


def _plans(cube):
    samples, tables = Samples.of(ArraySource(cube)), load_tables()
    planner = ScenePlanner(sample_blocks(samples), None)
    several = find_regions(planner, samples, STRIP, STEP)
    assert several is not None
    coder = SceneCoder(samples, TransformMethod(tables), tables, STRIP, lambda stage, done: None)
    return coder, several.plan(STEP), planner.plan(STEP)


def test_two_lands_are_worth_two_folds(cube):
    coder, several, one = _plans(cube)
    assert try_regions(coder, several, one).several_cost_less
    assert Decoder(encode(cube)).report()["folds"] == len(several.bases) > 1


def test_the_same_fold_under_several_numbers_is_not(cube):
    """It costs its sections, and saves nothing."""
    coder, several, one = _plans(cube)
    alike = tuple(replace(one.bases[0], number=basis.number) for basis in several.bases)
    assert not try_regions(coder, replace(one, bases=alike, regions=several.regions), one).several_cost_less


def test_the_encoder_listens(monkeypatch, cube):
    one = RegionTrial(several_cost_less=False, size=1000.0)
    monkeypatch.setattr("bandfold.onboard.rate.region_trial.try_regions", lambda *_: one)
    report = Decoder(encode(cube)).report()
    assert report["folds"] == 1


@pytest.mark.parametrize(
    ("target", "share", "moves"),
    [
        ({"bps": 0.5}, 0.4, [0.5, 0.4]),
        ({"bps": 0.5}, 0.9, []),
        ({"bps": 0.5}, 9.0, [2, 4, 8]),
        ({"bps": 0.5}, 0.01, [0.5, 0.25, 0.125]),
        ({"step": STEP}, 0.1, []),
    ],
)
def test_folds_are_compared_near_the_step_that_meets_the_target(monkeypatch, cube, target, share, moves):
    """A first guess of a step may be octaves off, where other components are worth their vectors."""
    steps = []

    def tried(_, several, one):
        steps.append(one.step)
        assert several.step == one.step
        size = share * steps[0] / one.step * 0.5 * cube.size / 8
        return RegionTrial(several_cost_less=len(steps) <= len(moves), size=size)

    monkeypatch.setattr("bandfold.onboard.rate.region_trial.try_regions", tried)
    report = Decoder(Encoder(strip_lines=STRIP, **target).encode(cube)).report()
    assert [step / steps[0] for step in steps[1:]] == pytest.approx(moves, rel=0.01)
    # The last trial decides.
    assert report["folds"] == 1
