"""Optimised rounding never costs more, in distortion plus weighted rate, than plain rounding."""

import numpy as np
import pytest

from bandfold.bitstream.fold import FRACTION
from bandfold.bitstream.reconstruct import magnitude_points
from bandfold.bitstream.tables import load_tables
from bandfold.bitstream.tokens import to_tokens
from bandfold.onboard.quantise import RATE_WEIGHT, quantise

STEP = 5.0


def latents(components=6, rows=5, columns=7, seed=0):
    rng = np.random.default_rng(seed)
    spread = 30.0 * 0.5 ** np.arange(components)[:, None, None, None] / (1 + np.arange(64))[:, None, None]
    return np.rint(rng.laplace(0, 1, (components, 64, rows, columns)) * spread * STEP * FRACTION).astype(
        np.int32
    )


def cost(exact, magnitudes, classes, mode):
    """Distortion plus weighted rate of each latent, in steps squared."""
    size = np.abs(exact.transpose(1, 0, 2, 3)) / (STEP * FRACTION)
    error = (size - magnitude_points(magnitudes, classes, mode)) ** 2
    tokens = to_tokens(magnitudes.ravel().astype(np.int64))[0].reshape(magnitudes.shape)
    return error + RATE_WEIGHT / 256 * mode.costs[classes, tokens]


@pytest.fixture(params=["folded", "banded"])
def mode(request):
    return load_tables().modes[request.param]


def test_no_latent_costs_more_in_the_context_it_was_decided_in(mode):
    exact = latents()
    _, classes = quantise(exact, STEP, mode, passes=0)
    decided = np.abs(quantise(exact, STEP, mode, passes=1)[0])
    nearest = np.floor(np.abs(exact.transpose(1, 0, 2, 3)) / (STEP * FRACTION) + 0.5).astype(np.int32)
    chosen, plain = (cost(exact, one, classes, mode) for one in (decided, nearest))
    assert (chosen <= plain + 1e-9).all()
    assert chosen.sum() < 0.99 * plain.sum()
    lower = np.maximum(nearest - 1, 0)
    assert (chosen <= cost(exact, lower, classes, mode) + 1e-9).all()


def test_the_whole_costs_less_with_every_pass(mode):
    exact = latents()
    totals = []
    for passes in (0, 1, 2):
        quantised, classes = quantise(exact, STEP, mode, passes=passes)
        totals.append(float(cost(exact, np.abs(quantised), classes, mode).sum()))
    assert totals[1] < totals[0]
    assert totals[2] < 1.002 * totals[1]


def test_signs_and_sizes_are_kept(mode):
    exact = latents()
    quantised, _ = quantise(exact, STEP, mode)
    steps = exact.transpose(1, 0, 2, 3) / (STEP * FRACTION)
    assert (quantised * steps >= 0).all()
    assert (np.abs(quantised) <= np.abs(steps) + 0.5).all()
    assert (np.abs(quantised) > np.abs(steps) - 1.5).all()


def test_components_in_several_runs_give_the_same(mode, monkeypatch):
    import bandfold.onboard.quantise as module

    exact = latents()
    runs = []
    for size in (1 << 30, 64 * 35 * 2, 1):
        monkeypatch.setattr(module, "LATENTS_AT_ONCE", size)
        runs.append(quantise(exact, STEP, mode, passes=0))
    for quantised, classes in runs[1:]:
        np.testing.assert_array_equal(quantised, runs[0][0])
        np.testing.assert_array_equal(classes, runs[0][1])


def test_zeros_stay_zeros(mode):
    quantised, _ = quantise(np.zeros((2, 64, 3, 3), np.int32), STEP, mode)
    assert not quantised.any()
