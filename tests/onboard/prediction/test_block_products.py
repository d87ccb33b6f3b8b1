import numpy as np
import pytest

from bandfold.onboard.prediction.block_products import LEAST_WEIGHT, WEIGHT_UNIT, BlockProducts

STEP = 8.0


def _samples(seed, planes=3, shape=(24, 40)):
    generator = np.random.default_rng(seed)
    return 5000 + generator.integers(-300, 300, (planes, *shape)).astype(np.int32)


def _products(samples):
    known = (16 * samples[:-1]).reshape(len(samples) - 1, -1)
    return BlockProducts.of(known, tuple(range(len(known))), samples[-1])


def test_products_of_all_frequencies_are_those_of_samples():
    samples = _samples(1)
    products = _products(samples)
    flat = samples.reshape(3, -1).astype(np.int64)
    np.testing.assert_array_equal(products.products.sum(axis=(2, 3)), 64 * (flat @ flat.T))
    np.testing.assert_array_equal(products.sums.sum(axis=1), flat.sum(axis=1))


@pytest.mark.parametrize(("wave", "group"), [(4, 1), (2, 3), (1, 4)])
def test_frequencies_are_told_apart(wave, group):
    plane = np.broadcast_to(200 * (np.arange(40) // wave % 2) - 100, (2, 24, 40)).astype(np.int32)
    energies = _products(plane).products[1, 1].sum(axis=0)
    assert energies[group] == energies.sum() > 0


def test_equal_weights_give_plain_covariances():
    samples = _samples(2)
    moments = _products(samples)
    found = moments.moments(moments.equal_weights)
    flat = samples.reshape(3, -1)
    expected = np.cov(flat, bias=True)
    assert np.array(found.covariances) / found.count == pytest.approx(expected, rel=1e-6)
    assert found.means == pytest.approx(flat.mean(axis=1))


def test_blocks_that_are_predicted_badly_weigh_less():
    samples = _samples(3, planes=2)
    samples[1] = samples[0] + np.random.default_rng(3).integers(-8, 9, samples.shape[1:])
    samples[1, 8:16, 8:16] += np.random.default_rng(4).integers(-900, 900, (8, 8), dtype=np.int32)
    weights = _products(samples).weights([1.0], 0.0, STEP)
    worse = 1 * 5 + 1
    others = np.delete(weights, worse, axis=0)
    assert weights[worse].max() < others.min() / 10
    assert others.min() > 0.05


def test_frequencies_that_are_predicted_badly_weigh_less():
    samples = _samples(4, planes=2)
    shade = np.repeat(np.repeat(np.random.default_rng(5).integers(-200, 200, (3, 5)), 8, 0), 8, 1)
    samples[1] = samples[0] + shade + np.random.default_rng(6).integers(-8, 9, shade.shape)
    weights = _products(samples).weights([1.0], 0.0, STEP)
    assert (weights[:, 0] < weights[:, 1:].min(axis=1)).all()


def test_weights_are_integers_within_limits():
    samples = _samples(5, planes=2)
    samples[1] = np.where(np.arange(40) < 8, 65535, samples[0])
    weights = _products(samples).weights([1.0], 0.0, 1e-2)
    units = weights * WEIGHT_UNIT
    np.testing.assert_array_equal(units, np.rint(units))
    assert weights.min() == LEAST_WEIGHT
    assert weights.max() <= 1.0


def test_full_contrast_stays_exact():
    samples = np.where(np.indices((24, 40)).sum(axis=0) % 2, 65535, 0).astype(np.int32)
    products = _products(np.stack([samples, samples, samples]))
    found = products.moments(products.equal_weights)
    assert found.covariances[0] == found.covariances[1] == found.covariances[2]
    assert abs(found.covariances[0][0]) < 2.0**53
