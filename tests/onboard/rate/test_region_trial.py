"""Several folds are made where coding says that they cost less, not where a sample alone says so."""

import pytest

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.ground import Decoder
from bandfold.onboard.coding.methods import cosine_method
from bandfold.onboard.planning.region_planner import zone_planner
from bandfold.onboard.planning.scene_planner import ScenePlanner
from bandfold.onboard.rate import region_trial as zonetrial
from bandfold.onboard.samples.source import ArraySource
from bandfold.onboard.transform.cosine import CosineEngine

from ..planning.test_region_planner import LANDS, STEP, STRIP, encode, land


@pytest.fixture(scope="module")
def cube():
    return land(LANDS)


def _plans(cube):
    source = ArraySource(cube)
    planner = ScenePlanner(source, None, CosineEngine())
    zoned = zone_planner(planner, source, STRIP, STEP)
    assert zoned is not None
    return source, zoned.plan(STEP, spectral=True), planner.plan(STEP, spectral=True)


def test_two_lands_are_worth_two_folds(cube):
    source, several, one = _plans(cube)
    tables = load_tables()
    method = cosine_method(CosineEngine(), tables, STRIP)
    assert zonetrial.several_cost_less(source, source, several, one, method, tables)
    assert Decoder(encode(cube)).report()["folds"] == len(several.all) > 1


def test_the_same_fold_under_several_numbers_is_not(cube):
    """It costs its sections, and saves nothing."""
    source, several, one = _plans(cube)
    tables = load_tables()
    copies = zonetrial.replace(
        one,
        others=tuple(zonetrial.replace(one, number=plan.number) for plan in several.others),
        zones=several.zones,
    )
    method = cosine_method(CosineEngine(), tables, STRIP)
    assert not zonetrial.several_cost_less(source, source, copies, one, method, tables)


def test_the_encoder_listens(monkeypatch, cube):
    monkeypatch.setattr("bandfold.onboard.encoder.several_cost_less", lambda *_: False)
    report = Decoder(encode(cube)).report()
    assert report["folds"] == 1
