"""Tables for two quantisers: counted on latents that went through them, for each set of scenes."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from bandfold.bitstream.contexts.tables import (
    CLASSES,
    DEPENDENT_TABLES,
    SHIPPED_TABLES,
    load_tables,
    tables_from_arrays,
)
from bandfold.calibration import dependent, table_training
from bandfold.calibration.dependent import train_dependent
from bandfold.calibration.material import prepare
from bandfold.calibration.recount import quantise_strips, tally
from bandfold.common.errors import BandfoldError, SettingsError
from bandfold.ground.decoder import Decoder
from bandfold.onboard.encoder import Encoder

from .conftest import make_latents
from .test_corpus import cube, write


def arrays(path):
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.fixture(scope="module")
def trained():
    """Tables trained on made-up latents."""
    pytest.importorskip("torch")
    start = load_tables(DEPENDENT_TABLES)
    material = [prepare(make_latents(seed), start, seed=0, examples=20000) for seed in range(3)]
    return train_dependent(arrays(SHIPPED_TABLES), material, iterations=300)


def test_trained_tables_suit_their_latents_better_than_others(trained):
    mode, other = tables_from_arrays(trained).modes["folded"], load_tables(DEPENDENT_TABLES).modes["folded"]
    assert mode.dependent
    assert mode.network.half_steps

    def spent(one, statistics):
        found = tally(one, quantise_strips(one, statistics), statistics)
        return found.error + 0.07 * found.bits(statistics)

    unseen = make_latents(9)
    assert spent(unseen, mode) < spent(unseen, other)


def test_single_bands_are_left_alone(trained):
    start = arrays(SHIPPED_TABLES)
    changed = {name for name in trained if trained[name].tobytes() != start[name].tobytes()}
    assert changed == {name for name in start if name.startswith("folded")}


def test_examples_tell_their_quantiser():
    drawn = prepare(make_latents(1), load_tables(DEPENDENT_TABLES), seed=0).examples
    one = prepare(make_latents(1), load_tables(), seed=0).examples
    assert 0.2 < drawn.second[drawn.tokens > 0].mean() < 0.8
    assert not one.second.any()


def test_levels_of_the_second_quantiser_lie_half_a_step_lower():
    points = load_tables(DEPENDENT_TABLES).modes["folded"].points
    assert (np.abs(points[:CLASSES]) < 0.5).all()
    assert (np.abs(points[CLASSES:] - 0.5) < 0.5).all()


def test_shipped_tables_have_the_shipped_single_bands():
    one, two = arrays(SHIPPED_TABLES), arrays(DEPENDENT_TABLES)
    for name in one:
        if not name.startswith("folded"):
            np.testing.assert_array_equal(one[name], two[name])


def test_tables_with_one_quantiser_are_no_start(tmp_path):
    pytest.importorskip("torch")
    asked = ["--scenes", str(tmp_path), "-o", str(tmp_path / "a.npz"), "--start", str(SHIPPED_TABLES)]
    found = CliRunner().invoke(dependent.main, asked)
    assert isinstance(found.exception, SettingsError)
    assert "has one quantiser" in str(found.exception)


def test_the_command(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(dependent, "RATES", {"folded": (0.5,)})
    scenes, folds, output = tmp_path / "scenes", tmp_path / "folds", tmp_path / "all.npz"
    scenes.mkdir()
    folds.mkdir()
    for number, name in enumerate("ab"):
        write(scenes / f"{name}.hdr", cube(seed=number))
        (folds / f"fold-{number + 1}.npz").write_bytes(SHIPPED_TABLES.read_bytes())
    (folds / "folds.json").write_text(json.dumps({"a": "fold-1.npz", "b": "fold-2.npz"}))
    asked = ["--scenes", str(scenes), "-o", str(output), "--folds", str(folds), "--iterations", "3"]
    assert CliRunner().invoke(dependent.main, asked, catch_exceptions=False).exit_code == 0
    made = [output, folds / "dependent-1.npz", folds / "dependent-2.npz"]
    assert len({load_tables(path).identity for path in made}) == 3
    samples = cube(seed=7)
    stream = Encoder(step=8, tables=output).encode(samples)
    decoder = Decoder(stream, tables=output)
    assert decoder.report()["quantiser"] == "dependent-32"
    assert np.abs(decoder.decode().astype(float) - samples).max() < 60


def test_worthless_tables_are_not_written(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(dependent, "RATES", {"folded": (0.5,)})
    monkeypatch.setattr(table_training, "TRIAL", 1)
    monkeypatch.setattr(table_training, "WORTHLESS", -0.99)
    write(tmp_path / "a.hdr", cube(seed=0))
    asked = ["--scenes", str(tmp_path), "-o", str(tmp_path / "a.npz"), "--iterations", "1"]
    with pytest.raises(BandfoldError, match="training collapsed"):
        CliRunner().invoke(dependent.main, asked, catch_exceptions=False)
    assert not (tmp_path / "a.npz").exists()


def test_nothing_to_write(tmp_path):
    with pytest.raises(SettingsError, match="nothing to write"):
        CliRunner().invoke(dependent.main, ["--scenes", str(tmp_path)], catch_exceptions=False)
