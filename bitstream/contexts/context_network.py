"""The context network: one or two hidden layers of integers, exact in float32.

All sums are of integers below 2**24, times a power of two, so they are exact in any order of summation: the
matrix products of BLAS give the same bits on every machine. Networks with two hidden layers have weights and
units of 8 bits, for processors that multiply such numbers many at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import Structure, compiled, structure
from bandfold.common.scene import CHANNELS

from .features import (
    CHANNEL_FEATURES,
    DIAGONAL_SLICES,
    EXTENDED_FEATURES,
    GROUPS,
    LARGEST_LOG,
    LATENT_FEATURES,
    LOG,
    NEIGHBOURS,
    POSITION_FEATURES,
    Past,
    Surroundings,
)

FEATURES = LATENT_FEATURES + POSITION_FEATURES + CHANNEL_FEATURES
"""Inputs of a network, in this order."""

MOST_FEATURES = FEATURES + EXTENDED_FEATURES
"""Inputs of an extended network: the extended features come behind the others of a latent."""

ACTIVATION_LIMIT = 1023.0
"""Hidden units are cut here where there is one layer of them."""

BYTE_LIMIT = 127.0
"""Hidden units of two layers are cut here, and no weight of theirs is larger; nor is any feature."""

MOST_UNITS = 64
"""Units of a hidden layer at most: C has room for so many."""

MOST_SHIFT = 24
"""Sums are below two to this power: a larger shift leaves nothing of them."""

_TOGETHER = 4
"""Units that C computes side by side, and bytes of a word that processors multiply together."""

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weights and biases of a layer."""


