"""Functions of HDF5 that a filter needs and h5py does not have, of the library that h5py has loaded."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, c_char_p, c_int, c_int64, c_size_t, c_uint, c_uint64, c_void_p

import h5py.h5z
import numpy as np

from bandfold.common.errors import SettingsError

from .filter_options import FILTER_ID

MOST_WORDS = 256
"""Words of filter options that HDF5 gives at most."""

_TOO_MANY = "HDF5 does not keep so many options of a filter: give one limit of errors for all bands"

_INTEGER, _FLOAT = 0, 1
"""Classes of types (``H5T_class_t``)."""

# The library is found among those that the module of h5py has loaded.
_hdf5 = ctypes.CDLL(h5py.h5z.__file__)


def _function(name: str, result: type, *arguments: type) -> ctypes._NamedFuncPointer:
    function: ctypes._NamedFuncPointer = getattr(_hdf5, name)
    function.restype, function.argtypes = result, arguments
    return function


_allocate = _function("H5allocate_memory", c_void_p, c_size_t, c_int)
_free = _function("H5free_memory", c_int, c_void_p)
_get_chunk = _function("H5Pget_chunk", c_int, c_int64, c_int, POINTER(c_uint64))
_get_filter = _function(
    "H5Pget_filter_by_id2",
    c_int,
    *(c_int64, c_int, POINTER(c_uint), POINTER(c_size_t), POINTER(c_uint), c_size_t, c_char_p, c_void_p),
)
_modify_filter = _function("H5Pmodify_filter", c_int, c_int64, c_int, c_uint, c_size_t, POINTER(c_uint))
_type_class = _function("H5Tget_class", c_int, c_int64)
_type_size = _function("H5Tget_size", c_size_t, c_int64)
_type_sign = _function("H5Tget_sign", c_int, c_int64)
_type_order = _function("H5Tget_order", c_int, c_int64)
_push = _function("H5Epush2", c_int, c_int64, c_char_p, c_char_p, c_uint, *(c_int64,) * 3, c_char_p)


def chunk_shape(properties: int) -> tuple[int, ...]:
    """Shape of the chunks of a data set.

    Parameters
    ----------
    properties : int
        Identifier of a property list of the creation of data sets.

    Returns
    -------
    tuple of int
    """
    sides = (c_uint64 * 32)()
    rank = _get_chunk(properties, len(sides), sides)
    return tuple(sides[: max(rank, 0)])


def sample_dtype(kind: int) -> np.dtype[np.generic]:
    """Type of NumPy for a type of HDF5.

    Parameters
    ----------
    kind : int
        Identifier of a type.

    Returns
    -------
    numpy.dtype
        In the byte order of the file.

    Raises
    ------
    SettingsError
        If it is neither an integer nor a floating-point number.
    """
    order = ">" if _type_order(kind) == 1 else "<"
    letters = {_INTEGER: "i" if _type_sign(kind) else "u", _FLOAT: "f"}
    letter = letters.get(_type_class(kind))
    if letter is None:
        raise SettingsError("the bandfold filter takes integers and floats: store other types without it")
    return np.dtype(f"{order}{letter}{_type_size(kind)}")


def filter_words(properties: int) -> tuple[int, tuple[int, ...]]:
    """Flags and options of the filter in a property list.

    Parameters
    ----------
    properties : int
        Identifier of a property list.

    Returns
    -------
    flags : int
    words : tuple of int
    """
    flags, count, words = c_uint(), c_size_t(MOST_WORDS), (c_uint * MOST_WORDS)()
    status = _get_filter(properties, FILTER_ID, flags, count, words, 0, None, None)
    if status < 0 or count.value > MOST_WORDS:
        raise SettingsError(_TOO_MANY)
    return flags.value, tuple(words[: count.value])


def set_filter_words(properties: int, flags: int, words: Sequence[int]) -> None:
    """Replace the options of the filter in a property list.

    Parameters
    ----------
    properties : int
        Identifier of a property list.
    flags : int
        As `filter_words` gives them.
    words : sequence of int
        The options.

    Raises
    ------
    SettingsError
        If HDF5 does not take them.
    """
    if len(words) > MOST_WORDS or _modify_filter(
        properties, FILTER_ID, flags, len(words), (c_uint * len(words))(*words)
    ):
        raise SettingsError(_TOO_MANY)


def replace_buffer(buffer: ctypes._Pointer[c_void_p], size: ctypes._Pointer[c_size_t], data: bytes) -> None:
    """Put data in place of what a filter was given.

    Parameters
    ----------
    buffer : pointer to pointer
        To memory of HDF5, which is freed.
    size : pointer to size_t
        Bytes there are in it.
    data : bytes
        The new content.

    Raises
    ------
    MemoryError
        If there is none.
    """
    memory = _allocate(max(len(data), 1), 0)
    if not memory:
        raise MemoryError
    ctypes.memmove(memory, data, len(data))
    _free(buffer[0])
    buffer[0], size[0] = memory, len(data)


def push_error(message: str) -> None:
    """Put a message on the stack of errors, of which h5py shows the last one.

    Parameters
    ----------
    message : str
        What is wrong.
    """
    numbers = [
        c_int64.in_dll(_hdf5, name).value for name in ("H5E_ERR_CLS_g", "H5E_PLINE_g", "H5E_CANTFILTER_g")
    ]
    text = message.replace("%", "%%").encode(errors="replace")
    _push(0, b"bandfold", b"filter", 0, *numbers, text)
