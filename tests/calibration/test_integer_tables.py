"""Integer statistics obey what the entropy coder and float32 ask for."""

import numpy as np
import pytest

from bandfold.bitstream.contexts.context_network import ContextNetwork
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.entropy.ans import TOKENS, token_base
from bandfold.bitstream.payloads.payload import side_class
from bandfold.calibration.float_network import FloatNetwork, members_of_groups
from bandfold.calibration.integer_tables import extended, integer_frequencies, integer_network
from bandfold.calibration.side_tables import side_tables


@pytest.mark.parametrize("tokens", [2, TOKENS])
def test_frequencies_sum_up_and_none_is_zero(tokens):
    shares = np.random.default_rng(0).random((30, tokens)) ** 20
    shares[0] = 0.0
    shares[0, 1] = 1e-300
    frequencies = integer_frequencies(shares)
    np.testing.assert_array_equal(frequencies.sum(axis=1), 1 << 24)
    assert frequencies.min() >= 1
    expected = shares / shares.sum(axis=1, keepdims=True)
    assert np.abs(frequencies / (1 << 24) - expected).max() < tokens * 2.0**-23


def test_unheard_of_tokens_become_rarer_and_rarer():
    longer = extended(np.full((3, 40), 1 / 40))
    assert longer.shape == (3, TOKENS)
    np.testing.assert_array_equal(longer[:, :40], 1 / 40)
    assert (np.diff(longer[:, 39:], axis=1) < 0).all()
    assert longer.min() > 0


SHAPES = {
    "hidden": (8, 19, 16),
    "bias": (64, 16),
    "middle": (8, 16, 12),
    "middle_bias": (8, 12),
    "output": (8, 12),
    "offset": (8,),
}


@pytest.mark.parametrize("scale", [0.1, 0.3, 100.0])
def test_networks_of_any_size_become_bytes(scale):
    rng = np.random.default_rng(5)
    weights = {name: rng.normal(0, scale, shape) for name, shape in SHAPES.items()}
    network = FloatNetwork(**weights, probabilities=np.ones((48, 40)) / 40)
    features = rng.integers(0, 128, (4000, 19)).astype(np.uint8)
    channels = rng.integers(0, 64, 4000).astype(np.uint8)
    parts = integer_network(network, features, channels)
    # The constructor refuses weights that are no bytes, and sums that float32 cannot hold.
    ContextNetwork(
        tuple(
            (parts[weights].astype(np.float32), parts[bias].astype(np.float32))
            for weights, bias in (("hidden", "bias"), ("middle", "middle_bias"), ("output", "offset"))
        ),
        shifts=tuple(parts["shifts"].tolist()),
        classes=48,
    )
    for name in ("hidden", "middle"):
        assert np.abs(parts[name]).max() > 60, name
    # The last layer has no more fractional bits than levels need.
    assert scale == 0.1 or np.abs(parts["output"]).max() > 60


def test_integers_give_the_classes_of_the_floats():
    rng = np.random.default_rng(6)
    weights = {name: rng.normal(0, 0.3, shape) for name, shape in SHAPES.items()}
    weights["offset"] += 24
    network = FloatNetwork(**weights, probabilities=np.ones((48, 40)) / 40)
    features = rng.integers(0, 128, (4000, 19)).astype(np.uint8)
    channels = rng.integers(0, 64, 4000).astype(np.uint8)
    parts = {
        name: values.astype(np.int64) for name, values in integer_network(network, features, channels).items()
    }
    found = np.empty(4000)
    for group, members in members_of_groups(channels):
        first = (features[members] @ parts["hidden"][group].T + parts["bias"][channels[members]]) >> parts[
            "shifts"
        ][0]
        second = np.clip(first, 0, 127) @ parts["middle"][group].T + parts["middle_bias"][group]
        second = np.clip(second >> parts["shifts"][1], 0, 127)
        found[members] = (second @ parts["output"][group] + parts["offset"][group]) >> parts["shifts"][2]
    expected = network.level(features, channels)
    assert np.std(expected) > 2
    # Bytes are good to a part of a class.
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.6


def test_shipped_side_tables_are_the_ones_made_here():
    np.testing.assert_array_equal(side_tables(), load_tables().side)


@pytest.mark.parametrize("mean", [0.3, 1.0, 3.0, 20.0, 500.0, 20000.0])
def test_side_tables_suit_their_means(mean):
    # Two-sided geometric values of that mean magnitude, as tokens.
    ratio = (np.sqrt(1 + mean * mean) - 1) / mean
    low, widths = token_base(np.arange(TOKENS, dtype=np.int32))
    chances = ratio**low - ratio ** (low + 2.0**widths)
    chances[0] = (1 - ratio) / 2
    cost = -np.log2(side_tables() / 2.0**24) @ (chances / chances.sum())
    assert abs(int(np.argmin(cost)) - side_class(round(mean * 256))) <= 1