@dataclass(frozen=True)
class ContextNetwork:
    """Integer network from features to classes.

    Parameters
    ----------
    layers : tuple of (ndarray of float32, ndarray of float32)
        Integer weights and biases of two layers, or of three, with shapes

        - (groups, units, FEATURES or MOST_FEATURES) and (64, units): the first layer has one matrix per group
          of diagonals, and one bias per channel;
        - (groups, middle units, units) and (groups, middle units): second hidden layer, where there is one;
        - (groups, units of the last hidden layer) and (groups,): the last layer.
    shifts : tuple of int
        Right shifts after each layer, ``-MOST_SHIFT`` to `MOST_SHIFT`; negative ones are left shifts.
    classes : int
        Number of classes: the last layer is cut to 0 ... ``classes - 1``.
    half_steps : bool
        Whether it was made for magnitudes in half steps, see
        `bandfold.bitstream.contexts.features.magnitudes_of`.

    Raises
    ------
    ValueError
        If shapes of layers do not fit, there are more than `MOST_UNITS`, weights are no whole numbers, sums
        could leave the range in which float32 is exact, or weights of two hidden layers are no bytes.
    """

    layers: tuple[Layer, ...]
    shifts: tuple[int, ...]
    classes: int
    half_steps: bool = False

    def __post_init__(self) -> None:
        self._check_shapes()
        if len(self.shifts) != len(self.layers):
            raise ValueError(
                f"{len(self.shifts)} shifts for {len(self.layers)} layers: there is one for each"
            )
        if not all(-MOST_SHIFT <= shift <= MOST_SHIFT for shift in self.shifts):
            raise ValueError(f"shifts of {self.shifts} bits: {-MOST_SHIFT} to {MOST_SHIFT} are possible")
        # NaN would get by what follows: it exceeds nothing.
        if not all(np.array_equal(array, np.rint(array)) for layer in self.layers for array in layer):
            raise ValueError("weights and biases of context networks are whole numbers")
        largest = max(float(np.abs(weights).max()) for weights, _ in self.layers)
        if self.deep and largest > BYTE_LIMIT:
            raise ValueError(f"a weight is {largest:.0f}: {BYTE_LIMIT:.0f} is most with two hidden layers")
        inputs = (float(LARGEST_LOG), self.limit, self.limit)
        reach = max(
            float(np.abs(weights).sum(axis=-1).max()) * most + float(np.abs(bias).max())
            for (weights, bias), most in zip(self.layers, inputs, strict=False)
        )
        if reach >= 1 << 24:
            raise ValueError(f"sums reach {reach:.0f}: float32 is exact below 2**24 only")

    def _check_shapes(self) -> None:
        if len(self.layers) not in (2, 3):
            raise ValueError(f"a context network has two layers or three, not {len(self.layers)}")
        sets = int(GROUPS.max()) + 1
        inputs = MOST_FEATURES if self.extended else FEATURES
        for number, (weights, bias) in enumerate(self.layers):
            units = weights.shape[1] if weights.ndim > 1 else 0
            last = number == len(self.layers) - 1
            wanted = (sets, inputs) if last else (sets, units, inputs)
            biases = (CHANNELS, units) if number == 0 else wanted[:-1]
            if weights.shape != wanted or bias.shape != biases or 0 in wanted:
                raise ValueError(
                    f"layer {number} of a context network has weights of shape {weights.shape} and biases of "
                    f"shape {bias.shape}, not {wanted} and {biases}"
                )
            if not last and units > MOST_UNITS:
                raise ValueError(f"{units} hidden units are more than there is room for: {MOST_UNITS}")
            inputs = units

    @property
    def deep(self) -> bool:
        """Whether there are two hidden layers, whose weights are bytes."""
        return len(self.layers) == 3

    @property
    def features(self) -> int:
        """Inputs: `FEATURES` or `MOST_FEATURES`."""
        return int(self.layers[0][0].shape[-1])

    @property
    def latent_features(self) -> int:
        """Those of them that each latent has of its own: the first ones."""
        return self.features - POSITION_FEATURES - CHANNEL_FEATURES

    @property
    def extended(self) -> bool:
        """Whether there are `EXTENDED_FEATURES` among them."""
        return self.features == MOST_FEATURES

    @property
    def limit(self) -> float:
        """Where hidden units are cut."""
        return BYTE_LIMIT if self.deep else ACTIVATION_LIMIT

    @cached_property
    def scaled(self) -> tuple[Layer, ...]:
        """The same with the shifts taken in: multiples of a power of two instead of integers."""
        return tuple(
            (weights * np.float32(2.0**-shift), bias * np.float32(2.0**-shift))
            for (weights, bias), shift in zip(self.layers, self.shifts, strict=True)
        )

    @cached_property
    def structure(self) -> NetworkStructure:
        """The same for C."""
        return NetworkStructure(self)

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: without addresses in this one."""
        return {name: value for name, value in vars(self).items() if name != "structure"}

    def classify(self, diagonal: int, now: Surroundings, last: Past, before: Past) -> NDArray[np.uint8]:
        """Class of each latent of a diagonal.

        Parameters
        ----------
        diagonal : int
            0 to 14.
        now : Surroundings
            The components in coding; lower diagonals are known.
        last, before : Past
            The components coded one and two before each of them.

        Returns
        -------
        ndarray of uint8, shape (channels of the diagonal, count, rows, columns)
        """
        return self.classes_of(
            diagonal,
            now.latent_features(diagonal, last, before),
            now.position_features(diagonal, last),
            now.channel_features(diagonal, last),
        )

    def classes_of(
        self,
        diagonal: int,
        latent: NDArray[np.float32],
        position: NDArray[np.float32],
        channel: NDArray[np.float32],
    ) -> NDArray[np.uint8]:
        """Class of each latent of a diagonal, by its features.

        Parameters
        ----------
        diagonal : int
            0 to 14.
        latent : ndarray of float32, shape (latent features, channels of the diagonal, count, rows, columns)
            Features of each latent, `latent_features` of them, whole numbers from 0 to `LARGEST_LOG` as all
            features.
        position : ndarray of float32, shape (POSITION_FEATURES, count, rows, columns)
            Features of each position.
        channel : ndarray of float32, shape (CHANNEL_FEATURES, channels of the diagonal, count)
            Features of each channel.

        Returns
        -------
        ndarray of uint8, shape (channels of the diagonal, count, rows, columns)
        """
        group = int(GROUPS[diagonal])
        (hidden, bias), *between, (output, offset) = self.scaled
        weights = hidden[group]
        cuts = (self.latent_features, self.latent_features + POSITION_FEATURES)
        shape = latent.shape[1:]
        positions = shape[2] * shape[3]
        units = (weights[:, : cuts[0]] @ latent.reshape(cuts[0], -1)).reshape(-1, *shape[:2], positions)
        by_position = weights[:, cuts[0] : cuts[1]] @ position.reshape(POSITION_FEATURES, -1)
        units += by_position.reshape(-1, 1, shape[1], positions)
        by_channel = weights[:, cuts[1] :] @ channel.reshape(CHANNEL_FEATURES, -1)
        shared = by_channel.reshape(-1, *shape[:2]) + bias[DIAGONAL_SLICES[diagonal]].T[:, :, None]
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


@structure(
    "bf_network(log: uint8[65536], neighbours: int32[7, 64], groups: int32[15],"
    " hidden: float32[sets, units, features], bias: float32[64, units],"
    " middle: float32[sets, middle_units, units], middle_bias: float32[sets, middle_units],"
    " output: float32[sets, middle_units or units], offset: float32[sets],"
    " words: int32[sets, units, (features + 7) // 4] | None, whole_bias: int32[64, units] | None,"
    " middle_words: int32[sets, middle_units, units // 4] | None,"
    " whole_middle_bias: int32[sets, middle_units] | None,"
    " output_words: int32[sets, middle_units // 4] | None, whole_offset: int32[sets] | None,"
    " shifts: int32[3] | None, features: int32, units: int32, middle_units: int32, limit: int32,"
    " classes: int32, half_steps: int32)"
)
class NetworkStructure(Structure):
    """A context network for C.

    Layers are filled up with units that do nothing; weights of two hidden layers are also told as words of
    bytes.

    Parameters
    ----------
    network : ContextNetwork
        What it is made from.
    """

    def __init__(self, network: ContextNetwork) -> None:
        names = ("hidden", "bias", "middle", "middle_bias", "output", "offset")
        whole = dict(zip(names, _filled_up(network.layers), strict=True))
        # C shifts integers to the right only.
        in_bytes = network.deep and min(network.shifts) >= 0
        words = _in_words(whole, network) if in_bytes else {}
        word_names = (
            "words",
            "whole_bias",
            "middle_words",
            "whole_middle_bias",
            "output_words",
            "whole_offset",
        )
        super().__init__(
            log=LOG,
            neighbours=np.ascontiguousarray(NEIGHBOURS, dtype=np.int32),
            groups=GROUPS.astype(np.int32),
            **dict(zip(names, _filled_up(network.scaled), strict=True)),
            **{name: words.get(name) for name in (*word_names, "shifts")},
            limit=round(network.limit),
            classes=network.classes,
            half_steps=network.half_steps,
        )


def _filled_up(layers: Sequence[Layer]) -> tuple[NDArray[np.float32], ...]:
    """Weights and biases of three layers, of whole words; the middle one is empty where there are two."""
    (hidden, bias), *between, (output, offset) = layers
    nothing = np.zeros((len(hidden), 0, hidden.shape[1])), np.zeros((len(hidden), 0))
    middle, middle_bias = between[0] if between else nothing
    units, middle_units = (count + -count % _TOGETHER for count in (hidden.shape[1], middle.shape[1]))
    return (
        _padded(hidden, (len(hidden), units, hidden.shape[2])),
        _padded(bias, (len(bias), units)),
        _padded(middle, (len(middle), middle_units, units)),
        _padded(middle_bias, (len(middle), middle_units)),
        _padded(output, (len(output), middle_units or units)),
        _padded(offset, offset.shape),
    )


def _padded(array: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Weights with zeros for units that do nothing."""
    more = [(0, wanted - there) for wanted, there in zip(shape, array.shape, strict=True)]
    return np.ascontiguousarray(np.pad(array, more), dtype=np.float32)


