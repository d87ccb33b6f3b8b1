"""What graphs of context networks are compared on, and with."""

from dataclasses import replace

import numpy as np
import pytest

from bandfold.bitstream.contexts.features import DIAGONAL_SLICES, LARGEST_LOG
from bandfold.bitstream.contexts.tables import DEPENDENT_TABLES, load_tables
from bandfold.onboard.networks import context_check
from bandfold.onboard.networks.context_check import (
    check_context_graphs,
    classes_of,
    input_planes,
    probe_features,
)
from bandfold.onboard.networks.engine_choice import ENGINES

NETWORK = load_tables(DEPENDENT_TABLES).modes["folded"].network
FEATURES, OWN = NETWORK.features, NETWORK.latent_features


@pytest.fixture(scope="module")
def probes():
    return list(probe_features(NETWORK))


def test_probes_reach_the_largest_and_the_smallest_sums(probes):
    weights = NETWORK.layers[0][0]
    reached = np.zeros((2, weights.shape[1]), dtype=bool)
    for features in probes:
        planes = input_planes(features)
        assert planes.min() >= 0
        assert planes.max() <= LARGEST_LOG
        # The first channel has the first group of weights.
        sums = planes.reshape(64, FEATURES, -1)[0].astype(int).T @ weights[0].astype(int).T
        reached[0] |= (sums == LARGEST_LOG * weights[0].clip(0).sum(axis=1)).any(axis=0)
        reached[1] |= (sums == LARGEST_LOG * weights[0].clip(None, 0).sum(axis=1)).any(axis=0)
    assert reached.all()


def test_planes_hold_the_features_of_each_latent(probes):
    latent, position, channel = probes[-4]
    planes = input_planes((latent, position, channel)).reshape(64, FEATURES, *latent.shape[2:])
    for diagonal, part in enumerate(DIAGONAL_SLICES):
        for one in range(part.start, part.stop):
            np.testing.assert_array_equal(planes[one, :OWN], latent[:, one])
            np.testing.assert_array_equal(planes[one, OWN : OWN + 5], position[:, diagonal])
            assert (planes[one, OWN + 5 :] == channel[:, one, None, None]).all()


def test_classes_are_those_of_the_formula(probes):
    """The network as the document of the format spells it out."""
    (hidden, bias), (middle, middle_bias), (output, offset) = (
        (weights.astype(int), biases.astype(int)) for weights, biases in NETWORK.layers
    )
    groups = (0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7)
    features = probes[-4]
    planes, found = (
        input_planes(features).reshape(64, FEATURES, -1).astype(int),
        classes_of(NETWORK, features),
    )
    for diagonal, part in enumerate(DIAGONAL_SLICES):
        group = groups[diagonal]
        for channel in range(part.start, part.stop):
            x = hidden[group] @ planes[channel] + bias[channel][:, None]
            x = np.clip(x >> NETWORK.shifts[0], 0, 127)
            x = np.clip((middle[group] @ x + middle_bias[group][:, None]) >> NETWORK.shifts[1], 0, 127)
            wanted = np.clip((output[group] @ x + offset[group]) >> NETWORK.shifts[2], 0, 47)
            np.testing.assert_array_equal(found[channel].ravel(), wanted)


def test_engines_that_are_not_installed_are_left_out(monkeypatch):
    absent = {name: replace(ENGINES[name], distributions=("no-such-distribution",)) for name in ENGINES}
    monkeypatch.setattr(context_check, "ENGINES", absent)
    assert list(check_context_graphs(NETWORK, b"", b"")) == []
