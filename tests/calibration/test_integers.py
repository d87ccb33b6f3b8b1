"""Integer statistics obey what the entropy coder and float32 ask for."""

import numpy as np
import pytest

from bandfold.bitstream.network import ContextNetwork
from bandfold.bitstream.payload import side_class
from bandfold.bitstream.tables import load_tables
from bandfold.bitstream.tokens import TOKENS, token_base
from bandfold.calibration.floatnetwork import FloatNetwork
from bandfold.calibration.integers import extended, integer_frequencies, integer_network
from bandfold.calibration.sidetables import side_tables


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


@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0])
def test_networks_of_any_size_stay_exact(scale):
    rng = np.random.default_rng(5)
    shapes = {"hidden": (8, 19, 16), "bias": (64, 16), "output": (8, 16), "offset": (8,)}
    weights = {name: rng.normal(0, scale, shape) for name, shape in shapes.items()}
    parts = integer_network(FloatNetwork(**weights, probabilities=np.ones((48, 40)) / 40))
    # The constructor refuses sums that float32 cannot hold.
    network = ContextNetwork(
        *(parts[name].astype(np.float32) for name in shapes),
        shifts=(int(parts["shifts"][0]), int(parts["shifts"][1])),
        classes=48,
    )
    np.testing.assert_array_equal(network.hidden, parts["hidden"])
    unit = 48.0 / 16 * 2.0 ** parts["shifts"][0]
    assert np.abs(parts["hidden"].transpose(0, 2, 1) / unit - weights["hidden"]).max() <= 0.5001 / unit


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
