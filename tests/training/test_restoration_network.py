"""The restoration network: what it is shown is what the decoder sees, and it learns from it."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bandfold.bitstream.contexts.tables import DEPENDENT_TABLES, SHIPPED_TABLES, load_tables  # noqa: E402
from bandfold.common.errors import SettingsError  # noqa: E402
from bandfold.ground.restoration.latent_bins import BIN_ABOVE  # noqa: E402
from bandfold.training.config import DataConfig, TrainingConfig, load_config  # noqa: E402
from bandfold.training.restoration_network import (  # noqa: E402
    FACTS,
    TOLD,
    WINDOWS,
    Restoration,
    RestorationView,
    sampled_latents,
)
from bandfold.training.training_run import train_run  # noqa: E402


def test_samples_hold_facts_suggestions_signs_and_what_is_missing(counted):
    modes = [load_tables(path).modes["folded"] for path in (SHIPPED_TABLES, DEPENDENT_TABLES)]
    found = sampled_latents("made-up", counted.counts, modes)
    assert found
    assert len(found) == 2 * len(sampled_latents("made-up", counted.counts, modes[:1]))
    for values in found:
        assert values.shape[1] == TOLD
        signs, missing = values[:, -2], values[:, -1]
        assert set(np.unique(signs)) <= {-1, 0, 1}
        # What is missing lies within the bin.
        assert np.abs(missing).max() <= BIN_ABOVE + 1e-2
        assert np.abs(missing[signs == 0]).max() > 0.3
    # Another draw would be another training.
    again = sampled_latents("made-up", counted.counts, modes)
    np.testing.assert_array_equal(found[0], again[0])


def test_batches_are_drawn_from_all_scenes_alike(counted):
    view = RestorationView([counted], (1,), DataConfig(batch=64))
    batch = view.draw(np.random.default_rng(0))
    assert batch.shape == (64, TOLD, 1, 1)
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch, view.draw(np.random.default_rng(0)))
    with pytest.raises(SettingsError, match="no scene has components"):
        RestorationView([dataclasses.replace(counted, counts=None)], (1,), DataConfig())


def test_it_changes_nothing_at_first_and_is_held_to_the_bin():
    network = Restoration()
    batch = torch.randn(16, TOLD, 1, 1)
    rate, error = network.measure(batch)
    assert float(rate) == 0
    torch.testing.assert_close(error, (batch[:, -1:] ** 2).mean())
    torch.nn.init.constant_(network.layers[-1].bias, 1e6)
    missing = batch[:, -1:]
    suggestions = batch[:, FACTS : FACTS + len(WINDOWS)].sum(dim=1, keepdim=True) + batch[:, -2:-1]
    expected = ((missing - BIN_ABOVE * suggestions.sign()) ** 2).mean()
    torch.testing.assert_close(network.measure(batch)[1], expected)


def test_a_short_run_removes_some_of_the_error(counted, tmp_path):
    config = load_config("restore")
    training = TrainingConfig(steps=120, learning_rate=3e-3, save_every=120, log_every=20)
    config = dataclasses.replace(config, data=DataConfig(batch=1024), training=training)
    train_run(config, [counted], tmp_path, device=torch.device("cpu"))
    rows = [line.split(",") for line in (tmp_path / "1" / "log.csv").read_text().splitlines()]
    place = rows[0].index("squared_error")
    assert float(rows[-1][place]) < 0.98 * float(rows[1][place])
