"""What a run trains, from a small TOML file."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bandfold.common.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHIPPED = Path(__file__).parent / "configs"
"""Configurations that come with the package; they can be named without a path."""


@dataclass(frozen=True)
class DataConfig:
    """Which scenes, and what is drawn from them.

    Parameters
    ----------
    levels, sensors : tuple of str
        A scene counts if its level (``raw``, ``radiance``, ...) begins with one of these, and its sensor too.
        Nothing given, or a folder without ``scenes.json``: every scene counts.
    parts : tuple of tuple of int
        A network is trained for each part: the numbers, from 1, of what its view divides scenes into.
    crop : int
        Lines and samples of a crop.
    batch : int
        Crops of a batch.
    contrast : tuple of float
        Least and greatest standard deviation of a scene (root of the mean variance of its bands) in steps.
        Each crop draws one in between, evenly in the logarithm.
    """

    levels: tuple[str, ...] = ()
    sensors: tuple[str, ...] = ()
    parts: tuple[tuple[int, ...], ...] = ((1,),)
    crop: int = 96
    batch: int = 8
    contrast: tuple[float, ...] = (1.0, 8.0)


@dataclass(frozen=True)
class TrainingConfig:
    """How it is trained.

    Parameters
    ----------
    steps : int
        Batches for each part.
    learning_rate : float
        The greatest; it rises over the first twentieth and falls to nothing.
    prior_factor : float
        Learning rate of the entropy model over that of the others.
    weight : float
        Weight of the distortion: ``bits per sample + weight * squared error`` is made small, the error in
        steps. A uniform quantiser at high rates trades at ``6 / ln 2`` = 8.7.
    clip : float
        Gradients longer than this are shortened to it.
    save_every, log_every : int
        Steps between checkpoints, and between rows of the log.
    """

    steps: int = 1000
    learning_rate: float = 5e-4
    prior_factor: float = 10.0
    weight: float = 7.0
    clip: float = 1.0
    save_every: int = 250
    log_every: int = 50


@dataclass(frozen=True)
class Config:
    """A run.

    Parameters
    ----------
    name : str
        Name of the configuration: its file without suffix.
    network : str
        Key of `bandfold.training.recipes.RECIPES`.
    seed : int
        Of all chance: weights, crops and noise.
    data : DataConfig
        What is drawn from which scenes.
    training : TrainingConfig
        How long and how fast.
    """

    name: str
    network: str
    seed: int = 0
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, to be stored or compared."""
        return dataclasses.asdict(self)


def load_config(path: str | Path) -> Config:
    """Read a configuration.

    Parameters
    ----------
    path : str or Path
        A TOML file, or the name of a shipped one such as ``balle48-smoke``.

    Returns
    -------
    Config
        Checked.

    Raises
    ------
    SettingsError
        If the file cannot be read, holds unknown keys, or values of the wrong kind or range.
    """
    file = Path(path)
    shipped = SHIPPED / f"{path}.toml"
    if not file.exists() and shipped.is_file():
        file = shipped
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(sorted(one.stem for one in SHIPPED.glob("*.toml")))
        raise SettingsError(
            f"configuration {path} cannot be read ({error.strerror}): give a TOML file or one of {known}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not TOML: {error}") from error
    return parse_config(file.stem, content)


def parse_config(name: str, content: Mapping[str, Any]) -> Config:
    """Check the content of a configuration.

    Parameters
    ----------
    name : str
        What the configuration is called.
    content : mapping
        As TOML gives it.

    Returns
    -------
    Config
        Checked.

    Raises
    ------
    SettingsError
        As for `load_config`.
    """
    if "name" in content:
        raise SettingsError(f"{name} has unknown settings name: its file gives it one")
    rest = dict(content)
    data = _build(DataConfig, rest.pop("data", {}), f"{name}: [data]")
    training = _build(TrainingConfig, rest.pop("training", {}), f"{name}: [training]")
    config = _build(Config, {"name": name, **rest}, name, data=data, training=training)
    low_high = data.contrast
    wrong = {
        "parts must be lists of numbers from 1": not data.parts
        or any(not part or min(part) < 1 for part in data.parts),
        "contrast must be two rising positive numbers": len(low_high) != 2
        or not 0 < low_high[0] <= low_high[1],
        "crop, batch, save_every and log_every must be positive": min(
            data.crop, data.batch, training.save_every, training.log_every
        )
        < 1,
        "steps and seed must not be negative": min(training.steps, config.seed) < 0,
        "rates, weight and clip must be positive": min(
            training.learning_rate, training.prior_factor, training.weight, training.clip
        )
        <= 0,
    }
    for reason, true in wrong.items():
        if true:
            raise SettingsError(f"configuration {name}: {reason}")
    return config


def _build(kind: type[Any], values: Any, where: str, **more: Any) -> Any:
    """Fill a dataclass, refusing keys it lacks and values of another kind than its defaults."""
    if not isinstance(values, Mapping):
        raise SettingsError(f"{where} is {values!r}: write a table of settings")
    fields = {one.name: one for one in dataclasses.fields(kind)}
    unknown = sorted(set(values) - (set(fields) - set(more)))
    if unknown:
        raise SettingsError(
            f"{where} has unknown settings {', '.join(unknown)}: known are {', '.join(fields)}"
        )
    made = {}
    for name, given in values.items():
        value = _frozen(given)
        expected = str(fields[name].type)
        if not _KINDS[expected](value):
            raise SettingsError(f"{where}: {name} is {value!r}, which is not {expected}")
        made[name] = value
    # All other settings have a default, or come from the name of the file.
    if "network" in fields and "network" not in made:
        raise SettingsError(f"{where} lacks network")
    return kind(**made, **more)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return _whole(value) or isinstance(value, float)


_KINDS: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": _whole,
    "float": _number,
    "tuple[str, ...]": lambda value: isinstance(value, tuple) and all(isinstance(one, str) for one in value),
    "tuple[float, ...]": lambda value: isinstance(value, tuple) and all(map(_number, value)),
    "tuple[tuple[int, ...], ...]": lambda value: (
        isinstance(value, tuple) and all(isinstance(part, tuple) and all(map(_whole, part)) for part in value)
    ),
}
