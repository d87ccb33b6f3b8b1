"""Samples of 32 and 64 bits as integers that rise with them: what is refined where counts are too coarse.

The bits of floats, with those of negative ones turned over, are in the order of the floats: neighbours differ
by 1, and -0.0 lies below 0.0. Integers of 64 bits are coded as two of 32, the high words of all bands and
then their low words. A float64 that is a float32 needs one word only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.scaling import BandUnits, apply_scaling
from bandfold.common.errors import StreamError
from bandfold.common.scene import SCALED_DTYPES, SceneInfo

from .band_prediction import Bounds

ORDERED_BOUNDS = Bounds(-(1 << 31), (1 << 31) - 1)
"""Range of ordered integers."""

_WORD = 32
_SIGN = 1 << 31


def words_of(samples: NDArray[Any], words: int) -> NDArray[np.int32]:
    """Ordered integers of samples.

    Parameters
    ----------
    samples : ndarray of int32, uint32, float32 or float64, shape (bands, lines, samples)
        Samples; float64 is cut to the range of float32 and rounded to it where there is one word.
    words : int
        Words of a sample: 1, or 2 of float64.

    Returns
    -------
    ndarray of int32, shape (words * bands, lines, samples)
        High words of all bands, and then low ones.
    """
    if samples.dtype == np.uint32:
        return (samples ^ np.uint32(_SIGN)).view(np.int32)
    if samples.dtype == np.int32:
        return samples
    if samples.dtype == np.float32:
        return _folded(np.ascontiguousarray(samples).view(np.int32))
    bands = len(samples)
    found = np.empty((words * bands, *samples.shape[1:]), dtype=np.int32)
    ends = np.finfo(np.float32)
    # Plane by plane: 64-bit integers take as much memory again as the samples.
    for band, plane in enumerate(samples):
        if words == 1:
            # NaN is never refined, and may become any.
            with np.errstate(invalid="ignore"):
                cut = np.clip(plane, float(ends.min), float(ends.max)).astype(np.float32)
            found[band] = _folded(cut.view(np.int32))
        else:
            wide = _folded(np.ascontiguousarray(plane).view(np.int64))
            found[band] = wide >> _WORD
            found[bands + band] = (wide & ((1 << _WORD) - 1)) - _SIGN
    return found


def from_words(words: NDArray[np.int32], dtype: np.dtype[Any], bands: int) -> NDArray[Any]:
    """Samples of ordered integers.

    Parameters
    ----------
    words : ndarray of int32, shape (words * bands, lines, samples)
        From `words_of`.
    dtype : numpy.dtype
        Type of the samples.
    bands : int
        Number of bands.

    Returns
    -------
    ndarray, shape (bands, lines, samples)
    """
    if dtype == np.uint32:
        return np.ascontiguousarray(words).view(np.uint32) ^ np.uint32(_SIGN)
    if dtype == np.int32:
        return words
    if len(words) == bands:
        with np.errstate(invalid="ignore"):
            return _folded(words).view(np.float32).astype(dtype, copy=False)
    samples = np.empty((bands, *words.shape[1:]), dtype=np.float64)
    for plane, high, low in zip(samples, words[:bands], words[bands:], strict=True):
        plane[...] = _folded((high.astype(np.int64) << _WORD) + low + _SIGN).view(np.float64)
    return samples


def ordered_base(
    counts: NDArray[np.integer], info: SceneInfo, doublings: int, words: int
) -> NDArray[np.int32]:
    """Ordered integers of the samples that counts of a base stand for.

    Parameters
    ----------
    counts : ndarray of integers, shape (bands, lines, samples)
        Of all bands, from `bandfold.bitstream.refinement.exact_base`.
    info : SceneInfo
        Says the sample type and the scaling.
    doublings : int
        Counts of the strip are worth ``2**doublings`` times what the scaling says.
    words : int
        Words of a sample.

    Returns
    -------
    ndarray of int32, shape (words * bands, lines, samples)

    Raises
    ------
    StreamError
        If there are no so many words in a sample, or a count would be worth more than any float64.
    """
    if info.dtype not in SCALED_DTYPES or words > info.dtype.itemsize // 4:
        raise StreamError(f"refinement has {words} words of {info.dtype} samples: the section is corrupt")
    units = BandUnits.of(info, slice(0, info.bands), doublings)
    return words_of(apply_scaling(counts, info, units), words)


def needed_words(samples: NDArray[Any], absent: NDArray[np.bool_] | None) -> int:
    """Words that samples take.

    Parameters
    ----------
    samples : ndarray of one of `SCALED_DTYPES`, shape (bands, lines, samples)
        Samples.
    absent : ndarray of bool, same shape, or None
        Samples that do not matter.

    Returns
    -------
    int
        2 for float64 that float32 does not hold, else 1.
    """
    if samples.dtype != np.float64:
        return 1
    back = from_words(words_of(samples, 1), samples.dtype, len(samples))
    return 2 if bool(differ(back, samples, absent).any()) else 1


def differ(one: NDArray[Any], other: NDArray[Any], absent: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Tell where the bits of samples differ.

    Parameters
    ----------
    one, other : ndarray, shape (bands, lines, samples)
        Samples of one type.
    absent : ndarray of bool, same shape, or None
        Samples that do not matter.

    Returns
    -------
    ndarray of bool, same shape
    """
    bits = f"u{one.dtype.itemsize}"
    found: NDArray[np.bool_] = np.ascontiguousarray(one).view(bits) != np.ascontiguousarray(other).view(bits)
    if absent is not None:
        found &= ~absent
    return found


def _folded(bits: NDArray[Any]) -> NDArray[Any]:
    """Bits of floats in their order, and back: those below the sign are turned over where it is set."""
    width = 8 * bits.dtype.itemsize
    found: NDArray[Any] = bits ^ ((bits >> (width - 1)) & ((1 << (width - 1)) - 1))
    return found
