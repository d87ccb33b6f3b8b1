"""The networks that can be trained: one entry for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from torch import Tensor, nn

from bandfold.common.errors import SettingsError

from .balle48 import Balle48
from .config import Config, DataConfig
from .restoration_network import Restoration, RestorationView
from .training_scenes import TrainingScene
from .views import BandView, View


class Codec(Protocol):
    """What training asks of a network."""

    def measure(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Code and restore a batch.

        Parameters
        ----------
        batch : Tensor
            As the view of the recipe draws it.

        Returns
        -------
        rate, error : Tensor
            Scalars with gradients: bits per sample, and mean squared error in steps squared.
        """

    def refresh(self) -> None:
        """Bring up to date what follows from the weights but is not trained."""


@dataclass(frozen=True)
class Recipe:
    """How a kind of network is trained.

    Parameters
    ----------
    build : callable
        Makes an untrained network, an `nn.Module` that is a `Codec` too; draws from PyTorch's generator.
    view : callable
        From scenes, a part (`DataConfig.parts`) and the configuration to what is drawn.
    """

    build: Callable[[], nn.Module]
    view: Callable[[Sequence[TrainingScene], tuple[int, ...], DataConfig], View]


RECIPES: Mapping[str, Recipe] = {
    "balle48": Recipe(Balle48, BandView),
    "balle48-relu": Recipe(partial(Balle48, relu=(48, 48)), BandView),
    "restoration": Recipe(Restoration, RestorationView),
}
"""Recipes by the name that a configuration gives as ``network``."""

EXPORTED = ("balle48", "balle48-relu")
"""Networks whose runs are exported to a folder before they are packed."""


def find_recipe(config: Config) -> Recipe:
    """Look up how the network of a configuration is trained.

    Parameters
    ----------
    config : Config
        Names the network.

    Returns
    -------
    Recipe
        How it is trained.

    Raises
    ------
    SettingsError
        If there is no such network.
    """
    try:
        return RECIPES[config.network]
    except KeyError as error:
        raise SettingsError(
            f"configuration {config.name}: there is no network {config.network!r}; "
            f"there are {', '.join(RECIPES)}"
        ) from error
