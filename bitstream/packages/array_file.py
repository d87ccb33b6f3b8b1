"""Arrays of a package: NumPy's own file format, plain numbers only, and no more memory than the file has."""

from __future__ import annotations

import math
import tokenize
import warnings
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import ModelError

ALLOWED = tuple(np.dtype(name) for name in ("|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8"))
ALLOWED += tuple(np.dtype(name) for name in ("<f2", "<f4", "<f8"))
"""Types of arrays: integers and floats, little-endian on every machine."""

MOST_DIMENSIONS = 8


def write_array(array: NDArray[Any], name: str) -> bytes:
    """Bytes of an ``.npy`` file, version 1.0, in C order.

    Parameters
    ----------
    array : ndarray
        Of a type that, little-endian, is one of `ALLOWED`.
    name : str
        What error messages call it.

    Returns
    -------
    bytes

    Raises
    ------
    ModelError
        If the type is another one.
    """
    little = np.asarray(array)
    little = little.astype(little.dtype.newbyteorder("<"), copy=False)
    if little.dtype not in ALLOWED:
        raise ModelError(f"array {name} is of type {array.dtype}: packages hold integers and floats only")
    buffer = BytesIO()
    ordered = np.asarray(little, order="C")
    np.lib.format.write_array(buffer, ordered, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def read_array(data: bytes, source: str) -> NDArray[Any]:
    """Read what `write_array` wrote.

    Parameters
    ----------
    data : bytes
        An ``.npy`` file.
    source : str
        What error messages call it.

    Returns
    -------
    ndarray
        Read-only, in native byte order.

    Raises
    ------
    ModelError
        If it is anything else.
    """
    file = BytesIO(data)
    try:
        with warnings.catch_warnings():
            # Headers of Python 2 are read with a warning: they are refused below if they are odd.
            warnings.simplefilter("ignore")
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError("it is not of version 1.0")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    except (ValueError, TypeError, SyntaxError, EOFError, RecursionError, MemoryError) as error:
        raise _refusal(source, str(error).partition("\n")[0]) from error
    except tokenize.TokenError as error:
        raise _refusal(source, "its header cannot be read") from error
    if dtype not in ALLOWED or fortran or len(shape) > MOST_DIMENSIONS:
        raise _refusal(source, f"it is of type {dtype}, order or shape that packages do not hold")
    # The size is compared before anything is allocated: a header may claim any shape.
    start = file.tell()
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(data) - start:
        raise _refusal(source, f"it holds {len(data) - start} bytes for a shape of {shape}")
    array = np.frombuffer(data, dtype=dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _refusal(source: str, reason: str) -> ModelError:
    return ModelError(f"{source} is no array that a package may hold: {reason}; make the package again")
