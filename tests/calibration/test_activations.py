"""Ranges of activations: what each method keeps, and what a histogram remembers."""

import numpy as np
import pytest

from bandfold.calibration.activations import METHODS, OUTLIERS, Observer, choose_range
from bandfold.common.errors import SettingsError


def observe(*parts):
    observer = Observer()
    for part in parts:
        observer.add(np.asarray(part, np.float32))
    return observer


@pytest.fixture(scope="module")
def values():
    """A heavy-tailed sample, as activations are, and one value far off."""
    sample = np.random.default_rng(0).laplace(0, 1, 200_000).astype(np.float32)
    sample[77] = 300.0
    return sample


def test_minmax_is_what_was_seen_and_0():
    assert choose_range(observe([1.0, 2.5], [0.5]), "minmax") == (0.0, 2.5)
    assert choose_range(observe([-3.0, 2.5]), "minmax") == (-3.0, 2.5)
    assert choose_range(observe([-3.0, 2.5]), "headroom") == (-4.5, 3.75)


def test_percentile_leaves_the_tails(values):
    low, high = choose_range(observe(values), "percentile")
    outside = ((values < low) | (values > high)).mean()
    assert 0.3 * OUTLIERS < outside <= OUTLIERS
    assert -15 < low < -5 < 5 < high < 15
    low, high = choose_range(observe(np.abs(values)), "percentile")
    assert low == 0.0
    assert 0.3 * OUTLIERS < (np.abs(values) > high).mean() <= OUTLIERS


def test_entropy_cuts_what_is_rare_and_keeps_what_is_even(values):
    low, high = choose_range(observe(values), "entropy")
    assert -20 < low < -2 < 2 < high < 40
    even = np.linspace(0, 7, 100_000)
    assert choose_range(observe(even), "entropy")[1] > 6.9


def test_the_order_and_the_cut_of_batches_do_not_matter(values):
    one = observe(values)
    other = observe(*np.array_split(values[::-1], 7))
    np.testing.assert_array_equal(one.counts, other.counts)
    assert (one.limit, one.low, one.high) == (other.limit, other.low, other.high)
    assert one.counts.sum() == values.size


@pytest.mark.parametrize("method", METHODS)
def test_degenerate_tensors_have_a_range(method):
    for observer in (observe(), observe(np.zeros(9)), observe([], [1e-30])):
        low, high = choose_range(observer, method)
        assert low <= 0.0 <= high
        assert low < high


def test_unknown_methods_are_refused():
    with pytest.raises(SettingsError, match="method 'mean' is unknown"):
        choose_range(observe([1.0]), "mean")
