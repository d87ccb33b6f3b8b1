"""Combinations of settings."""

import pytest

from bandfold.benchmarks.board import configuration
from bandfold.benchmarks.board.configuration import Choices, Configuration, exact_engines, thread_counts
from bandfold.common.errors import ModelError, SettingsError


def test_engines_go_with_models_and_quantisers_with_folds():
    choices = Choices(
        bps=(0.1, 0.5),
        models=("none", "innovations"),
        engines=("litert", "numpy"),
        threads=(1, 2),
        quantisers=("dependent", "uniform"),
    )
    found = choices.combinations()
    folded = [one for one in found if one.model is None]
    assert len(folded) == len(found) - len(folded) == 2 * 2 * 2
    assert {(one.engine, one.quantiser) for one in folded} == {("auto", "dependent"), ("auto", "uniform")}
    others = {(one.engine, one.quantiser) for one in found if one.model}
    assert others == {("litert", None), ("numpy", None)}


def test_what_is_usual():
    assert Choices(bps=(0.5,)).combinations() == [Configuration(bps=0.5)]
    described = Configuration(bps=0.5).describe()
    assert (described["quantiser"], described["engine"], described["rate"]) == (
        "dependent-32",
        None,
        "0.5 bits per sample",
    )
    assert Configuration(step=8.0, model="innovations").describe()["rate"] == "step 8"


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (Choices(bps=(1.0,), engines=("litert",)), "give --model, or leave out --engine"),
        (Choices(bps=(1.0,), models=("innovations",), quantisers=("uniform",)), "add none to --model"),
        (Choices(bps=(1.0,), strip_lines=9), "strips of 9 lines"),
    ],
)
def test_settings_that_contradict_each_other(choices, message):
    with pytest.raises(SettingsError, match=message):
        choices.combinations()


def test_an_unknown_model():
    with pytest.raises(ModelError, match="'nope' is unknown"):
        Choices(bps=(1.0,), models=("nope",)).combinations()


def test_threads():
    assert [thread_counts(cores) for cores in (1, 2, 4, 6)] == [(1,), (1, 2), (1, 2, 4), (1, 2, 4, 6)]


def test_a_sweep_is_what_runs_here(monkeypatch):
    monkeypatch.setattr(configuration, "integer_packages", lambda: ("innovations",))
    monkeypatch.setattr(configuration, "exact_engines", lambda model: ("litert", "onnxruntime"))
    monkeypatch.setattr(configuration.os, "cpu_count", lambda: 4)
    found = Choices(bps=(0.5,)).sweep()
    assert len(found) == 3 * 2 + 3 * 2
    # What is given stays as it is.
    assert Choices(bps=(0.5,), models=("none",), threads=(3,), quantisers=("uniform",)).sweep() == [
        Configuration(bps=0.5, threads=3, quantiser="uniform")
    ]


def test_engines_of_a_sweep_are_exact(monkeypatch):
    monkeypatch.setattr(
        configuration,
        "check_engines",
        lambda model: [("litert", "wrong"), ("onnxruntime", ""), ("numpy", "")],
    )
    monkeypatch.setattr(configuration, "unfit", lambda name: "")
    assert exact_engines("innovations") == ("onnxruntime",)
    monkeypatch.setattr(configuration, "unfit", lambda name: "" if name == "numpy" else "not installed")
    assert exact_engines("innovations") == ("numpy",)


def test_shipped_models_are_in_a_sweep():
    assert "innovations" in configuration.integer_packages()
