"""The factorised prior: a density of each channel of the latents, learnt without a fixed shape."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST_LIKELIHOOD = 1e-9
"""Bits stay finite, and their gradient with them, where the density has not been yet."""

_REACH = 30.0
"""Half the width of the interval in which medians are first sought; it doubles until it holds them."""

_HALVINGS = 40


class FactorisedPrior(nn.Module):
    """Cumulative density by a small monotone network for each channel.

    Ballé, Minnen, Singh, Hwang and Johnston, "Variational image compression with a scale hyperprior", ICLR
    2018, appendix 6.1: ``f_k(x) = g_k(H_k x + b_k)`` with ``H_k > 0`` and ``g_k(x) = x + tanh(a_k) tanh(x)``,
    and a sigmoid at the end.

    Parameters
    ----------
    channels : int
        Of the latents; each has a density of its own.
    widths : tuple of int
        Hidden units of the layers.
    spread : float
        The density starts about so wide.
    """

    def __init__(self, channels: int, widths: tuple[int, ...] = (3, 3, 3), spread: float = 10.0) -> None:
        super().__init__()
        sizes = (1, *widths, 1)
        scale = spread ** (1 / (len(widths) + 1))
        self.matrices = nn.ParameterList()
        self.biases = nn.ParameterList()
        self.factors = nn.ParameterList()
        for inputs, outputs in itertools.pairwise(sizes):
            start = torch.log(torch.expm1(torch.tensor(1 / scale / outputs)))
            self.matrices.append(nn.Parameter(start.expand(channels, outputs, inputs).clone()))
            self.biases.append(nn.Parameter(torch.rand(channels, outputs, 1) - 0.5))
            if outputs != 1 or inputs == 1:
                self.factors.append(nn.Parameter(torch.zeros(channels, outputs, 1)))

    def forward(self, values: Tensor) -> Tensor:
        """Return the logit of the cumulative density.

        Parameters
        ----------
        values : Tensor, shape (channels, 1, n)
            Where to evaluate the density of each channel.

        Returns
        -------
        Tensor, same shape
            Any real numbers, rising with the values.
        """
        for number, (matrix, bias) in enumerate(zip(self.matrices, self.biases, strict=True)):
            values = functional.softplus(matrix) @ values + bias
            if number < len(self.factors):
                values = values + torch.tanh(self.factors[number]) * torch.tanh(values)
        return values

    def likelihood(self, values: Tensor) -> Tensor:
        """Return the probability mass of the unit interval around each value.

        Parameters
        ----------
        values : Tensor, shape (channels, n)
            Middles of the intervals.

        Returns
        -------
        Tensor, same shape
            At least `LEAST_LIKELIHOOD`.
        """
        values = values[:, None]
        return self.mass(values - 0.5, values + 0.5)[:, 0].clamp_min(LEAST_LIKELIHOOD)

    def mass(self, low: Tensor, high: Tensor) -> Tensor:
        """Return the probability mass of intervals.

        Parameters
        ----------
        low, high : Tensor, shape (channels, 1, n)
            Where they begin and end.

        Returns
        -------
        Tensor, same shape
            0 to 1.
        """
        lower, upper = self(low), self(high)
        # Differences are taken on the side where the sigmoid is small, or nothing would be left of them.
        sign = -torch.sign(lower + upper).detach()
        return torch.abs(torch.sigmoid(sign * upper) - torch.sigmoid(sign * lower))

    def bits(self, latents: Tensor) -> Tensor:
        """Return what latents cost in all.

        Parameters
        ----------
        latents : Tensor, shape (n, channels, height, width)
            Need not be whole.

        Returns
        -------
        Tensor
            A scalar, in bits.
        """
        flat = latents.transpose(0, 1).reshape(latents.shape[1], -1)
        return -torch.log2(self.likelihood(flat)).sum()

    @torch.no_grad()
    def medians(self) -> Tensor:
        """Return the median of each channel, by bisection.

        Returns
        -------
        Tensor, shape (channels,)
            Latents are rounded to whole steps from here: the likeliest level then lies on the grid.
        """
        bias = self.biases[0]
        high = torch.full((bias.shape[0], 1, 1), _REACH, device=bias.device)
        while bool((self(high) < 0).any()) or bool((self(-high) > 0).any()):
            high = high * 2
        low = -high
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = self(middle) < 0
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return high[:, 0, 0]
