"""Tables for two quantisers: counted on latents that went through them, for each set of scenes."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from bandfold.bitstream.errors import ModelError, SettingsError
from bandfold.bitstream.tables import CLASSES, DEPENDENT, MODES, SHIPPED, load_tables, tables_from_arrays
from bandfold.calibration import dependent
from bandfold.calibration.dependent import count_tables
from bandfold.calibration.recount import quantise_strips, tally
from bandfold.ground.decoder import Decoder
from bandfold.onboard.encoder import Encoder

from .conftest import make_latents
from .test_corpus import cube, write


def arrays(path):
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def test_counted_tables_suit_their_latents_better_than_others():
    latents = [make_latents(seed) for seed in range(3)]
    tables = tables_from_arrays(count_tables(arrays(SHIPPED), latents))
    mode, other = tables.modes["folded"], load_tables(DEPENDENT).modes["folded"]
    assert mode.dependent

    def spent(one, statistics):
        found = tally(one, quantise_strips(one, statistics), statistics)
        return found.error + 0.07 * found.bits(statistics)

    unseen = make_latents(9)
    assert spent(unseen, mode) < spent(unseen, other)


def test_networks_and_single_bands_are_left_alone():
    start = arrays(SHIPPED)
    found = count_tables(start, [make_latents(0)])
    changed = {name for name in found if found[name].tobytes() != start[name].tobytes()}
    assert changed == {"folded_frequencies", "folded_points"}


def test_levels_of_the_second_quantiser_lie_half_a_step_lower():
    points = load_tables(DEPENDENT).modes["folded"].points
    assert (np.abs(points[:CLASSES]) < 0.5).all()
    assert (np.abs(points[CLASSES:] - 0.5) < 0.5).all()


def test_shipped_tables_hold_the_shipped_networks():
    one, two = arrays(SHIPPED), arrays(DEPENDENT)
    for mode in MODES:
        for part in ("hidden", "bias", "output", "offset", "shifts"):
            np.testing.assert_array_equal(one[f"{mode}_{part}"], two[f"{mode}_{part}"])


def test_tables_with_two_quantisers_are_no_start():
    with pytest.raises(ModelError, match="two quantisers already"):
        count_tables(arrays(DEPENDENT), [make_latents(0)])


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(dependent, "RATES", {"folded": (0.5,)})
    scenes, folds, output = tmp_path / "scenes", tmp_path / "folds", tmp_path / "all.npz"
    scenes.mkdir()
    folds.mkdir()
    for number, name in enumerate("ab"):
        write(scenes / f"{name}.hdr", cube(seed=number))
        (folds / f"fold-{number + 1}.npz").write_bytes(SHIPPED.read_bytes())
    (folds / "folds.json").write_text(json.dumps({"a": "fold-1.npz", "b": "fold-2.npz"}))
    asked = ["--scenes", str(scenes), "-o", str(output), "--folds", str(folds)]
    assert CliRunner().invoke(dependent.main, asked, catch_exceptions=False).exit_code == 0
    made = [output, folds / "dependent-1.npz", folds / "dependent-2.npz"]
    assert len({load_tables(path).identity for path in made}) == 3
    samples = cube(seed=7)
    stream = Encoder(step=8, tables=output).encode(samples)
    decoder = Decoder(stream, tables=output)
    assert decoder.report()["quantiser"] == "dependent"
    assert np.abs(decoder.decode().astype(float) - samples).max() < 60


def test_nothing_to_write(tmp_path):
    with pytest.raises(SettingsError, match="nothing to write"):
        CliRunner().invoke(dependent.main, ["--scenes", str(tmp_path)], catch_exceptions=False)
