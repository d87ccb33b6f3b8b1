"""Context networks for the compiled kernels."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from .contexts import DIAGONAL_BOUNDS, GROUPS, LOG, NEIGHBOURS
from .kernels import pointer

UNITS_TOGETHER = 4
"""Hidden units that a kernel computes side by side: networks are filled up with units that do nothing."""

MOST_UNITS = 64
"""Hidden units that a kernel has room for."""


class KernelNetwork(ctypes.Structure):
    """``bf_network`` of bitstream/native/kernels.h.

    Parameters
    ----------
    hidden : ndarray of float32, shape (groups, units, FEATURES)
    bias : ndarray of float32, shape (64, units)
    output : ndarray of float32, shape (groups, units)
    offset : ndarray of float32, shape (groups,)
        Weights of a `bandfold.bitstream.network.ContextNetwork`, its shifts taken in.
    classes : int

    Raises
    ------
    ValueError
        If there are more units than kernels have room for.
    """

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("log", "neighbours", "bounds", "groups")),
        *((name, ctypes.c_void_p) for name in ("hidden", "bias", "output", "offset")),
        ("units", ctypes.c_int32),
        ("classes", ctypes.c_int32),
    )

    def __init__(
        self,
        hidden: NDArray[np.float32],
        bias: NDArray[np.float32],
        output: NDArray[np.float32],
        offset: NDArray[np.float32],
        classes: int,
    ) -> None:
        fill = -hidden.shape[1] % UNITS_TOGETHER
        units = hidden.shape[1] + fill
        if units > MOST_UNITS:
            raise ValueError(
                f"{units} hidden units are more than the {MOST_UNITS} that kernels have room for"
            )
        # Kept here, since C knows addresses only.
        self.arrays = (
            LOG,
            np.ascontiguousarray(NEIGHBOURS, dtype=np.int32),
            DIAGONAL_BOUNDS,
            GROUPS.astype(np.int32),
            np.ascontiguousarray(np.pad(hidden, ((0, 0), (0, fill), (0, 0))), dtype=np.float32),
            np.ascontiguousarray(np.pad(bias, ((0, 0), (0, fill))), dtype=np.float32),
            np.ascontiguousarray(np.pad(output, ((0, 0), (0, fill))), dtype=np.float32),
            np.ascontiguousarray(offset, dtype=np.float32),
        )
        super().__init__(*(pointer(array, array.dtype.type) for array in self.arrays), units, classes)
