"""What latents cost, as the entropy coder counts it, with a gradient.

The same context network, tables and order as `bandfold.bitstream.contexts.features`: a latent is coded
knowing the lower diagonals of its component and the two components before. Only the roundings are left out,
of logarithms and of the class, so the cost follows small changes of a latent: of its own, and through the
contexts of later ones.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bandfold.bitstream.contexts.features import GROUPS, LARGEST_LOG, SUM_LIMIT, neighbour
from bandfold.bitstream.contexts.tables import COST_UNIT, Mode
from bandfold.bitstream.entropy.tokens import to_tokens
from bandfold.bitstream.transforms.dct import DIAGONAL
from bandfold.common.scene import CHANNELS

LARGEST = 255
"""Magnitudes whose cost is looked up; what is beyond costs as much, plus its octaves."""

BEYOND = 2.0
"""Bits for each octave beyond: one for the raw bit, about one for the token."""


class ContextRate(nn.Module):
    """Bits of the latents of folded components.

    Parameters
    ----------
    mode : Mode
        Statistics of the format.
    """

    hidden: Tensor
    bias: Tensor
    output: Tensor
    offset: Tensor
    costs: Tensor

    def __init__(self, mode: Mode) -> None:
        super().__init__()
        network = mode.network
        groups = GROUPS[DIAGONAL]
        (hidden, bias), *between, (output, offset) = network.scaled
        # Units of bytes are rounded to the nearest, by a half in their biases, which has no place here.
        self._half = 0.5 if between else 0.0
        self._limit = network.limit
        # One matrix for each channel, so that all of them go at once.
        self.register_buffer("hidden", torch.from_numpy(hidden[groups]))
        self.register_buffer("bias", torch.from_numpy(bias))
        self.register_buffer("output", torch.from_numpy(output[groups]))
        self.register_buffer("offset", torch.from_numpy(offset[groups]))
        for weights, biases in between:
            self.register_buffer("middle", torch.from_numpy(weights[groups]))
            self.register_buffer("middle_bias", torch.from_numpy(biases[groups]))
        self.register_buffer("costs", torch.from_numpy(magnitude_costs(mode)))
        self.register_buffer("ring", torch.tensor([[1.0, 1, 1], [1, 0, 1], [1, 1, 1]])[None, None])
        order = torch.from_numpy(DIAGONAL.astype(np.int64))
        # below[d] sums the channels of lower diagonals; recent[d] those of the two diagonals just below.
        below = (order[None, :] < order[:, None]).float()
        recent = below * (order[None, :] >= order[:, None] - 2).float()
        self.register_buffer("below", below)
        self.register_buffer("recent", recent)

    def levels(self, magnitudes: Tensor) -> Tensor:
        """Class of each latent before it is rounded down.

        Parameters
        ----------
        magnitudes : Tensor, shape (components, 64, rows, columns)
            In steps; need not be whole.

        Returns
        -------
        Tensor, same shape
        """
        around = _ring(magnitudes, self.get_buffer("ring"))
        own, ring = _log(magnitudes), _log(around)
        last, before = _earlier(own, 1), _earlier(own, 2)
        cross = _log(sum(_at(magnitudes, di, dj) for di, dj in ((-1, 0), (0, -1), (1, 0), (0, 1))))
        means = CHANNELS * magnitudes.mean(dim=(2, 3), keepdim=True)
        above, left = (-1, 0), (0, -1)
        beside = _at(means, *above) + _at(means, *left)
        features = (
            _at(own, *above),
            _at(own, *left),
            _at(own, -1, -1),
            torch.maximum(_at(own, -2, 0), _at(own, 0, -2)),
            _at(ring, *above),
            _at(ring, *left),
            last,
            _earlier(ring, 1),
            _earlier(cross, 1),
            before,
            _earlier(ring, 2),
            _log(_weigh(self.get_buffer("below"), magnitudes)),
            _log(_weigh(self.get_buffer("below"), around)),
            _log(_weigh(self.get_buffer("recent"), magnitudes)),
            _log(_weigh(self.get_buffer("recent"), around)),
            _earlier(_log(magnitudes.sum(dim=1, keepdim=True)), 1),
            _log(beside),
            _earlier(_log(means), 1),
            _earlier(_log(beside), 1),
        )
        stacked = torch.stack([part.expand_as(magnitudes) for part in features])
        units = torch.einsum("cuf,fkcrs->kcurs", self.hidden, stacked) + self.bias[None, :, :, None, None]
        units = (units - self._half).clamp(0.0, self._limit)
        if self._half:
            units = torch.einsum("cvu,kcurs->kcvrs", self.get_buffer("middle"), units)
            units = units + self.get_buffer("middle_bias")[None, :, :, None, None]
            units = (units - self._half).clamp(0.0, self._limit)
        level: Tensor = torch.einsum("cu,kcurs->kcrs", self.output, units)
        return level + self.offset[None, :, None, None]

    def forward(self, latents: Tensor) -> Tensor:
        """Bits of latents in all.

        Parameters
        ----------
        latents : Tensor, shape (components, 64, rows, columns)
            In steps, strongest component first: a strip.

        Returns
        -------
        Tensor
        """
        magnitudes = latents.abs()
        return self.bits(magnitudes, magnitudes)

    def bits(self, magnitudes: Tensor, known: Tensor) -> Tensor:
        """Bits of magnitudes where others are known.

        Parameters
        ----------
        magnitudes, known : Tensor, shape (components, 64, rows, columns)
            What is coded, and what makes up the contexts: the same, or the one rounded and the other not.

        Returns
        -------
        Tensor
        """
        # A level of n + 1/2 is class n for certain.
        level = (self.levels(known) - 0.5).clamp(0.0, len(self.costs) - 1.0)
        return _between(self.costs, level, magnitudes).sum()


def magnitude_costs(mode: Mode) -> NDArray[np.float32]:
    """Bits of magnitudes 0 to `LARGEST` in each class, sign and raw bits included: shape (classes, n)."""
    tokens, _ = to_tokens(np.arange(LARGEST + 1, dtype=np.int64))
    return (mode.costs[:, tokens] / COST_UNIT).astype(np.float32)


def _between(costs: Tensor, level: Tensor, magnitudes: Tensor) -> Tensor:
    """Costs between whole classes and magnitudes, in both by straight lines."""
    inside = magnitudes.clamp(max=float(LARGEST))
    row, column = level.detach().floor().long(), inside.detach().floor().long()
    below, after = (row + 1).clamp(max=costs.shape[0] - 1), (column + 1).clamp(max=LARGEST)
    down, across = level - row, inside - column
    upper = torch.lerp(costs[row, column], costs[row, after], across)
    lower = torch.lerp(costs[below, column], costs[below, after], across)
    beyond = BEYOND * torch.log2(magnitudes.clamp(min=float(LARGEST)) / LARGEST)
    return torch.lerp(upper, lower, down) + beyond


def _log(values: Tensor | int) -> Tensor:
    logarithm: Tensor = 8.0 * torch.log2(1.0 + torch.as_tensor(values).clamp(max=float(SUM_LIMIT)))
    return logarithm.clamp(max=float(LARGEST_LOG))


def _ring(values: Tensor, kernel: Tensor) -> Tensor:
    """Sum over the 8 neighbouring positions."""
    count, channels, rows, columns = values.shape
    flat = values.reshape(count * channels, 1, rows, columns)
    return functional.conv2d(flat, kernel, padding=1).reshape(values.shape)


def _at(values: Tensor, down: int, across: int) -> Tensor:
    """Each channel's neighbour in frequency; zero where there is none."""
    index = torch.from_numpy(neighbour(down, across).astype(np.int64))
    return functional.pad(values, (0, 0, 0, 0, 0, 1))[:, index]


def _earlier(values: Tensor, count: int) -> Tensor:
    """What the component `count` places before has; zero before the first."""
    return functional.pad(values, (0, 0, 0, 0, 0, 0, count, 0))[: len(values)]


def _weigh(weights: Tensor, values: Tensor) -> Tensor:
    return torch.einsum("cd,kdrs->kcrs", weights, values)
