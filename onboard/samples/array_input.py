"""What Python programs say of an array: masks, no-data values and header fields, in types of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import MetadataValue


def array_of(cube: Any) -> NDArray[Any]:
    """What can be taken for an array, as one.

    Raises
    ------
    SceneError
        If it cannot.
    """
    try:
        return np.asarray(cube)
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise SceneError(
            f"{type(cube).__name__} is no array: {reason}; give (bands, lines, samples)"
        ) from error


def without_mask(cube: np.ma.MaskedArray, no_data: float | None) -> tuple[NDArray[Any], float | None]:
    """Fill what a masked array masks with the value that marks absent data.

    Parameters
    ----------
    cube : masked array, any shape
        Samples.
    no_data : float or None
        That value; None stands for NaN among floats.

    Returns
    -------
    samples : ndarray, same shape and type
        Itself where nothing is masked.
    no_data : float or None
        What marks absent data there.

    Raises
    ------
    SceneError
        If integers are masked and no value is given that their type holds.
    """
    if not np.ma.is_masked(cube):
        return cube.data, no_data
    if cube.dtype.kind == "f":
        no_data = math.nan if no_data is None else no_data
        return cube.filled(no_data), no_data
    limits = np.iinfo(cube.dtype) if cube.dtype.kind in "iu" else None
    if no_data is None or limits is None or not limits.min <= no_data <= limits.max or no_data % 1:
        raise SceneError(
            f"samples are masked, and no_data {no_data} is no value of {cube.dtype}: give one, as which they "
            "come back"
        )
    return cube.filled(int(no_data)), no_data


def no_data_number(value: Any) -> float | None:
    """The value that marks absent data, or None, as whoever calls says it.

    Raises
    ------
    SceneError
        If it is no number.
    """
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise SceneError(f"no_data {value!r} is no number: give one") from error


def header_field(key: Any, value: Any) -> MetadataValue:
    """A header field as it is carried: a text, or a tuple of texts.

    Parameters
    ----------
    key : object
        Its name, for the error message.
    value : str, number, or sequence of these
        As whoever calls has it.

    Raises
    ------
    SceneError
        If it is something else.
    """
    if isinstance(value, (str, int, float, np.generic)):
        return str(value)
    if isinstance(value, (tuple, list, np.ndarray)):
        return tuple(str(item) for item in value)
    raise SceneError(f"metadata field {key!r} is {type(value).__name__}: give a text, a number or a list")
