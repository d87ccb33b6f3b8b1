"""Checkpoints: all that a training needs to go on as if it had not been interrupted."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import torch

from bandfold.common.atomic_files import atomic_output
from bandfold.common.errors import ModelError

State = dict[str, Any]


def save_state(path: Path, state: State) -> None:
    """Write a checkpoint; an interruption leaves the one before.

    Parameters
    ----------
    path : Path
        File to write.
    state : dict
        Tensors, numbers, texts, and dicts, lists and tuples of them.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with atomic_output(path) as file:
        torch.save(state, file)


def load_state(path: Path) -> State:
    """Read what `save_state` wrote, onto the CPU. Nothing in the file is executed.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        What was saved.

    Raises
    ------
    ModelError
        If it cannot be read.
    """
    try:
        state: State = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, BadZipFile, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"{path} is no checkpoint that can be read: {reason}; remove it to start again"
        ) from error
    return state
