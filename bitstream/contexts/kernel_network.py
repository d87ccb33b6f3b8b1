"""Context networks for the compiled kernels."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import pointer

from .features import DIAGONAL_BOUNDS, GROUPS, LATENT_FEATURES, LOG, NEIGHBOURS, POSITION_FEATURES

UNITS_TOGETHER = 4
"""Hidden units that a kernel computes side by side: networks are filled up with units that do nothing."""

MOST_UNITS = 64
"""Hidden units that a kernel has room for."""

WORD = 4
"""Bytes that processors multiply together."""

SIZES = 5
"""Fields that are no addresses: the last ones."""


class KernelNetwork(ctypes.Structure):
    """``bf_network`` of common/native/kernels.h.

    Parameters
    ----------
    layers : sequence of (ndarray of float32, ndarray of float32)
        Integer weights and biases of a `bandfold.bitstream.contexts.context_network.ContextNetwork`: two
        layers, or three whose weights are bytes.
    scaled : sequence of (ndarray of float32, ndarray of float32)
        The same with the shifts taken in.
    shifts : sequence of int
        Right shifts after each layer.
    limit : float
        Where hidden units are cut.
    classes : int
    half_steps : bool
        Whether magnitudes are in half steps.

    Raises
    ------
    ValueError
        If there are more units than kernels have room for.
    """

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("log", "neighbours", "bounds", "groups")),
        *(
            (name, ctypes.c_void_p)
            for name in ("hidden", "bias", "middle", "middle_bias", "output", "offset")
        ),
        *((name, ctypes.c_void_p) for name in ("words", "whole_bias", "middle_words", "whole_middle_bias")),
        *((name, ctypes.c_void_p) for name in ("output_words", "whole_offset", "shifts")),
        *((name, ctypes.c_int32) for name in ("units", "middle_units", "limit", "classes", "half_steps")),
    )

    def __init__(
        self,
        layers: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
        scaled: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
        shifts: Sequence[int],
        limit: float,
        classes: int,
        half_steps: bool,
    ) -> None:
        whole = _arranged(layers)
        units, middle_units = whole[0].shape[1], whole[2].shape[1]
        # Kept here, since C knows addresses only.
        self.arrays: tuple[NDArray[Any], ...] = (
            LOG,
            np.ascontiguousarray(NEIGHBOURS, dtype=np.int32),
            DIAGONAL_BOUNDS,
            GROUPS.astype(np.int32),
            *_arranged(scaled),
            *((*_in_words(whole), np.array(shifts, dtype=np.int32)) if middle_units else ()),
        )
        addresses: list[int | None] = [pointer(array, array.dtype.type) for array in self.arrays]
        addresses += [None] * (len(self._fields_) - SIZES - len(addresses))
        super().__init__(*addresses, units, middle_units, round(limit), classes, half_steps)


def _arranged(
    layers: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> tuple[NDArray[np.float32], ...]:
    """Weights and biases of three layers, filled up; the middle one is empty where there are two."""
    (hidden, bias), *between, (output, offset) = layers
    nothing = np.zeros((len(hidden), 0, hidden.shape[1])), np.zeros((len(hidden), 0))
    middle, middle_bias = between[0] if between else nothing
    units, middle_units = _filled(hidden.shape[1]), _filled(middle.shape[1])
    return (
        _padded(hidden, (len(hidden), units, hidden.shape[2])),
        _padded(bias, (len(bias), units)),
        _padded(middle, (len(middle), middle_units, units)),
        _padded(middle_bias, (len(middle), middle_units)),
        _padded(output, (len(output), middle_units or units)),
        _padded(offset, offset.shape),
    )


def _filled(units: int) -> int:
    """Units with those that fill a layer up."""
    filled = units + -units % UNITS_TOGETHER
    if filled > MOST_UNITS:
        raise ValueError(f"{filled} hidden units are more than the {MOST_UNITS} that kernels have room for")
    return filled


def _padded(array: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Weights with zeros for units that do nothing."""
    more = [(0, wanted - there) for wanted, there in zip(shape, array.shape, strict=True)]
    return np.ascontiguousarray(np.pad(array, more), dtype=np.float32)


def _in_words(whole: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.int32], ...]:
    """Weights in bytes, four a word, and biases as integers."""
    hidden, bias, middle, middle_bias, output, offset = whole
    # Each kind of features begins a word.
    kinds = np.split(hidden, (LATENT_FEATURES, LATENT_FEATURES + POSITION_FEATURES), axis=2)
    filled = [_padded(one, (*one.shape[:2], one.shape[2] + -one.shape[2] % WORD)) for one in kinds]
    return (
        np.concatenate(filled, axis=2).astype(np.int8).view(np.int32),
        bias.astype(np.int32),
        middle.astype(np.int8).view(np.int32),
        middle_bias.astype(np.int32),
        output.astype(np.int8).view(np.int32),
        offset.astype(np.int32),
    )
