"""Runs: training lowers the loss, an interruption changes nothing, and folders are not mixed up."""

import csv
import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bandfold.common.errors import BandfoldError, ModelError, SettingsError  # noqa: E402
from bandfold.training.config import TrainingConfig  # noqa: E402
from bandfold.training.log import COLUMNS  # noqa: E402
from bandfold.training.loop import pick_device, rate_factor  # noqa: E402
from bandfold.training.training_run import read_run, train_run  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights(folder):
    return torch.load(folder / "model.pt", weights_only=True)


def test_smoke_run_trains_every_part_and_lowers_the_loss(smoke, scene, tmp_path):
    longer = TrainingConfig(steps=80, learning_rate=2e-3, save_every=40, log_every=20)
    config = dataclasses.replace(smoke, training=longer)
    told = []
    train_run(config, [scene], tmp_path, device=CPU, progress=lambda stage, done: told.append((stage, done)))
    for part in ("1", "2+3+4+5"):
        with open(tmp_path / part / "log.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert tuple(rows[0]) == COLUMNS
        assert [row["step"] for row in rows] == ["20", "40", "60", "80"]
        assert float(rows[-1]["loss"]) < 0.7 * float(rows[0]["loss"])
        assert (tmp_path / part / "log.png").read_bytes().startswith(b"\x89PNG")
    assert told[-1] == ("balle48-smoke 2+3+4+5", 1.0)
    assert read_run(tmp_path) == (config, ["made-up"])


def test_an_interrupted_run_ends_as_if_it_had_not_been(smoke, scene, tmp_path):
    train_run(smoke, [scene], tmp_path / "whole", device=CPU)
    train_run(smoke, [scene], tmp_path / "cut", device=CPU, stop=6)
    assert not (tmp_path / "cut" / "1" / "model.pt").exists()
    # Other use of the generators in between must not matter.
    torch.manual_seed(99)
    train_run(smoke, [scene], tmp_path / "cut", device=CPU)
    for part in ("1", "2+3+4+5"):
        whole, cut = weights(tmp_path / "whole" / part), weights(tmp_path / "cut" / part)
        assert whole.keys() == cut.keys()
        for name in whole:
            assert torch.equal(whole[name], cut[name]), name
    rows = (tmp_path / "cut" / "1" / "log.csv").read_text().splitlines()
    assert [row.split(",")[:4] for row in rows] == [
        row.split(",")[:4] for row in (tmp_path / "whole" / "1" / "log.csv").read_text().splitlines()
    ]


def test_seeds_matter_and_generators_are_left_alone(smoke, scene, tmp_path):
    before = torch.get_rng_state()
    for seed in (1, 2):
        train_run(dataclasses.replace(smoke, seed=seed), [scene], tmp_path / str(seed), device=CPU)
    assert torch.equal(torch.get_rng_state(), before)
    first, other = (weights(tmp_path / str(seed) / "1") for seed in (1, 2))
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_a_run_can_start_from_another(smoke, scene, tmp_path):
    train_run(smoke, [scene], tmp_path / "first", device=CPU)
    data = dataclasses.replace(smoke.data, parts=((3,),))
    still = dataclasses.replace(smoke, data=data, training=TrainingConfig(steps=0))
    train_run(still, [scene], tmp_path / "second", device=CPU, start=tmp_path / "first")
    first, second = weights(tmp_path / "first" / "2+3+4+5"), weights(tmp_path / "second" / "3")
    for name in first:
        assert torch.equal(first[name], second[name]), name


def test_a_start_that_does_not_suit_is_refused(smoke, scene, tmp_path):
    data = dataclasses.replace(smoke.data, parts=((1,),))
    train_run(dataclasses.replace(smoke, data=data), [scene], tmp_path / "one", device=CPU, stop=2)
    with pytest.raises(ModelError, match="no finished model that covers part 1"):
        train_run(smoke, [scene], tmp_path / "two", device=CPU, start=tmp_path / "one")
    with pytest.raises(ModelError, match="not the folder of a training"):
        train_run(smoke, [scene], tmp_path / "three", device=CPU, start=tmp_path / "nothing")


def test_folders_of_other_runs_are_refused(smoke, scene, tmp_path):
    train_run(smoke, [scene], tmp_path, device=CPU, stop=1)
    with pytest.raises(ModelError, match="other settings or scenes"):
        train_run(dataclasses.replace(smoke, seed=8), [scene], tmp_path, device=CPU)
    (tmp_path / "1" / "checkpoint.pt").write_bytes(b"PK nonsense")
    with pytest.raises(ModelError, match="no checkpoint"):
        train_run(smoke, [scene], tmp_path, device=CPU)
    (tmp_path / "run.json").write_text(json.dumps({"config": 1}))
    with pytest.raises(ModelError, match="not the folder of a training"):
        read_run(tmp_path)


def test_a_loss_that_is_no_number_ends_the_training(smoke, scene, tmp_path):
    broken = dataclasses.replace(scene, planes=scene.planes * np.float32(np.nan))
    # Bands are chosen by their range, which must be a number.
    broken.planes[:, 0, 0] = 0
    with pytest.raises(BandfoldError, match=r"diverged|no scene has bands"):
        train_run(smoke, [broken], tmp_path, device=CPU)


def test_unknown_networks_and_devices_are_named(smoke, scene, tmp_path):
    with pytest.raises(SettingsError, match="there are balle48"):
        train_run(dataclasses.replace(smoke, network="other"), [scene], tmp_path, device=CPU)
    with pytest.raises(SettingsError, match="cannot train on device 'abacus'"):
        pick_device("abacus")
    assert pick_device("cpu") == CPU


def test_learning_rate_rises_and_falls():
    factors = [rate_factor(step, 100) for step in range(100)]
    assert factors[4] == max(factors) == 1.0
    assert factors[:5] == sorted(factors[:5])
    assert factors[5:] == sorted(factors[5:], reverse=True)
    assert 0 < factors[-1] < 0.01
