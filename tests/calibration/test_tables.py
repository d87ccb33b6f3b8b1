"""The command, from a folder of scenes to tables that the codec runs with."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.calibration import corpus, material, tables
from bandfold.common.errors import SettingsError
from bandfold.ground.decoder import Decoder
from bandfold.onboard.encoder import Encoder

from .test_corpus import cube, write


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "scenes"
    path.mkdir()
    for number, name in enumerate(("a", "b", "c", "d")):
        write(path / f"{name}.hdr", cube(seed=number))
    entries = [{"name": name, "place": place} for name, place in zip("abcd", "xyzx", strict=True)]
    (path / "scenes.json").write_text(json.dumps(entries))
    return path


def command(*arguments):
    return CliRunner().invoke(tables.main, [str(argument) for argument in arguments], catch_exceptions=False)


def test_tables_and_folds_of_a_folder(folder, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(tables, "RATES", {"folded": (0.5,), "banded": (0.5,)})
    output, folds = tmp_path / "all.npz", tmp_path / "folds"
    result = command("--scenes", folder, "-o", output, "--folds", folds, "--iterations", 3)
    assert result.exit_code == 0
    assert all(name in result.output for name in ("all.npz", "fold-1.npz", "fold-3.npz"))
    files = json.loads((folds / "folds.json").read_text())
    assert set(files) == {"a", "b", "c", "d"}
    assert files["a"] == files["d"]
    assert len(set(files.values())) == 3
    identities = {load_tables(path).identity for path in (output, *(folds / name for name in files.values()))}
    assert len(identities) == 4
    samples = cube(seed=7)
    stream = Encoder(step=8, tables=output).encode(samples)
    decoded = Decoder(stream, tables=output).decode()
    assert np.abs(decoded.astype(float) - samples).max() < 60
    again = tmp_path / "again.npz"
    command("--scenes", folder, "-o", again, "--iterations", 3)
    assert again.read_bytes() == output.read_bytes()


def test_excluded_scenes_are_not_looked_at(folder, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    looked_at = []
    monkeypatch.setattr(tables, "RATES", {"folded": (0.5,), "banded": (0.5,)})
    monkeypatch.setattr(
        material, "open_scene", lambda path: looked_at.append(path.stem) or corpus.open_scene(path)
    )
    assert (
        command("--scenes", folder, "-o", tmp_path / "x.npz", "--exclude", "a,c", "--iterations", 1).exit_code
        == 0
    )
    assert looked_at == ["b", "d"]


def test_something_must_be_written(folder):
    with pytest.raises(SettingsError, match="nothing to write"):
        command("--scenes", folder)


def test_one_place_has_no_folds(folder, tmp_path):
    pytest.importorskip("torch")
    with pytest.raises(SettingsError, match="none can be left out"):
        command("--scenes", folder, "--folds", tmp_path / "folds", "--exclude", "b,c")
    assert not (tmp_path / "folds").exists()
