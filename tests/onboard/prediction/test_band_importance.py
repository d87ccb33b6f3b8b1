"""Steps of bands by what is predicted from them."""

import math

import numpy as np
import pytest

from bandfold.bitstream.segments.predicted_codec import LATENT_UNIT
from bandfold.bitstream.transforms.band_order import Hierarchy
from bandfold.bitstream.transforms.band_prediction import WEIGHT_UNIT, Prediction
from bandfold.onboard.prediction import band_importance
from bandfold.onboard.prediction.band_importance import (
    STEP_GRID,
    STRENGTH,
    CodedBands,
    WatchedBand,
    important_steps,
)

SHAPE = 64, 8, 16
LAST = 10


def _band(weights, values):
    """A band, its latents in steps; levels are what is nearest."""
    prediction = Prediction(tuple(round(WEIGHT_UNIT * weight) for weight in weights))
    latents = np.rint(values * LATENT_UNIT).astype(np.int32)
    levels = np.rint(values).astype(np.int32)
    classes = np.minimum(np.abs(levels), 3).astype(np.uint8)
    return WatchedBand(prediction, np.empty((0, 0)), latents, levels, classes)


def _chain(count):
    """Each band is what the one before it is, but the first, of which all latents have large levels."""
    random = np.random.default_rng(4)
    first = _band((), random.choice((-1, 1), SHAPE) * random.uniform(2, 6, SHAPE))
    return [first] + [_band((1.0,), np.zeros(SHAPE)) for _ in range(count - 1)]


def _steps(bands, tiers=0):
    coded = CodedBands(len(bands))
    for number, band in enumerate(bands):
        coded.watch(number, band)
    return important_steps(Hierarchy((0,) * tiers).with_steps(len(bands), LAST), coded).steps


@pytest.mark.parametrize("count", [2, 6, 20])
def test_a_band_is_worth_what_all_others_take_over_from_it(count):
    steps = _steps(_chain(count))
    expected = LAST - STRENGTH * 4 * math.log2(count)
    assert abs(steps[0] - expected) <= STEP_GRID / 2 + 0.5
    # Nothing is predicted from the last one.
    assert steps[-1] == LAST


def test_errors_add_up_over_all_ways():
    # The last band is the mean of two that are what the first is: its error is that of the first.
    first, *others = _chain(4)
    coded = [first, others[0], others[1], _band((0.5, 0.5), np.zeros(SHAPE))]
    assert _steps(coded)[0] == _steps(_chain(4))[0]


def test_levels_stop_errors():
    coded = _chain(6)
    coded[1] = _band((1.0,), np.full(SHAPE, 40.0))
    assert LAST - STEP_GRID <= _steps(coded)[0] <= LAST


def test_noise_that_others_lack_makes_steps_coarser():
    random = np.random.default_rng(5)
    noise = random.choice((-1.0, 1.0), SHAPE) * (random.random(SHAPE) < 0.1)
    first = _band((), noise)
    unharmed, harmed = ([first] + [_band((1.0,), error * noise)] * 30 for error in (0.0, -0.49))
    assert _steps(harmed)[0] > LAST > _steps(unharmed)[0]


def test_parts_do_not_matter(monkeypatch):
    random = np.random.default_rng(6)
    bands = [_band((), random.normal(0, 40, SHAPE)), _band((0.9,), random.normal(0, 1, SHAPE))]
    bands += [_band((0.6, 0.4), random.normal(0, 0.7, SHAPE)) for _ in range(5)]
    found = _steps(bands)
    assert found[0] < LAST
    monkeypatch.setattr(band_importance, "LATENTS_AT_ONCE", 1000)
    assert _steps(bands) == found
