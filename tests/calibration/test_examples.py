"""Examples stand for all latents: their weights add up, and each tells what was coded where."""

import numpy as np

from bandfold.bitstream.contexts.context_network import FEATURES
from bandfold.bitstream.entropy.ans import to_tokens
from bandfold.calibration.examples import draw_examples


def quantised(seed=0):
    """Latents of a strip with one busy corner."""
    falling = 16.0 / np.arange(1, 65)[:, None, None, None]
    values = np.random.default_rng(seed).laplace(0, 1, (64, 4, 10, 12)) * falling
    values[:, :, 3:] = 0.0
    values[:, :, :, 3:] = 0.0
    return np.rint(values).astype(np.int32)


def test_all_latents_when_enough_are_asked_for():
    strips = [quantised(0), quantised(1)]
    drawn = draw_examples(strips, 1 << 30, np.random.default_rng(0))
    assert drawn.features.shape == (sum(strip.size for strip in strips), FEATURES)
    np.testing.assert_array_equal(drawn.weights, 1.0)
    for channel in (0, 1, 17, 63):
        expected = np.concatenate([strip[channel].ravel() for strip in strips])
        tokens = to_tokens(np.abs(expected).astype(np.int64))[0]
        np.testing.assert_array_equal(drawn.tokens[drawn.channels == channel], tokens)


def test_weights_stand_for_the_latents_that_were_not_drawn():
    strips = [quantised(seed) for seed in range(4)]
    total = sum(strip.size for strip in strips)
    zeros = sum(int((strip == 0).sum()) for strip in strips)
    drawn = draw_examples(strips, total // 20, np.random.default_rng(1))
    assert abs(len(drawn.tokens) - total // 20) < total // 100
    assert abs(float(drawn.weights.sum()) - total) < 0.05 * total
    assert abs(float(drawn.weights[drawn.tokens == 0].sum()) - zeros) < 0.05 * zeros
    # What teaches something is drawn more often than it comes.
    assert (drawn.tokens > 0).mean() > 1.2 * (1 - zeros / total)


def test_nothing_is_drawn_from_no_components():
    drawn = draw_examples([np.zeros((64, 0, 3, 3), np.int32)], 10, np.random.default_rng(0))
    assert drawn.features.shape == (0, FEATURES)
    assert len(drawn.tokens) == len(drawn.weights) == 0
