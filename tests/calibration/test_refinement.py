"""Training the tables of refinement: weights that expect what follows, frequencies of what was counted."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from bandfold.bitstream.entropy.ans import TOKENS
from bandfold.bitstream.refinement.band_prediction import Bounds
from bandfold.bitstream.refinement.residual_codec import write_residual
from bandfold.bitstream.refinement.scales import CLASSES, WEIGHT_GROUPS
from bandfold.bitstream.refinement.side_information import ErrorBound
from bandfold.bitstream.refinement.tables import FEATURES, WEIGHT_UNIT, load_refinement_tables
from bandfold.calibration.refinement import main
from bandfold.calibration.refinement_material import (
    ContextExamples,
    RefinedStrip,
    context_examples,
    token_counts,
)
from bandfold.calibration.refinement_training import (
    SIZES,
    first_tables,
    geometric_tokens,
    train_frequencies,
    train_weights,
)
from bandfold.common.errors import SettingsError
from bandfold.formats.envi.writer import write_envi
from bandfold.onboard.samples.samples import ArraySource


def test_weights_are_those_that_made_the_magnitudes():
    random = np.random.default_rng(0)
    planes = random.gamma(2.0, 8.0, (40000, FEATURES))
    planes[:, 0] = 1.0
    true = np.array([2.0, 0.3, 0.0, 0.2, 0.0, 0.1, 0.0, 0.3])
    magnitudes = random.exponential(1.0, len(planes)) * (planes @ true)
    features = planes * SIZES
    features[:, 0] = 16.0
    examples = ContextExamples(features, magnitudes, np.full(len(planes), 5, np.int32))
    weights = train_weights(examples)
    assert weights.shape == (WEIGHT_GROUPS, FEATURES)
    expected = features @ weights[5] / WEIGHT_UNIT
    assert np.abs(expected / (planes @ true) - 1).mean() < 0.05


def test_frequencies_follow_what_was_counted():
    counts = np.zeros((CLASSES, TOKENS), np.int64)
    counts[40, 3] = counts[40, 5] = 1_000_000
    found = train_frequencies([counts, counts])
    assert (found.sum(axis=1) == 1 << 24).all()
    assert found.min() >= 1
    assert found[40, 3] == pytest.approx(1 << 23, rel=0.01)
    # A class that was never seen is geometric.
    prior = geometric_tokens()[20] / geometric_tokens()[20].sum()
    assert np.abs(found[20] / 2**24 - prior).max() < 1e-4


def test_geometric_tokens_have_the_mean_of_their_class():
    numbers = np.arange(16)
    for kind in (20, 36, 44):
        mean = (geometric_tokens()[kind, :16] * numbers).sum()
        assert mean == pytest.approx(2.0 ** ((16 - 96 + 2 * kind + 1) / 8), rel=0.05)


def _strip():
    random = np.random.default_rng(1)
    base = random.integers(500, 3000, (8, 24, 30)).astype(np.int32)
    strength = np.exp(random.normal(0, 0.6, (24, 30)))
    samples = base + np.rint(random.normal(0, 20, base.shape) * strength).astype(np.int32)
    return RefinedStrip(samples, base, Bounds(0, 65535), 0)


def test_tables_from_a_scene_serve_it_better_than_those_to_begin_with():
    strip, first = _strip(), first_tables()
    examples = context_examples(strip, first, 0)
    assert examples.magnitudes.mean() == pytest.approx(16.0, rel=0.1)
    counts = token_counts(strip, first)
    assert counts.sum() == strip.samples.size
    trained = first_tables(train_frequencies([counts]))

    def size(tables):
        bound = ErrorBound(np.zeros(len(strip.samples), np.int32))
        return len(write_residual(strip.samples, strip.base, bound, Bounds(0, 65535), None, tables)[0])

    assert size(trained) < size(first)


def test_the_program_trains_all_sets(tmp_path):
    random = np.random.default_rng(2)
    entries = []
    for name in ("hill", "lake"):
        cube = np.cumsum(random.normal(0, 30, (24, 32, 32)), axis=0) + 3000
        write_envi(
            tmp_path / f"{name}.hdr",
            np.rint(cube).astype(np.uint16),
            ArraySource(cube.astype(np.uint16)).info,
        )
        entries.append({"name": name, "place": name, "sensor": name, "level": "raw"})
    (tmp_path / "scenes.json").write_text(json.dumps(entries))
    out, folds = tmp_path / "all.npz", tmp_path / "folds"
    result = CliRunner().invoke(main, ["--scenes", str(tmp_path), "-o", str(out), "--folds", str(folds)])
    assert result.exit_code == 0, result.output
    told = json.loads((folds / "refinement-folds.json").read_text())
    assert set(told) >= {"hill", "lake"}
    assert told["hill"] != told["lake"]
    identities = {
        load_refinement_tables(path).identity for path in (out, folds / told["hill"], folds / told["lake"])
    }
    assert len(identities) == 3


def test_there_is_something_to_write(tmp_path):
    result = CliRunner().invoke(main, ["--scenes", str(tmp_path)])
    assert isinstance(result.exception, SettingsError)
