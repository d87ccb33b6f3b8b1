"""The context network: one hidden layer of integers, exact in float32.

All sums are of integers below 2**24, times a power of two, so they are exact in any order of summation: the
matrix products of BLAS give the same bits on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contextkernel import KernelNetwork
from .contexts import (
    CHANNEL_FEATURES,
    DIAGONAL_SLICES,
    GROUPS,
    LARGEST_LOG,
    LATENT_FEATURES,
    POSITION_FEATURES,
    Past,
    Surroundings,
)

FEATURES = LATENT_FEATURES + POSITION_FEATURES + CHANNEL_FEATURES
"""Inputs of the network, in this order."""

ACTIVATION_LIMIT = 1023.0
"""Hidden units are cut here."""


@dataclass(frozen=True)
class ContextNetwork:
    """Integer network from features to classes.

    Parameters
    ----------
    hidden : ndarray, shape (groups, hidden units, FEATURES)
        Integer weights of the first layer, one matrix per group of diagonals.
    bias : ndarray, shape (64, hidden units)
        Integer bias of the first layer, one per channel.
    output : ndarray, shape (groups, hidden units)
        Integer weights of the second layer.
    offset : ndarray, shape (groups,)
        Integer bias of the second layer.
    shifts : tuple of int
        Right shifts after the first and the second layer.
    classes : int
        Number of classes.

    Raises
    ------
    ValueError
        If sums could leave the range in which float32 is exact.
    """

    hidden: NDArray[np.float32]
    bias: NDArray[np.float32]
    output: NDArray[np.float32]
    offset: NDArray[np.float32]
    shifts: tuple[int, int]
    classes: int

    def __post_init__(self) -> None:
        first = float(np.abs(self.hidden).sum(axis=2).max()) * LARGEST_LOG + float(np.abs(self.bias).max())
        second = float(np.abs(self.output).sum(axis=1).max()) * ACTIVATION_LIMIT + float(
            np.abs(self.offset).max()
        )
        if max(first, second) >= 1 << 24:
            raise ValueError(f"sums reach {max(first, second):.0f}: float32 is exact below 2**24 only")

    @cached_property
    def _scaled(self) -> tuple[NDArray[np.float32], ...]:
        """Weights with the shifts taken in: multiples of a power of two instead of integers."""
        first, second = (np.float32(2.0**-shift) for shift in self.shifts)
        return self.hidden * first, self.bias * first, self.output * second, self.offset * second

    @cached_property
    def kernel(self) -> KernelNetwork:
        """The same for the compiled kernels."""
        hidden, bias, output, offset = self._scaled
        return KernelNetwork(hidden, bias, output, offset, self.classes)

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: without addresses in this one."""
        return {name: value for name, value in vars(self).items() if name != "kernel"}

    def classify(self, diagonal: int, now: Surroundings, last: Past, before: Past) -> NDArray[np.uint8]:
        """Class of each latent of a diagonal.

        Parameters
        ----------
        diagonal : int
        now : Surroundings
            The components in coding; lower diagonals are known.
        last, before : Past
            The components coded one and two before each of them.

        Returns
        -------
        ndarray of uint8, shape (channels of the diagonal, count, rows, columns)
        """
        hidden, bias, output, offset = self._scaled
        group = int(GROUPS[diagonal])
        weights = hidden[group]
        cuts = (LATENT_FEATURES, LATENT_FEATURES + POSITION_FEATURES)
        latent = now.latent_features(diagonal, last, before)
        shape = latent.shape[1:]
        positions = shape[2] * shape[3]
        units = (weights[:, : cuts[0]] @ latent.reshape(LATENT_FEATURES, -1)).reshape(
            -1, *shape[:2], positions
        )
        position = now.position_features(diagonal, last).reshape(POSITION_FEATURES, -1)
        units += (weights[:, cuts[0] : cuts[1]] @ position).reshape(-1, 1, shape[1], positions)
        channel = now.channel_features(diagonal, last).reshape(CHANNEL_FEATURES, -1)
        shared = (weights[:, cuts[1] :] @ channel).reshape(-1, *shape[:2]) + bias[
            DIAGONAL_SLICES[diagonal]
        ].T[:, :, None]
        units += shared[:, :, :, None]
        np.clip(units, 0.0, ACTIVATION_LIMIT, out=units)
        np.floor(units, out=units)
        level = output[group] @ units.reshape(len(weights), -1)
        level += offset[group]
        np.clip(level, 0.0, self.classes - 1, out=level)
        classes: NDArray[np.uint8] = level.astype(np.uint8).reshape(shape)
        return classes
