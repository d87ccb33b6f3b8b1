"""The training of one network, from its first step or from its last checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from bandfold.common.errors import BandfoldError, ModelError, SettingsError

from .checkpoint import State, load_state, save_state
from .config import Config, TrainingConfig
from .log import TrainingLog, plot_rows
from .recipes import Codec, Recipe
from .views import View

Progress = Callable[[float], None]

WARM_UP = 0.05
"""Share of the steps over which the learning rate rises."""

REFRESH = 20
"""Steps between refreshments of what follows from the weights."""

CHECKPOINT, MODEL = "checkpoint.pt", "model.pt"


def pick_device(name: str) -> torch.device:
    """Choose where to train.

    Parameters
    ----------
    name : str
        ``auto`` (a GPU if there is one), or a name that PyTorch knows, such as ``cpu`` or ``cuda:1``.

    Returns
    -------
    torch.device
        A device that tensors can be made on.

    Raises
    ------
    SettingsError
        If there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError(f"cannot train on device {name!r}: {reason}; give cpu or auto") from error
    return device


class Training:
    """One network in training.

    Parameters
    ----------
    config : Config
        What the run trains, and how.
    recipe : Recipe
        Makes the network.
    view : View
        Draws the batches.
    folder : Path
        Holds the checkpoint, the log and at last the model. A checkpoint that is there is gone on from.
    device : torch.device
        Where to train.
    start : dict, optional
        Weights to start from, as `run` leaves them.
    identity : dict
        What a checkpoint must agree with to be gone on from: plain values.

    Raises
    ------
    ModelError
        If the checkpoint or the weights are of another training or network.
    """

    def __init__(
        self,
        config: Config,
        recipe: Recipe,
        view: View,
        folder: Path,
        device: torch.device,
        start: State | None = None,
        identity: dict[str, Any] | None = None,
    ) -> None:
        self._config, self._view, self._folder, self._device = config, view, folder, device
        self._identity = identity or {}
        torch.manual_seed(config.seed)
        self._rng = np.random.default_rng(config.seed)
        self.network = recipe.build().to(device)
        if start is not None:
            _load(self.network, start, "the weights to start from")
        self._optimiser = _optimiser(self.network, config.training)
        self.step = 0
        path = folder / CHECKPOINT
        if path.exists():
            self._resume(load_state(path), path)
        self._log = TrainingLog(folder, self.step)

    def run(self, progress: Progress | None = None, stop: int | None = None) -> None:
        """Train to the end; the weights are then in the folder.

        Parameters
        ----------
        progress : callable, optional
            Told the fraction done.
        stop : int, optional
            End early, with a checkpoint, after this step.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        BandfoldError
            If the loss is no longer a number.
        """
        training = self._config.training
        last = training.steps if stop is None else min(stop, training.steps)
        codec = cast(Codec, self.network)
        sums, counted, began = np.zeros(3), 0, time.monotonic()
        while self.step < last:
            sums += self._one(codec)
            counted += 1
            self.step += 1
            if self.step % training.log_every == 0:
                rate = self._optimiser.param_groups[0]["lr"]
                # After an interruption a row may cover fewer steps than others.
                means = (sums / counted).tolist()
                self._log.add((self.step, *means, rate, time.monotonic() - began))
                sums[:], counted = 0.0, 0
                if not math.isfinite(means[0]):
                    raise BandfoldError(
                        f"training diverged before step {self.step}: lower learning_rate, "
                        f"and remove {self._folder}"
                    )
            if self.step % training.save_every == 0 or self.step == last:
                self._save()
            if progress is not None:
                progress(self.step / training.steps)
        if self.step == training.steps:
            codec.refresh()
            save_state(self._folder / MODEL, self.network.state_dict())
            if self._log.rows:
                plot_rows(
                    self._log.rows, f"{self._config.name}, {self._folder.name}", self._folder / "log.png"
                )

    def _one(self, codec: Codec) -> list[float]:
        """Make one step; loss, bits per sample and squared error of its batch."""
        training = self._config.training
        for group in self._optimiser.param_groups:
            group["lr"] = group["peak"] * rate_factor(self.step, training.steps)
        batch = torch.from_numpy(self._view.draw(self._rng)).to(self._device)
        rate, error = codec.measure(batch)
        loss = rate + training.weight * error
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), training.clip)
        self._optimiser.step()
        if self.step % REFRESH == 0:
            codec.refresh()
        told: list[float] = torch.stack([loss, rate, error]).tolist()
        return told

    def _save(self) -> None:
        state: State = {
            "identity": self._identity,
            "step": self.step,
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "numpy": self._rng.bit_generator.state,
            "torch": torch.get_rng_state(),
        }
        if self._device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self._device)
        self._log.write()
        save_state(self._folder / CHECKPOINT, state)

    def _resume(self, state: State, path: Path) -> None:
        if state.get("identity") != self._identity:
            raise ModelError(
                f"{path} is of a training with other settings or scenes: give another folder, or remove it"
            )
        try:
            _load(self.network, state["network"], str(path))
            self._optimiser.load_state_dict(state["optimiser"])
            self._rng.bit_generator.state = state["numpy"]
            torch.set_rng_state(state["torch"])
            if self._device.type == "cuda" and "cuda" in state:
                torch.cuda.set_rng_state(state["cuda"], self._device)
            self.step = int(state["step"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ModelError(f"{path} lacks what a checkpoint holds ({error!r}): remove it") from error


def rate_factor(step: int, steps: int) -> float:
    """Return the learning rate of a step over the greatest: up in a line, down in half a cosine.

    Parameters
    ----------
    step, steps : int
        Number of the step, from 0, and how many there are.

    Returns
    -------
    float
        Above 0, at most 1.
    """
    rise = max(round(WARM_UP * steps), 1)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1.0 + math.cos(math.pi * (step - rise) / max(steps - rise, 1)))


def _optimiser(network: nn.Module, training: TrainingConfig) -> torch.optim.Adam:
    """Adam with two learning rates: the parameters of the entropy model have one of their own."""
    named, rate = list(network.named_parameters()), training.learning_rate
    groups = []
    for entropy, peak in ((False, rate), (True, rate * training.prior_factor)):
        values = [value for name, value in named if name.startswith("prior.") == entropy]
        if values:
            groups.append({"params": values, "lr": peak, "peak": peak})
    return torch.optim.Adam(groups)


def _load(network: nn.Module, weights: State, name: str) -> None:
    try:
        network.load_state_dict(weights)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ModelError(f"{name} do not fit the network: {' '.join(str(error).split())[:200]}") from error
