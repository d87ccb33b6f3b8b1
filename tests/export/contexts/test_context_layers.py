"""Rounding of context networks by engines: every sum that there can be, by every rule of rounding in use."""

import numpy as np
import pytest

from bandfold.bitstream.contexts.tables import DATA, load_tables
from bandfold.common.errors import ModelError
from bandfold.export.contexts.context_layers import MOST_SHIFT, ContextLayer, context_layers
from bandfold.onboard.networks.context_check import classes_of, input_planes, probe_features

from .conftest import random_network


def in_float(sums, scale):
    """Product in float32, ties to even: XNNPACK, ONNX Runtime."""
    return np.rint(sums.astype(np.float32) * np.float32(scale)).astype(np.int64)


def ties_away(sums, scale):
    """Rounded once, ties away from 0."""
    exact = sums.astype(np.float64) * np.float64(scale)
    return (np.sign(exact) * np.floor(np.abs(exact) + 0.5)).astype(np.int64)


def ties_up(sums, scale):
    """Rounded once, ties up: kernels in fixed point that round once."""
    return np.floor(sums.astype(np.float64) * np.float64(scale) + 0.5).astype(np.int64)


def twice(sums, scale):
    """Kernels in fixed point: the high half of the doubled product is rounded, then the rest (gemmlowp)."""
    mantissa, exponent = np.frexp(np.float64(scale))
    fixed = int(np.rint(mantissa * (1 << 31)))
    left, right = max(exponent, 0), max(-exponent, 0)
    product = (sums.astype(np.int64) << left) * fixed
    nudge = np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    # The division of C rounds to 0.
    high = np.sign(product + nudge) * (np.abs(product + nudge) >> 31)
    mask = (1 << right) - 1
    threshold = (mask >> 1) + (high < 0)
    return (high >> right) + ((high & mask) > threshold)


ONCE = (in_float, ties_away, ties_up)


def check(layer, sums):
    """All sums `v` of a layer, with its largest and smallest bias taken off again."""
    wanted = np.clip(sums >> layer.shift, 0, layer.highest)
    for in_halves, rules in ((False, ONCE), (True, (*ONCE, twice))):
        double = 2 if in_halves else 1
        off = layer.rounding_bias(in_halves)[0] - double * int(layer.bias[0])
        scale = layer.scale / np.float32(double)
        for rule in rules:
            found = np.clip(rule(double * sums + off, scale), 0, layer.highest)
            assert (found == wanted).all(), (rule.__name__, in_halves, sums[found != wanted][:5])


def test_every_sum_of_shipped_networks(network):
    for layer in context_layers(network):
        assert layer.reach < 1 << 19
        check(layer, np.arange(-layer.reach, layer.reach + 1))


@pytest.mark.parametrize("shift", [0, 1, 2, 5, 6, 7, 8, 10, MOST_SHIFT])
def test_every_sum_that_is_not_cut(shift):
    layer = ContextLayer(np.ones((64, 1), np.int8), np.zeros(64, np.int32), shift, 127)
    check(layer, np.arange(-(2 << shift), 130 << shift))
    check(layer, np.array([-(1 << 24), (1 << 24) - 1]))


def test_a_rule_that_is_not_met_is_found():
    layer = ContextLayer(np.ones((64, 1), np.int8), np.zeros(64, np.int32), 7, 127)
    sums = np.arange(128 << 7)
    # Kernels that round twice need the inputs in halves.
    found = twice(sums + layer.rounding_bias(False)[0], layer.scale)
    assert (found != sums >> 7).any()


def _in_integers(network, planes):
    x = planes.astype(np.int64)
    for layer in context_layers(network):
        weights = layer.weights.reshape(64, -1, layer.weights.shape[1]).astype(np.int64)
        grouped = x.reshape(len(x), 64, weights.shape[2], *x.shape[2:])
        sums = np.einsum("gof,ngfrc->ngorc", weights, grouped)
        sums += layer.bias.reshape(64, -1)[:, :, None, None]
        x = np.clip(sums >> layer.shift, 0, layer.highest).reshape(len(x), -1, *x.shape[2:])
    return x


def test_layers_are_those_of_the_network(network):
    seen = set()
    for features in probe_features(network):
        wanted = classes_of(network, features)
        np.testing.assert_array_equal(_in_integers(network, input_planes(features))[0], wanted)
        seen |= set(wanted.ravel().tolist())
    assert len(seen) > 40


def test_what_is_not_of_bytes_is_refused():
    older = load_tables(sorted(DATA.glob("older/*.npz"))[0]).modes["folded"].network
    with pytest.raises(ModelError, match="one hidden layer"):
        context_layers(older)
    with pytest.raises(ModelError, match="shifts sums by"):
        context_layers(random_network((7, -1, 7)))
