"""A run: one configuration, one network for each of its parts, in one folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bandfold.common.atomic_files import atomic_output, output_errors
from bandfold.common.errors import ModelError, SettingsError

from .checkpoint import State, load_state
from .config import Config, parse_config
from .loop import MODEL, Training
from .recipes import find_recipe
from .training_scenes import TrainingScene

Progress = Callable[[str, float], None]
"""Told the stage and the fraction of it that is done."""

DESCRIPTION = "run.json"


def part_name(part: Sequence[int]) -> str:
    """Name the folder of a part.

    Parameters
    ----------
    part : sequence of int
        Numbers of what the network is for; see `bandfold.training.config.DataConfig`.

    Returns
    -------
    str
        The numbers, joined by ``+``.
    """
    return "+".join(map(str, part))


def train_run(
    config: Config,
    scenes: Sequence[TrainingScene],
    folder: Path,
    *,
    device: torch.device,
    start: Path | None = None,
    progress: Progress | None = None,
    stop: int | None = None,
) -> None:
    """Train every part of a configuration, or go on where an interrupted run left off.

    Parameters
    ----------
    config : Config
        What is trained, and how.
    scenes : sequence of TrainingScene
        To draw from.
    folder : Path
        Gets ``run.json`` and a folder for each part.
    device : torch.device
        Where to train.
    start : Path, optional
        A run of the same network. Each part starts from the model of the fewest parts that it holds and that
        cover this one.
    progress : callable, optional
        Called with a stage and the fraction of it that is done.
    stop : int, optional
        End early, after this step of each part.

    Raises
    ------
    BandfoldError
        `SettingsError` if the configuration does not suit the scenes, `ModelError` if the folder or the start
        is of something else, `OutputError` if the folder cannot be written.
    """
    recipe = find_recipe(config)
    described = {
        "config": config.as_dict(),
        "scenes": sorted(scene.name for scene in scenes),
        "start": None if start is None else str(start),
    }
    # Lists in place of tuples, as JSON gives them back.
    identity = json.loads(json.dumps(described))
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    _describe(folder, identity)
    # The generators of the caller are left as they were.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        for part in config.data.parts:
            name = part_name(part)
            weights = None if start is None else starting_weights(start, config.network, part)
            with output_errors(folder / name):
                (folder / name).mkdir(exist_ok=True)
            training = Training(
                config,
                recipe,
                recipe.view(scenes, part, config.data),
                folder / name,
                device,
                weights,
                {**identity, "part": list(part)},
            )
            told = None if progress is None else partial(progress, f"{config.name} {name}")
            training.run(told, stop)


def starting_weights(run: Path, network: str, part: Sequence[int]) -> State:
    """Find the weights in another run that a part can start from.

    Parameters
    ----------
    run : Path
        Folder of the other run.
    network : str
        What the run must have trained.
    part : sequence of int
        Numbers of what the network is for; see `bandfold.training.config.DataConfig`.

    Returns
    -------
    dict
        A state dict.

    Raises
    ------
    ModelError
        If the run is of another network, or no model of it covers the part.
    """
    config, _ = read_run(run)
    if config.network != network:
        raise ModelError(f"{run} is a run of {config.network}: start from one of {network}")
    covering = sorted((len(one), one) for one in config.data.parts if set(part) <= set(one))
    for _, one in covering:
        path = run / part_name(one) / MODEL
        if path.is_file():
            return load_state(path)
    raise ModelError(f"{run} holds no finished model that covers part {part_name(part)}: train it to the end")


def read_run(folder: Path) -> tuple[Config, list[str]]:
    """Read what a run was asked to train.

    Parameters
    ----------
    folder : Path
        Of the run.

    Returns
    -------
    config : Config
        The configuration.
    scenes : list of str
        Names of the scenes it was trained on.

    Raises
    ------
    ModelError
        If the folder is not a run.
    """
    try:
        content = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        values = dict(content["config"])
        return parse_config(str(values.pop("name")), values), [str(name) for name in content["scenes"]]
    except (OSError, ValueError, KeyError, TypeError, SettingsError) as error:
        raise ModelError(f"{folder} is not the folder of a training: {error}") from error


def load_model(network: nn.Module, run: Path, part: Sequence[int]) -> None:
    """Load what a run has trained for a part.

    Parameters
    ----------
    network : nn.Module
        Gets the weights; of the kind that the run trains.
    run : Path
        Folder of the run.
    part : sequence of int
        One of the parts of its configuration.

    Raises
    ------
    ModelError
        If the part is not trained to the end, or its weights are of another network.
    """
    path = run / part_name(part) / MODEL
    if not path.is_file():
        raise ModelError(f"{path} is not there: train the run to the end, with the same command")
    try:
        network.load_state_dict(load_state(path))
    except RuntimeError as error:
        raise ModelError(f"{path} does not fit the network: {' '.join(str(error).split())[:200]}") from error


def _describe(folder: Path, identity: dict[str, Any]) -> None:
    """Say what the folder holds, and refuse one that holds something else."""
    path = folder / DESCRIPTION
    text = json.dumps(identity, indent=1) + "\n"
    if path.exists():
        if path.read_text(encoding="utf-8") != text:
            raise ModelError(
                f"{folder} holds a run with other settings or scenes: give another folder, or remove it"
            )
        return
    with atomic_output(path) as file:
        file.write(text.encode())
