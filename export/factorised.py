"""Networks with a factorised prior (`balle48`) as two graphs and their tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bandfold.common.errors import ModelError
from bandfold.training.balle48 import REDUCTION
from bandfold.training.prior import FactorisedPrior

from .compact import compact
from .frequencies import prior_frequencies
from .graphs import run, session, to_onnx

AGREEMENT = 1e-3
"""Largest difference between ONNX Runtime and PyTorch, over the largest value, before weights are stored in
fewer bytes."""

_PROBE = (2, 1, 5 * REDUCTION, 3 * REDUCTION)
"""Planes that the graphs are checked on: of another size than the ones they were traced with."""


class Factorised(Protocol):
    """What is asked of a network."""

    prior: FactorisedPrior
    medians: Tensor

    def refresh(self) -> None:
        """Find the medians of the prior as it is now."""

    def quantise(self, planes: Tensor) -> Tensor:
        """Give the integers that are coded.

        Parameters
        ----------
        planes : Tensor, shape (n, 1, height, width)
            In steps.

        Returns
        -------
        Tensor, shape (n, channels, height / 16, width / 16)
            Whole numbers as floats.
        """

    def restore(self, quantised: Tensor) -> Tensor:
        """Give planes back.

        Parameters
        ----------
        quantised : Tensor, shape (n, channels, rows, columns)
            What `quantise` gave.

        Returns
        -------
        Tensor, shape (n, 1, 16 * rows, 16 * columns)
            In steps.
        """


@dataclass(frozen=True)
class Engines:
    """What is shipped of a network.

    Parameters
    ----------
    analysis : onnx.ModelProto
        Planes (n, 1, height, width), in steps, to integers (n, channels, height / 16, width / 16) held in
        float32.
    synthesis : onnx.ModelProto
        The integers, as float32, back to planes.
    frequencies : ndarray of int32, shape (channels, TOKENS)
        The prior as tables; each row sums to 2**24.
    full : onnx.ModelProto
        The analysis with all weights in float32.
    """

    analysis: onnx.ModelProto
    synthesis: onnx.ModelProto
    frequencies: NDArray[np.int32]
    full: onnx.ModelProto


class _Through(nn.Module):
    """A method of a network as a module of its own."""

    def __init__(self, network: nn.Module, method: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network = network
        self._method = method

    def forward(self, batch: Tensor) -> Tensor:
        return self._method(batch)


def make_engines(network: Any) -> Engines:
    """Trace a trained network, check the graphs, and store them in few bytes.

    Parameters
    ----------
    network : nn.Module
        A `Factorised` too; on the CPU.

    Returns
    -------
    Engines
        Graphs and tables.

    Raises
    ------
    ModelError
        If ONNX Runtime does not give what PyTorch gives.
    """
    codec: Factorised = network
    codec.refresh()
    channels = len(codec.medians)
    chance = torch.Generator().manual_seed(0)
    planes = torch.randn(_PROBE, generator=chance) * 3
    with torch.no_grad():
        quantised = codec.quantise(planes)
        restored = codec.restore(quantised)
    analysis = to_onnx(_Through(network, codec.quantise), torch.zeros(3, 1, 4 * REDUCTION, 2 * REDUCTION))
    synthesis = to_onnx(_Through(network, codec.restore), torch.zeros(3, channels, 4, 2))
    found = run(session(analysis), planes.numpy())
    # A latent halfway between two integers may be rounded either way.
    if np.abs(found - quantised.numpy()).max() > 1 or (found != quantised.numpy()).mean() > AGREEMENT:
        raise ModelError("the exported analysis does not give what PyTorch gives")
    again = run(session(synthesis), quantised.numpy())
    if np.abs(again - restored.numpy()).max() > AGREEMENT * float(restored.abs().max()):
        raise ModelError("the exported synthesis does not give what PyTorch gives")
    frequencies = prior_frequencies(codec.prior, codec.medians)
    return Engines(compact(analysis), compact(synthesis), frequencies, analysis)
