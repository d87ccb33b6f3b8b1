"""What latents cost in the contexts that code them, as a function that gradients go through."""

from __future__ import annotations

import numpy as np
import torch

from bandfold.bitstream.contexts.tables import TOKEN_COST_UNIT, Mode
from bandfold.bitstream.entropy.ans import to_tokens
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER

FARTHEST = 24
"""Steps up to which costs are told exactly; beyond them they grow by a bit for each octave."""

PARTS = 32
"""Places of each step at which costs are found; between them they are interpolated."""


class LatentCosts:
    """Error and bits of latents, of which the encoder takes the level of least cost.

    Parameters
    ----------
    mode : Mode
        Context network and tables that code them.
    """

    def __init__(self, mode: Mode) -> None:
        levels = np.arange(FARTHEST + 2)
        bits = mode.costs[:, to_tokens(levels)[0]] / TOKEN_COST_UNIT
        classes = np.arange(len(bits), dtype=np.uint8)[:, None]
        points = mode.reconstruction_points(levels[None], classes)
        places = np.arange(FARTHEST * PARTS + 1) / PARTS
        errors = (places - points[..., None]) ** 2
        found = (errors + LAGRANGE_MULTIPLIER * bits[..., None]).min(axis=1)
        self._places = found.shape[1]
        self._costs = torch.from_numpy(found.astype(np.float32).ravel())

    def __call__(self, latents: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """Costs of latents.

        Parameters
        ----------
        latents : Tensor
            In steps.
        classes : Tensor of int64, same shape
            Contexts.

        Returns
        -------
        Tensor, same shape
            In squared steps.
        """
        magnitudes = latents.abs() * PARTS
        last = self._places - 1.001
        inside = magnitudes.clamp(max=last)
        below = inside.detach().long()
        share = inside - below
        place = classes * self._places + below
        costs = self._costs[place] * (1 - share) + self._costs[place + 1] * share
        return costs + LAGRANGE_MULTIPLIER * torch.log2(magnitudes.clamp(min=last) / last)