def _in_words(whole: dict[str, NDArray[np.float32]], network: ContextNetwork) -> dict[str, NDArray[np.int32]]:
    """Weights in bytes, four a word, and biases as integers, by the names of the fields."""
    # Each kind of features begins a word.
    cuts = (network.latent_features, network.latent_features + POSITION_FEATURES)
    kinds = np.split(whole["hidden"], cuts, axis=2)
    filled = [_padded(one, (*one.shape[:2], one.shape[2] + -one.shape[2] % _TOGETHER)) for one in kinds]
    return {
        "words": np.concatenate(filled, axis=2).astype(np.int8).view(np.int32),
        "whole_bias": whole["bias"].astype(np.int32),
        "middle_words": whole["middle"].astype(np.int8).view(np.int32),
        "whole_middle_bias": whole["middle_bias"].astype(np.int32),
        "output_words": whole["output"].astype(np.int8).view(np.int32),
        "whole_offset": whole["offset"].astype(np.int32),
        "shifts": np.array(network.shifts, dtype=np.int32),
    }


@compiled("bf_memory(rows: int32, columns: int32) -> int64")
def context_memory(rows: int, columns: int) -> int:
    """Bytes in which C keeps what it knows of the last components; NumPy keeps a `Past`.

    Parameters
    ----------
    rows, columns : int
        Latent positions of the strip.

    Returns
    -------
    int
        0 without compiled kernels.
    """
    return 0


@compiled("bf_bytes(wanted: int32) -> int32")
def choose_byte_products(wanted: int) -> int:
    """Choose the instructions that multiply bytes, for tests: all give the same classes.

    Parameters
    ----------
    wanted : int
        1 for the fastest ones of this processor, 2 for the next, 0 for none.

    Returns
    -------
    int
        How many kinds there are; none without compiled kernels.
    """
    return 0
