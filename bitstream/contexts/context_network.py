"""The context network: one or two hidden layers of integers, exact in float32.

All sums are of integers below 2**24, times a power of two, so they are exact in any order of summation: the
matrix products of BLAS give the same bits on every machine. Networks with two hidden layers have weights and
units of 8 bits, for processors that multiply such numbers many at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .features import (
    CHANNEL_FEATURES,
    DIAGONAL_SLICES,
    GROUPS,
    LARGEST_LOG,
    LATENT_FEATURES,
    POSITION_FEATURES,
    Past,
    Surroundings,
)
from .kernel_network import KernelNetwork

FEATURES = LATENT_FEATURES + POSITION_FEATURES + CHANNEL_FEATURES
"""Inputs of the network, in this order."""

ACTIVATION_LIMIT = 1023.0
"""Hidden units are cut here where there is one layer of them."""

BYTE_LIMIT = 127.0
"""Hidden units of two layers are cut here, and no weight of theirs is larger; nor is any feature."""


@dataclass(frozen=True)
class ContextNetwork:
    """Integer network from features to classes.

    Parameters
    ----------
    hidden : ndarray, shape (groups, hidden units, FEATURES)
        Integer weights of the first layer, one matrix per group of diagonals.
    bias : ndarray, shape (64, hidden units)
        Integer bias of the first layer, one per channel.
    output : ndarray, shape (groups, units of the last hidden layer)
        Integer weights of the last layer.
    offset : ndarray, shape (groups,)
        Integer bias of the last layer.
    shifts : tuple of int
        Right shifts after each layer.
    classes : int
        Number of classes.
    middle : ndarray, shape (groups, middle units, hidden units), or None
        Integer weights between two hidden layers.
    middle_bias : ndarray, shape (groups, middle units), or None
        Integer bias of the second hidden layer.
    half_steps : bool
        Whether it was made for magnitudes in half steps, see
        `bandfold.bitstream.contexts.features.magnitudes_of`.

    Raises
    ------
    ValueError
        If sums could leave the range in which float32 is exact, or weights of two hidden layers are no bytes.
    """

    hidden: NDArray[np.float32]
    bias: NDArray[np.float32]
    output: NDArray[np.float32]
    offset: NDArray[np.float32]
    shifts: tuple[int, ...]
    classes: int
    middle: NDArray[np.float32] | None = None
    middle_bias: NDArray[np.float32] | None = None
    half_steps: bool = False

    def __post_init__(self) -> None:
        if len(self.shifts) != len(self.layers):
            raise ValueError(
                f"{len(self.shifts)} shifts for {len(self.layers)} layers: there is one for each"
            )
        largest = max(float(np.abs(weights).max()) for weights, _ in self.layers)
        if self.middle is not None and largest > BYTE_LIMIT:
            raise ValueError(f"a weight is {largest:.0f}: {BYTE_LIMIT:.0f} is most with two hidden layers")
        inputs = (float(LARGEST_LOG), self.limit, self.limit)
        reach = max(
            float(np.abs(weights).sum(axis=-1).max()) * most + float(np.abs(bias).max())
            for (weights, bias), most in zip(self.layers, inputs, strict=False)
        )
        if reach >= 1 << 24:
            raise ValueError(f"sums reach {reach:.0f}: float32 is exact below 2**24 only")

    @property
    def limit(self) -> float:
        """Where hidden units are cut."""
        return ACTIVATION_LIMIT if self.middle is None else BYTE_LIMIT

    @property
    def layers(self) -> tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]:
        """Weights and biases."""
        ends = (self.hidden, self.bias), (self.output, self.offset)
        if self.middle is None or self.middle_bias is None:
            return ends
        return ends[0], (self.middle, self.middle_bias), ends[1]

    @cached_property
    def scaled(self) -> tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]:
        """The same with the shifts taken in: multiples of a power of two instead of integers."""
        return tuple(
            (weights * np.float32(2.0**-shift), bias * np.float32(2.0**-shift))
            for (weights, bias), shift in zip(self.layers, self.shifts, strict=True)
        )

    @cached_property
    def kernel(self) -> KernelNetwork:
        """The same for the compiled kernels."""
        return KernelNetwork(self.layers, self.scaled, self.shifts, self.limit, self.classes, self.half_steps)

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
        group = int(GROUPS[diagonal])
        (hidden, bias), *between, (output, offset) = self.scaled
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
        units = self._cut(units.reshape(len(weights), -1))
        for middle, middle_bias in between:
            units = self._cut(middle[group] @ units + middle_bias[group][:, None])
        level = output[group] @ units
        level += offset[group]
        np.clip(level, 0.0, self.classes - 1, out=level)
        classes: NDArray[np.uint8] = level.astype(np.uint8).reshape(shape)
        return classes

    def _cut(self, units: NDArray[np.float32]) -> NDArray[np.float32]:
        """Hidden units of sums, in place."""
        np.clip(units, 0.0, self.limit, out=units)
        return np.floor(units, out=units)
