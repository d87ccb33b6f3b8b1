"""Configurations: what is shipped is valid, and mistakes are named."""

import pytest

from bandfold.common.errors import SettingsError
from bandfold.training.config import SHIPPED, DataConfig, load_config, parse_config

NAMES = sorted(path.stem for path in SHIPPED.glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_shipped_configurations_are_valid(name):
    config = load_config(name)
    assert config.name == name
    assert load_config(SHIPPED / f"{name}.toml") == config
    values = config.as_dict()
    assert parse_config(values.pop("name"), {key: _lists(value) for key, value in values.items()}) == config


def _lists(value):
    """What TOML and JSON give in place of tuples."""
    if isinstance(value, dict):
        return {key: _lists(one) for key, one in value.items()}
    return [_lists(one) for one in value] if isinstance(value, tuple) else value


def test_there_are_three_levels_for_each_training_set():
    assert {f"balle48-{kind}-l{level}" for kind in ("cal", "uncal") for level in (1, 2, 3)} <= set(NAMES)


def test_defaults_fill_what_is_not_said():
    config = parse_config("x", {"network": "balle48"})
    assert config.data == DataConfig()
    assert config.seed == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "lacks network"),
        ({"network": 3}, "network is 3"),
        ({"network": "n", "sed": 1}, "unknown settings sed"),
        ({"network": "n", "name": "other"}, "unknown settings name"),
        ({"network": "n", "data": {"crop": 1.5}}, "crop is 1.5"),
        ({"network": "n", "data": {"crop": True}}, "crop is True"),
        ({"network": "n", "data": {"batch": 0}}, "must be positive"),
        ({"network": "n", "data": {"parts": []}}, "parts must be"),
        ({"network": "n", "data": {"parts": [[0]]}}, "parts must be"),
        ({"network": "n", "data": {"parts": [1]}}, "parts is"),
        ({"network": "n", "data": {"contrast": [2, 1]}}, "contrast must be"),
        ({"network": "n", "data": {"contrast": [1]}}, "contrast must be"),
        ({"network": "n", "data": 5}, "write a table"),
        ({"network": "n", "training": {"steps": -1}}, "not be negative"),
        ({"network": "n", "training": {"weight": 0}}, "must be positive"),
    ],
)
def test_mistakes_are_named(content, message):
    with pytest.raises(SettingsError, match=message):
        parse_config("x", content)


def test_absent_and_broken_files_are_named(tmp_path):
    with pytest.raises(SettingsError, match="balle48-smoke"):
        load_config("nothing")
    broken = tmp_path / "broken.toml"
    broken.write_text("network = ")
    with pytest.raises(SettingsError, match="not TOML"):
        load_config(broken)
