"""`balle48`: the published method, one small network that codes every band on its own.

Mijares i Verdú, Ballé, Laparra, Bartrina-Rapesta, Hernández-Cabronero and Serra-Sagristà, "A scalable
reduced-complexity compression of hyperspectral remote sensing images using deep learning", Remote Sensing
15(18), 2023.
Three strided convolutions with GDN between, a factorised prior, and the mirror image on the ground.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bandfold.onboard.networks.conv_stack import same_padding

from .layers import DivisiveNormalisation, SameConv, SameTransposed
from .orthonormal import embed, hierarchical_maps, rectified
from .prior import FactorisedPrior

FILTERS = 48
KERNELS = ((9, 4), (5, 2), (5, 2))
"""Kernel and stride of each convolution."""

_IDLE = 0.3
"""Size of the random weights that are left, over what PyTorch starts them with."""

REDUCTION = 16
"""Samples along an axis for each latent."""


class Balle48(nn.Module):
    """Analysis, prior and synthesis.

    Parameters
    ----------
    filters : int
        Channels of every layer.
    relu : tuple of int, optional
        Analyse with ReLU in place of GDN, for hardware that computes in integers, and with so many filters in
        the first and the second layer. The synthesis keeps its GDN.

    Attributes
    ----------
    analysis, synthesis : nn.Module
        Planes (n, 1, height, width) in units of the step to latents (n, filters, height / 16, width / 16),
        and back.
    prior : FactorisedPrior
        Density of the latents of each channel: what the rate follows from.
    medians : Tensor, shape (filters,)
        Latents are rounded to whole distances from these. `refresh` finds them.
    """

    medians: Tensor

    def __init__(self, filters: int = FILTERS, *, relu: tuple[int, int] | None = None) -> None:
        super().__init__()
        (first, first_stride), (second, second_stride), (third, third_stride) = KERNELS
        between = relu or (filters, filters)

        def activation(channels: int) -> nn.Module:
            return DivisiveNormalisation(channels) if relu is None else nn.ReLU()

        self.analysis = nn.Sequential(
            SameConv(1, between[0], first, first_stride),
            activation(between[0]),
            SameConv(between[0], between[1], second, second_stride),
            activation(between[1]),
            SameConv(between[1], filters, third, third_stride),
        )
        self.synthesis = nn.Sequential(
            SameTransposed(filters, filters, third, third_stride),
            DivisiveNormalisation(filters, inverse=True),
            SameTransposed(filters, filters, second, second_stride),
            DivisiveNormalisation(filters, inverse=True),
            SameTransposed(filters, 1, first, first_stride),
        )
        self.prior = FactorisedPrior(filters)
        self.register_buffer("medians", torch.zeros(filters))
        self._start(relu)

    @torch.no_grad()
    def _start(self, relu: tuple[int, int] | None) -> None:
        """Start both sides as an orthonormal transform and its transpose."""
        filters = self.medians.numel()
        # With ReLU every channel is there twice, with both signs.
        kept = (filters, filters) if relu is None else (relu[0] // 2, relu[1] // 2)
        maps = hierarchical_maps(tuple(stride for _, stride in KERNELS), (*kept, filters))
        down = [layer for layer in self.analysis if isinstance(layer, SameConv)]
        up = [layer for layer in self.synthesis if isinstance(layer, SameTransposed)][::-1]
        sides = ((up, maps), (down, maps if relu is None else rectified(maps)))
        for number, (kernel, stride) in enumerate(KERNELS):
            for layers, found in sides:
                # Channels beyond those of the map see something of their own, and nobody listens yet.
                weights = _IDLE * layers[number].weight.double().numpy()
                embed(found[number], weights, same_padding(kernel, stride)[0])
                layers[number].weight.copy_(torch.from_numpy(weights))
                nn.init.zeros_(layers[number].get_parameter("bias"))

    def refresh(self) -> None:
        """Find the medians of the prior as it is now."""
        self.medians.copy_(self.prior.medians())

    def quantise(self, planes: Tensor) -> Tensor:
        """Give the integers that are coded.

        Parameters
        ----------
        planes : Tensor, shape (n, 1, height, width)
            In steps; height and width are multiples of `REDUCTION`.

        Returns
        -------
        Tensor, shape (n, filters, height / 16, width / 16)
            Whole numbers as floats.
        """
        return torch.round(self.analysis(planes) - self.medians[:, None, None])

    def restore(self, quantised: Tensor) -> Tensor:
        """Give planes back.

        Parameters
        ----------
        quantised : Tensor, shape (n, filters, rows, columns)
            What `quantise` gave.

        Returns
        -------
        Tensor, shape (n, 1, 16 * rows, 16 * columns)
            In steps.
        """
        planes: Tensor = self.synthesis(quantised + self.medians[:, None, None])
        return planes

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Code and restore as training sees it.

        The rate is that of latents with uniform noise, which has a gradient everywhere; the synthesis gets
        rounded latents with the gradient passed straight through, which is what it will get in use.

        Parameters
        ----------
        planes : Tensor, shape (n, 1, height, width)
            In steps; height and width are multiples of `REDUCTION`.

        Returns
        -------
        restored : Tensor, same shape
            What the synthesis gives, in steps.
        bits : Tensor
            Of the whole batch.
        """
        latents = self.analysis(planes)
        bits = self.prior.bits(latents + torch.rand_like(latents) - 0.5)
        centre = self.medians[:, None, None]
        rounded = latents + (torch.round(latents - centre) + centre - latents).detach()
        return self.synthesis(rounded), bits

    def measure(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Code and restore planes as training sees it; see `bandfold.training.recipes.Codec`.

        Parameters
        ----------
        planes : Tensor, shape (n, 1, height, width)
            As `forward` takes them.

        Returns
        -------
        rate, error : Tensor
            Bits per sample; mean squared error in steps squared.
        """
        restored, bits = self(planes)
        return bits / planes.numel(), torch.mean((restored - planes) ** 2)
