"""Training lowers what latents cost, gives the same tables for the same seed, and tables that load."""

import dataclasses
import importlib
import itertools

import numpy as np
import pytest

from bandfold.bitstream.contexts.features import DIAGONAL_SLICES, Past
from bandfold.bitstream.contexts.tables import MODES, SHIPPED_TABLES, load_tables, tables_from_arrays
from bandfold.bitstream.segments.latents import classify
from bandfold.calibration import context_training, table_training
from bandfold.calibration.context_training import load_torch, train_network
from bandfold.calibration.costs import cost_with
from bandfold.calibration.examples import draw_examples
from bandfold.calibration.integer_tables import extended, integer_frequencies, integer_network
from bandfold.calibration.recount import quantise_strips
from bandfold.calibration.side_tables import side_tables
from bandfold.calibration.table_training import TRIAL, train_mode, train_tables
from bandfold.common.errors import BandfoldError, SettingsError
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def trained(torch, material):
    return train_tables(material, iterations=60, seed=1)


def whole_tables(network, examples):
    """Tables of a network as it is, without counting anything again."""
    parts = {
        **integer_network(network, examples.features, examples.channels),
        "frequencies": integer_frequencies(extended(network.probabilities)),
        "points": np.zeros((48, 3), np.int32),
    }
    arrays = {f"{mode}_{name}": array for mode in MODES for name, array in parts.items()}
    return tables_from_arrays({**arrays, "side_frequencies": side_tables()})


def merit(latents, tables):
    """Distortion plus weighted rate per latent, which is what the encoder minimises."""
    found = cost_with(latents, tables.modes["folded"])
    return found.error + LAGRANGE_MULTIPLIER * found.bits


def test_tables_load_and_say_who_they_are(trained):
    tables = tables_from_arrays(trained)
    with np.load(SHIPPED_TABLES) as archive:
        expected = {name: (array.dtype, array.shape) for name, array in archive.items()}
    assert {name: (array.dtype, array.shape) for name, array in trained.items()} == expected
    assert tables.identity != load_tables().identity


def test_training_lowers_the_cost_of_unseen_latents(trained, material, unseen):
    examples = [one.examples for one in material[:2]]
    untrained = whole_tables(train_network(examples, 0), examples[0])
    before, after = merit(unseen, untrained), merit(unseen, tables_from_arrays(trained))
    assert after < 0.95 * before


def test_same_seed_same_tables_other_seed_others(material):
    pytest.importorskip("torch")
    first, again, other = (train_tables(material, iterations=5, seed=seed) for seed in (3, 3, 4))
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])
    assert any((array != other[name]).any() for name, array in first.items())


def test_integer_network_agrees_with_the_float_one(torch, material, unseen):
    examples = [one.examples for one in material[:2]]
    network = train_network(examples, 60)
    mode = whole_tables(network, examples[0]).modes["folded"]
    near = total = 0
    for quantised, _ in quantise_strips(unseen[0], mode):
        _, _, rows, columns = quantised.shape
        classes = classify(quantised, mode.network, Past.empty(2, rows, columns))[0]
        # Drawn whole, in the order of the diagonals.
        every = draw_examples([quantised], 1 << 40, np.random.default_rng(0))
        assert len(every.tokens) == quantised.size
        level = np.clip(np.rint(network.level(every.features, every.channels)), 0, 47)
        found = np.concatenate([classes[channels].ravel() for channels in DIAGONAL_SLICES])
        near += int((np.abs(found - level) <= 1).sum())
        total += found.size
        assert len(np.unique(found)) > 8
    assert near >= 0.99 * total


def test_progress_goes_from_nothing_to_everything(torch, material):
    told = []
    train_tables(material, iterations=2, progress=told.append)
    assert told == sorted(told)
    assert told[0] < 0.5
    assert told[-1] == 1.0


def test_training_that_collapsed_is_refused(torch, material, monkeypatch):
    folded = [one for one in material if one.latents.mode == "folded"]
    good = train_network([one.examples for one in folded], 60)
    one_class = dataclasses.replace(good, output=np.zeros_like(good.output))

    def train(network, iterations):
        monkeypatch.setattr(table_training, "train_network", lambda *_, **__: network)
        return train_mode("folded", folded, iterations, 7, lambda _: None)

    with pytest.raises(BandfoldError, match=r"folded latents cost \d+% more .* another --seed than 7"):
        train(one_class, TRIAL)
    assert train(good, TRIAL)
    assert train(one_class, TRIAL - 1)


def test_training_survives_a_batch_with_large_gradients(torch, material, unseen, monkeypatch):
    examples = [one.examples for one in material[:2]]
    usual = merit(unseen, whole_tables(train_network(examples, 60), examples[0]))
    losses = itertools.count()

    def loss(*arguments, of_batch=context_training._loss):
        return of_batch(*arguments) * (1e4 if next(losses) == 15 else 1.0)

    monkeypatch.setattr(context_training, "_loss", loss)
    disturbed = merit(unseen, whole_tables(train_network(examples, 60), examples[0]))
    assert disturbed < 1.02 * usual


def test_a_mode_without_latents_is_refused(material):
    pytest.importorskip("torch")
    with pytest.raises(SettingsError, match="no banded latents"):
        train_tables([one for one in material if one.latents.mode == "folded"], iterations=1)


def test_absent_pytorch_is_named(monkeypatch):
    def refuse(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(SettingsError, match=r"bandfold\[train\]"):
        load_torch()
