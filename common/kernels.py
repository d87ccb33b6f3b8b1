"""The compiled kernels, where there are any: the inner loops of the codec in C, the same bits as NumPy's.

They are built with the package where a C compiler is found (``common/native``), and called through ctypes,
which lets other threads run meanwhile. Without them, or with ``BANDFOLD_KERNELS=off`` in the environment, the
NumPy code does the same work, several times slower. ``BANDFOLD_KERNELS=FILE`` takes another library.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

VERSION = 3
"""Of the functions: a library of another version is left alone."""

SWITCH = "BANDFOLD_KERNELS"
"""Environment variable that switches the kernels off, or names another library."""

_POINTER, _INT, _LONG, _DOUBLE = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64, ctypes.c_double

_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "bf_bytes": (_INT, (_INT,)),
    "bf_memory": (_LONG, (_INT, _INT)),
    "bf_quantise": (None, (*2 * [_POINTER], *3 * [_INT], _DOUBLE, *4 * [_POINTER])),
    "bf_arrange": (_LONG, (*2 * [_POINTER], *3 * [_LONG], *2 * [_POINTER], _INT, *4 * [_POINTER])),
    "bf_encode": (_LONG, (*3 * [_POINTER], _LONG, *2 * [_POINTER], _INT, _POINTER, _LONG)),
    "bf_census": (None, (_POINTER, *2 * [_LONG], *5 * [_POINTER])),
    "bf_decode": (None, (_POINTER, _INT, _LONG, _POINTER)),
    "bf_product": (None, (*2 * [_POINTER], *3 * [_LONG], _POINTER)),
    "bf_reject": (None, (*2 * [_POINTER], *2 * [_LONG], _POINTER)),
    "bf_gain": (_LONG, (_POINTER, _LONG, *5 * [_DOUBLE])),
    "bf_pivots": (None, (_POINTER, _LONG, *2 * [_POINTER])),
    "bf_jacobi": (None, (*2 * [_POINTER], *2 * [_LONG], _POINTER, _INT, *2 * [_DOUBLE], _POINTER)),
    "bf_analysis_memory": (_LONG, (_POINTER,)),
    "bf_analyse": (
        _INT,
        (*2 * [_POINTER], _INT, _LONG, *2 * [_POINTER], *2 * [_INT], _POINTER, *2 * [_LONG], _POINTER),
    ),
    "bf_rotation_costs": (None, (_POINTER, _INT, _LONG, _POINTER, _INT, ctypes.c_float, _POINTER)),
    "bf_rotate": (None, (_POINTER, _INT, _LONG, *2 * [_POINTER])),
    "bf_read": (_INT, (*2 * [_POINTER], _INT, _POINTER, *5 * [_INT], *4 * [_POINTER])),
    "bf_contexts": (None, (*3 * [_POINTER], *3 * [_INT], *2 * [_POINTER])),
    "bf_trellis_memory": (_LONG, (_LONG,)),
    "bf_trellis": (
        None,
        (_POINTER, *2 * [_LONG], _POINTER, _DOUBLE, _INT, *7 * [_POINTER]),
    ),
}


def _load() -> ctypes.CDLL | None:
    wanted = os.environ.get(SWITCH, "")
    if wanted.lower() in ("off", "0", "no"):
        return None
    built = (Path(__file__).with_name(f"_kernels{suffix}") for suffix in EXTENSION_SUFFIXES)
    path = Path(wanted) if wanted else next((one for one in built if one.exists()), None)
    if path is None:
        return None
    try:
        library = ctypes.CDLL(str(path))
        if library.bf_version() != VERSION:
            return None
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        # Built for another machine, or before a function came: NumPy does the work.
        return None
    return library


library = _load()
"""The functions, or None."""


@contextmanager
def switched_off() -> Iterator[None]:
    """Leave the work to NumPy meanwhile, to compare the two: what is open already goes on with kernels."""
    global library  # noqa: PLW0603 - the one place that says what is in use
    kept, library = library, None
    try:
        yield
    finally:
        library = kept


def functions() -> ctypes.CDLL:
    """The functions, where the caller knows that there are any.

    Returns
    -------
    CDLL

    Raises
    ------
    ValueError
        If there are none.
    """
    if library is None:
        raise ValueError("there are no compiled kernels")
    return library


def pointer(array: NDArray[Any], dtype: type[np.generic]) -> int:
    """Address of an array that a kernel reads or writes.

    Parameters
    ----------
    array : ndarray
    dtype : type
        What the kernel takes it for.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is of another type or not contiguous.
    """
    if array.dtype != dtype or not array.flags.c_contiguous:
        raise ValueError(f"a kernel needs contiguous {dtype.__name__}, not {array.dtype}")
    return int(array.ctypes.data)
