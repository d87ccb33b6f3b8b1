"""Training of a lapped transform: orthonormal, 64 basis functions of 16 x 16 samples in each block of 8 x 8.

It begins as the cosine transform. A matrix over the samples around each corner of four blocks runs before it
and one over the latents of a block behind it (a time-domain lapped transform; Tran, Liang and Tu, IEEE
Transactions on Signal Processing 51, 2003), both orthonormal whatever their parameters are. They keep even
and odd functions apart: so the transform stays orthonormal at the edges of a strip, where it is continued by
mirroring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bandfold.bitstream.transforms.dct import FREQUENCIES
from bandfold.bitstream.transforms.lapped_synthesis import SUPPORT
from bandfold.common.scene import BLOCK, CHANNELS

from .latent_costs import LatentCosts

LEARNING_RATE = 2e-3
SETS, BATCH = 24, 250
"""Scenes at one step that make up a batch, and patches of each."""

_HALF = BLOCK // 2


def cosine_basis() -> NDArray[np.float64]:
    """The 8 x 8 cosine transform, shape (64, 64): channels, then samples line by line."""
    place = np.arange(BLOCK)
    waves = np.cos(np.pi * (2 * place + 1) * place[:, None] / (2 * BLOCK)) * np.sqrt(2 / BLOCK)
    waves[0] = np.sqrt(1 / BLOCK)
    return np.stack([np.outer(waves[i], waves[j]).ravel() for i, j in FREQUENCIES])


class LappedTransform(nn.Module):
    """An orthonormal lapped transform, with a matrix for each of the four parities of frequencies."""

    def __init__(self) -> None:
        super().__init__()
        members = [
            np.flatnonzero(np.equal(FREQUENCIES % 2, parity).all(axis=1)) for parity in np.ndindex(2, 2)
        ]
        size = CHANNELS // len(members)
        self._members = [torch.from_numpy(one) for one in members]
        self.before, self.behind = (
            nn.ParameterList([nn.Parameter(torch.zeros(size, size)) for _ in members]) for _ in range(2)
        )
        self.register_buffer("cosine", torch.from_numpy(cosine_basis().astype(np.float32)))

    def _turn(self, parameters: nn.ParameterList) -> torch.Tensor:
        """An orthonormal matrix over channels: exponentials of skew-symmetric matrices."""
        whole = torch.zeros(CHANNELS, CHANNELS)
        for places, free in zip(self._members, parameters, strict=True):
            turn = torch.matrix_exp(free - free.T)
            whole = whole.index_put((places[:, None], places[None, :]), turn)
        return whole

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Transform the middle block of each patch.

        Parameters
        ----------
        patches : Tensor, shape (n, 24, 24)
            A block and the eight around it.

        Returns
        -------
        Tensor, shape (n, 64)
            Its latents.
        """
        cosine: Any = self.cosine
        inner = patches[:, _HALF:-_HALF, _HALF:-_HALF]
        corners = inner.reshape(-1, 2, BLOCK, 2, BLOCK).transpose(2, 3).reshape(-1, 4, CHANNELS)
        corners = corners @ (cosine.T @ self._turn(self.before) @ cosine).T
        inner = corners.reshape(-1, 2, 2, BLOCK, BLOCK).transpose(2, 3).reshape(-1, 2 * BLOCK, 2 * BLOCK)
        block = inner[:, _HALF:-_HALF, _HALF:-_HALF].reshape(-1, CHANNELS)
        return block @ (self._turn(self.behind) @ cosine).T

    @torch.no_grad()
    def kernels(self) -> NDArray[np.float64]:
        """Basis functions, shape (64, 24, 24): even and odd exactly."""
        impulses = torch.eye(SUPPORT * SUPPORT).reshape(-1, SUPPORT, SUPPORT)
        found = self(impulses).T.double().numpy().reshape(CHANNELS, SUPPORT, SUPPORT)
        signs = 1 - 2 * (FREQUENCIES % 2)
        found = (found + found[:, ::-1] * signs[:, 0, None, None]) / 2
        return np.asarray((found + found[:, :, ::-1] * signs[:, 1, None, None]) / 2, dtype=np.float64)


@dataclass(frozen=True)
class Patches:
    """What prediction left of one scene at one step, here and there.

    Parameters
    ----------
    samples : ndarray of floats, shape (n, 24, 24)
        Blocks, and the eight around each, in steps.
    classes : ndarray of uint8, shape (n, 64)
        Contexts of the latents of each block.
    """

    samples: NDArray[np.floating[Any]]
    classes: NDArray[np.uint8]


def train_lapped_transform(
    sets: Sequence[Patches],
    costs: LatentCosts,
    iterations: int,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> NDArray[np.float64]:
    """Train a transform on what prediction leaves of bands.

    Parameters
    ----------
    sets : sequence of Patches
        Each of one scene at one step. All sets weigh the same.
    costs : LatentCosts
        What latents cost in the contexts of the patches.
    iterations : int
        Batches; 0 gives the cosine transform.
    seed : int
        The same seed and patches give the same transform on the same machine.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    ndarray of float64, shape (64, 24, 24)
        Basis functions.
    """
    chance = torch.Generator().manual_seed(seed)
    model = LappedTransform()
    live, usual = [], []
    for one in sets:
        whole = torch.from_numpy(one.samples), torch.from_numpy(one.classes)
        with torch.no_grad():
            cost = float(_costs(model, costs, *whole).mean()) if len(one.samples) else 0.0
        if cost > 0:
            live.append(whole)
            usual.append(cost)
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(iterations, 1))
    for iteration in range(iterations if live else 0):
        drawn = torch.randint(0, len(live), (SETS,), generator=chance).tolist()
        places = [torch.randint(0, len(live[one][0]), (BATCH,), generator=chance) for one in drawn]
        samples, classes = (
            torch.cat([live[one][part][chosen] for one, chosen in zip(drawn, places, strict=True)])
            for part in range(2)
        )
        found = _costs(model, costs, samples, classes).reshape(SETS, BATCH).mean(dim=1)
        loss = (found / torch.tensor([usual[one] for one in drawn])).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        progress((iteration + 1) / iterations)
    return model.kernels()


def _costs(
    model: LappedTransform, costs: LatentCosts, samples: torch.Tensor, classes: torch.Tensor
) -> torch.Tensor:
    """Costs of blocks, shape (n,)."""
    return costs(model(samples.float()), classes.long()).sum(dim=-1)
