"""What is counted on quantised latents is what is there, and tables follow the counts."""

import numpy as np

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.entropy.ans import PRECISION
from bandfold.calibration.costs import cost
from bandfold.calibration.recount import quantise_strips, recount, tally

from .conftest import make_latents


def counted(seed=0, name="folded"):
    mode = load_tables().modes[name]
    latents = make_latents(seed, name)
    strips = quantise_strips(latents, mode)
    return latents, strips, mode, tally(latents, strips, mode)


def test_tokens_and_errors_are_counted():
    latents, strips, mode, found = counted()
    assert found.count == latents.count
    magnitudes = np.abs(np.concatenate([quantised.ravel() for quantised, _ in strips]))
    assert found.tokens[:, 3].sum() == (magnitudes == 3).sum()
    assert found.magnitudes.sum() == (magnitudes > 0).sum()
    classes = np.concatenate([kind.ravel() for _, kind in strips])
    assert found.tokens[20].sum() == (classes == 20).sum()
    exact = np.concatenate([strip.transpose(1, 0, 2, 3).ravel() for strip in latents.strips]).astype(
        np.float64
    )
    error = (np.abs(exact) - mode.reconstruction_points(magnitudes, classes)) ** 2
    np.testing.assert_allclose(found.error, error.sum(), rtol=0.01)


def test_bits_are_those_of_the_tables():
    _, strips, mode, found = counted()
    expected = 0.0
    for quantised, classes in strips:
        magnitudes = np.abs(quantised)
        assert magnitudes.max() < 16 * 64
        small = magnitudes < 16
        probability = mode.frequencies[classes[small], magnitudes[small]] / 2.0**PRECISION
        expected += float((-np.log2(probability) + (magnitudes[small] > 0)).sum())
    large = found.tokens.copy()
    large[:, :16] = 0
    expected += float((large * mode.costs).sum()) / 256
    np.testing.assert_allclose(found.bits(mode), expected, rtol=1e-3)
    assert cost([found, found], mode).bits == found.bits(mode) / found.count


def test_tables_follow_the_counts_and_the_prior_where_there_are_none():
    *_, mode, found = counted()
    prior = np.full(mode.frequencies.shape, (1 << 24) // 80)
    frequencies, points = recount([found, found], prior)
    assert (frequencies.sum(axis=1) == 1 << 24).all()
    busiest = int(np.argmax(found.tokens[:, 1:].sum(axis=1)))
    share = found.tokens[busiest] / found.tokens[busiest].sum()
    assert np.abs(frequencies[busiest] / 2.0**24 - share).max() < 0.01
    empty = np.flatnonzero(found.tokens.sum(axis=1) == 0)
    assert len(empty)
    np.testing.assert_allclose(frequencies[empty] / 2.0**24, 1 / 80, rtol=1e-3)
    assert np.abs(points[empty] - [10.24, 5.12, 2.56]).max() <= 0.5
    below = found.below[busiest, 0] / found.magnitudes[busiest, 0]
    assert abs(points[busiest, 0] / 256 - np.clip(below, -0.25, 0.45)) < 0.01
