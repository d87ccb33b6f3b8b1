"""The filter as HDF5 calls it: functions in Python behind the table of a filter class."""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Callable
from contextlib import suppress
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_size_t, c_uint, c_void_p
from dataclasses import replace
from functools import wraps
from typing import Any

import h5py
import numpy as np

from bandfold.common.errors import SettingsError, StreamError

from .chunk_stream import decode_chunk
from .filter_options import FILTER_ID, FilterOptions
from .hdf5_functions import (
    chunk_shape,
    filter_words,
    push_error,
    replace_buffer,
    sample_dtype,
    set_filter_words,
)

_SetLocal = CFUNCTYPE(c_int, c_int64, c_int64, c_int64)
_Filter = CFUNCTYPE(
    c_size_t, c_uint, c_size_t, POINTER(c_uint), c_size_t, POINTER(c_size_t), POINTER(c_void_p)
)


class _FilterClass(ctypes.Structure):
    """``H5Z_class2_t``."""

    _fields_ = (
        ("version", c_int),
        ("id", c_int),
        ("encoder_present", c_uint),
        ("decoder_present", c_uint),
        ("name", c_char_p),
        ("can_apply", c_void_p),
        ("set_local", _SetLocal),
        ("filter", _Filter),
    )


class FilterWarning(UserWarning):
    """Why a chunk could not be read or written; the error itself is that of HDF5, which does not say so."""


def _told(failure: int, *, warn: bool = False) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give HDF5 the message of whatever is raised, since nothing may be raised through it."""

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        @wraps(function)
        def guarded(*arguments: Any) -> int:
            try:
                return function(*arguments)
            except BaseException as error:
                message = " ".join(str(error).split()) or type(error).__name__
                push_error(message)
                # HDF5 drops what a filter says while it reads.
                with suppress(FilterWarning):
                    if warn:
                        warnings.warn(FilterWarning(f"bandfold filter: {message}"), stacklevel=2)
                return failure

        return guarded

    return decorate


@_told(failure=-1)
def _set_local(properties: int, kind: int, space: int) -> int:
    """Note shape and type of the chunks of a data set that is made, and refuse what cannot be coded."""
    flags, words = filter_words(properties)
    shape, dtype = chunk_shape(properties), sample_dtype(kind)
    if len(shape) != 3:
        raise SettingsError(f"chunks have {len(shape)} axes: the bandfold filter takes chunks of three")
    options = replace(FilterOptions.read(words), shape=shape, dtype=dtype.str)
    options.settings.check_dtype(dtype.newbyteorder("="))
    set_filter_words(properties, flags, options.words())
    return 0


@_told(failure=0, warn=True)
def _filter(flags: int, count: int, words: Any, size: int, capacity: Any, buffer: Any) -> int:
    """Encode a chunk, or decode it; the bytes that it takes then."""
    options = FilterOptions.read(words[:count])
    given = ctypes.string_at(buffer[0], size)
    dtype = np.dtype(options.dtype)
    if flags & h5py.h5z.FLAG_REVERSE:
        chunk = decode_chunk(given, options.settings, options.shape, dtype.newbyteorder("="))
        data = np.ascontiguousarray(chunk, dtype).tobytes()
    else:
        if size != np.prod(options.shape) * dtype.itemsize:
            raise StreamError(f"a chunk of {size} bytes is none of shape {options.shape} and type {dtype}")
        samples = np.frombuffer(given, dtype).reshape(options.shape)
        data = options.settings.encode(samples.astype(dtype.newbyteorder("=")))
    replace_buffer(buffer, capacity, data)
    return len(data)


# HDF5 keeps its address.
_CLASS = _FilterClass(
    h5py.h5z.CLASS_T_VERS, FILTER_ID, 1, 1, b"bandfold", None, _SetLocal(_set_local), _Filter(_filter)
)


def register() -> None:
    """Make the filter known to the HDF5 library of h5py; harmless the second time."""
    if not h5py.h5z.filter_avail(FILTER_ID):
        h5py.h5z.register_filter(ctypes.addressof(_CLASS))
