"""Layers that the networks are made of: convolutions with TensorFlow's SAME padding, and GDN."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bandfold.onboard.networks.conv_stack import same_padding


class SameConv(nn.Conv2d):
    """Strided convolution: an axis of ``n * stride`` becomes one of ``n``.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    kernel, stride : int
        ``kernel >= stride``.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__(inputs, outputs, kernel, stride)
        self._pads = same_padding(kernel, stride) * 2

    def forward(self, x: Tensor) -> Tensor:
        """Convolve a batch.

        Parameters
        ----------
        x : Tensor, shape (n, inputs, height, width)
            Height and width are multiples of the stride.

        Returns
        -------
        Tensor, shape (n, outputs, height / stride, width / stride)
            The convolution.
        """
        return super().forward(functional.pad(x, self._pads))


class SameTransposed(nn.ConvTranspose2d):
    """Transposed convolution, the mirror image of `SameConv`: an axis of ``n`` becomes ``n * stride``.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    kernel, stride : int
        ``kernel - stride`` is odd: the one row and column too many are cut off.

    Raises
    ------
    ValueError
        If it is even.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        before, after = same_padding(kernel, stride)
        if after != before + 1:
            raise ValueError(f"kernel {kernel} less stride {stride} must be odd")
        super().__init__(inputs, outputs, kernel, stride, padding=before)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Convolve a batch.

        Parameters
        ----------
        x : Tensor, shape (n, inputs, height, width)
            The batch.
        output_size : list of int, optional
            Not used: the size follows from the stride.

        Returns
        -------
        Tensor, shape (n, outputs, height * stride, width * stride)
            The transposed convolution.
        """
        return super().forward(x)[:, :, :-1, :-1]


class DivisiveNormalisation(nn.Module):
    """Generalised divisive normalisation: ``y_i = x_i / sqrt(beta_i + sum_j gamma_ij x_j**2)``.

    Ballé, Laparra and Simoncelli, "Density modeling of images using a generalized normalization
    transformation", ICLR 2016; the inverse multiplies instead ("End-to-end optimized image compression", ICLR
    2017).
    Both parameters are squares of what is trained, so they stay positive.

    Parameters
    ----------
    channels : int
        Of the input and of the output.
    inverse : bool
        Whether it multiplies by the norm instead of dividing, as a synthesis does.
    """

    def __init__(self, channels: int, *, inverse: bool = False) -> None:
        super().__init__()
        self._inverse = inverse
        self.beta_root = nn.Parameter(torch.ones(channels))
        self.gamma_root = nn.Parameter(torch.full((channels, channels), 0.005) + 0.03 * torch.eye(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise a batch.

        Parameters
        ----------
        x : Tensor, shape (n, channels, height, width)
            The batch.

        Returns
        -------
        Tensor, same shape
            Each channel divided by (or multiplied with) its norm.
        """
        gamma = (self.gamma_root * self.gamma_root)[:, :, None, None]
        beta = self.beta_root * self.beta_root + _LEAST_BETA
        norm = torch.sqrt(functional.conv2d(x * x, gamma, beta))
        return x * norm if self._inverse else x / norm


_LEAST_BETA = 1e-6
"""Keeps the root away from zero."""
