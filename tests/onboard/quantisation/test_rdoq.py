"""Optimised rounding never costs more, in distortion plus weighted rate, than plain rounding."""

import numpy as np
import pytest

from bandfold.bitstream.contexts.features import Past
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.entropy.ans import DIRECT, to_tokens
from bandfold.bitstream.segments.latents import classify
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.onboard.quantisation.rdoq import quantise
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER

from ..latents import STEP, latents


def cost(exact, magnitudes, classes, mode):
    """Distortion plus weighted rate of each latent, in steps squared."""
    size = np.abs(exact.transpose(1, 0, 2, 3)) / (STEP * FRACTION)
    error = (size - mode.reconstruction_points(magnitudes, classes)) ** 2
    tokens = to_tokens(magnitudes.ravel().astype(np.int64))[0].reshape(magnitudes.shape)
    return error + LAGRANGE_MULTIPLIER / 256 * mode.costs[classes, tokens]


@pytest.fixture(params=["folded", "banded"])
def mode(request):
    return load_tables().modes[request.param]


def test_no_latent_costs_more_than_its_neighbours_in_its_context(mode):
    exact = latents()
    quantised, classes = quantise(exact, STEP, mode)
    nearest = np.floor(np.abs(exact.transpose(1, 0, 2, 3)) / (STEP * FRACTION) + 0.5).astype(np.int32)
    # Large magnitudes share tokens with their neighbours, and their small differences in rate are left aside.
    small = nearest < DIRECT
    chosen, plain = (cost(exact, one, classes, mode)[small] for one in (np.abs(quantised), nearest))
    assert (chosen <= plain + 1e-9).all()
    assert chosen.sum() < 0.99 * plain.sum()
    lower = np.maximum(nearest - 1, 0)
    assert (chosen <= cost(exact, lower, classes, mode)[small] + 1e-9).all()


def test_contexts_are_those_that_the_decoder_will_see(mode):
    exact = latents()
    quantised, classes = quantise(exact, STEP, mode)
    seen, _ = classify(quantised, mode.network, Past.empty(2, *quantised.shape[2:]))
    np.testing.assert_array_equal(classes, seen)


def test_the_whole_costs_less_than_rounding(mode):
    exact = latents()
    quantised, classes = quantise(exact, STEP, mode)
    plain = np.rint(exact.transpose(1, 0, 2, 3) / (STEP * FRACTION)).astype(np.int32)
    contexts, _ = classify(plain, mode.network, Past.empty(2, *plain.shape[2:]))
    optimised = cost(exact, np.abs(quantised), classes, mode).sum()
    assert optimised < 0.97 * cost(exact, np.abs(plain), contexts, mode).sum()


def test_signs_and_sizes_are_kept(mode):
    exact = latents()
    quantised, _ = quantise(exact, STEP, mode)
    steps = exact.transpose(1, 0, 2, 3) / (STEP * FRACTION)
    assert (quantised * steps >= 0).all()
    assert (np.abs(quantised) <= np.abs(steps) + 0.5).all()
    assert (np.abs(quantised) > np.abs(steps) - 1.5).all()


def test_zeros_stay_zeros(mode):
    quantised, _ = quantise(np.zeros((2, 64, 3, 3), np.int32), STEP, mode)
    assert not quantised.any()
