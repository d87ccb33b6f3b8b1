"""Fill values that nobody declared: found by how they lie among the values of a scene.

A fill value is one number that many samples hold exactly, far from all others and with nothing near it, or
the one value of all bands of the pixels at a border. That it is one of those which programs use lowers what
is asked for, but a name alone proves nothing: -9999 can be a temperature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

KNOWN = frozenset(
    float(kind(value))
    for kind in (float, np.float32)
    for value in (
        *(-9999, -999, -99, -99999, -9999.9, 9999, 99999, -32768, -32767),
        *(-(2**31), -(2**31) + 1, 2**31 - 1, 2**32 - 1),
        # NetCDF's own for floats and doubles, and those of other libraries.
        *(9.969209968386869e36, 9.96921e36, 1e20, 1e30, -1e30, -1e34, 1e36, 1e37, -1e37),
        *(float(np.finfo("f4").min), float(np.finfo("f4").max)),
    )
)
"""Values that programs fill with."""

FOUND_KEY = "fill values found"
"""Header field of bandfold's own: values that mark absent data although nobody declared them."""

MOST_FILLS = 4
"""Fill values of a scene at most."""

VALUES_SORTED = 1 << 20
"""Values that are sorted to find those which are repeated, about."""

_CANDIDATES = 32
LEAST_BANDS = 4
_LEAST_SHARE = 1e-3
_LEAST_COUNT = 16
BORDER_SHARE = 0.01

_KNOWN_AWAY, _AWAY = 1.25, 5.0
"""Distances of the quartiles by which a value is outside of them, if programs fill with it, and if not."""


@dataclass(frozen=True)
class FillValue:
    """A value that marks absent data.

    Parameters
    ----------
    value : float
        Possibly NaN.
    share : float
        Of the samples that were looked at.
    """

    value: float
    share: float

    def __str__(self) -> str:
        whole = math.isfinite(self.value) and self.value.is_integer() and abs(self.value) < 2**53
        value = str(int(self.value)) if whole else f"{self.value:.9g}"
        # Two digits, and never 1e+02.
        return f"{value} in {float(f'{100 * self.share:.2g}'):g} % of the samples"


def no_data_mask(block: NDArray[Any], no_data: float | None) -> NDArray[np.bool_]:
    """Find the samples that mark absent data.

    Parameters
    ----------
    block : ndarray
        Samples of any real type, before any scaling.
    no_data : float or None
        The marking value, possibly NaN; None marks nothing. It is compared in the type of `block`, so that
        ``0.1`` finds the float32 nearest to it; a value that the type cannot hold marks nothing.

    Returns
    -------
    ndarray of bool, same shape
        True where data is absent.
    """
    nothing = np.zeros(block.shape, np.bool_)
    if no_data is None:
        return nothing
    if block.dtype.kind == "f":
        with np.errstate(over="ignore"):
            marker = block.dtype.type(no_data)
        if np.isinf(marker) and np.isfinite(no_data):
            return nothing
        return np.asarray(np.isnan(block) if np.isnan(marker) else block == marker, np.bool_)
    limits = np.iinfo(block.dtype)
    if not float(no_data).is_integer() or not limits.min <= no_data <= limits.max:
        return nothing
    return np.asarray(block == block.dtype.type(int(no_data)), np.bool_)


def same_value(one: float, other: float | None) -> bool:
    """Whether two values are equal, or both NaN."""
    return other is not None and (one == other or (math.isnan(one) and math.isnan(other)))


def at_border(pixels: NDArray[np.bool_]) -> bool:
    """Whether pixels are many, and many of them lie at a border.

    Parameters
    ----------
    pixels : ndarray of bool, shape (lines, samples)
        Some of the pixels of a scene.

    Returns
    -------
    bool
    """
    ends = np.stack([pixels[:, 0], pixels[:, -1]])
    edges = np.stack([pixels[0], pixels[-1]])
    return bool(pixels.mean() >= BORDER_SHARE and max(ends.mean(), edges.mean()) >= BORDER_SHARE)


def find_fill_values(block: NDArray[Any], present: NDArray[np.bool_]) -> tuple[FillValue, ...]:
    """Find the values that mark absent data.

    Parameters
    ----------
    block : ndarray, shape (bands, lines, samples)
        Samples that stand for a scene.
    present : ndarray of bool, same shape
        False for samples that are known to be absent.

    Returns
    -------
    tuple of FillValue
        The most frequent first; NaN, if there is any, is one of them.
    """
    found: list[FillValue] = []
    missing = np.isnan(block) & present if block.dtype.kind == "f" else np.zeros(block.shape, np.bool_)
    if missing.any():
        found.append(FillValue(math.nan, float(missing.mean())))
    finite = present & np.isfinite(block)
    values = block[finite]
    values = values[:: max(len(values) // VALUES_SORTED, 1)]
    numbers, counts = np.unique(values.astype(np.float64), return_counts=True)
    candidates = np.argsort(-counts, kind="stable")[:_CANDIDATES].tolist()
    rest = counts.copy()
    # One fill value may hide another: the others are looked at again without it.
    left = finite
    for _ in range(MOST_FILLS):
        border = _border_value(block, left)
        fills = [
            place
            for place in candidates
            if rest[place] and (numbers[place] == border or stands_alone(numbers, rest, place))
        ]
        for place in fills:
            value = float(numbers[place])
            marked = finite & no_data_mask(block, value)
            found.append(FillValue(value, float(marked.mean())))
            left = left & ~marked
        if not fills:
            break
        rest[fills] = 0
    found.sort(key=lambda one: -one.share)
    return tuple(found[:MOST_FILLS])


def stands_alone(numbers: NDArray[np.float64], counts: NDArray[np.int64], place: int) -> bool:
    """Whether a value is repeated, lies far outside of the others, and has hardly any near it."""
    count, value = int(counts[place]), float(numbers[place])
    known = value in KNOWN
    total = int(counts.sum())
    if count < (2 if known else max(_LEAST_COUNT, _LEAST_SHARE * total)) or count == total:
        return False
    rest = counts.copy()
    rest[place] = 0
    if known and value < 0 and not rest[numbers < 0].any():
        return True
    sums = np.cumsum(rest)
    ends = np.searchsorted(sums, sums[-1] * np.array([0.25, 0.75]), "right")
    lower, upper = (float(one) for one in numbers[ends.clip(max=len(sums) - 1)])
    away, width = max(lower - value, value - upper), upper - lower
    if not away > (_KNOWN_AWAY if known else _AWAY) * width or (width == 0 and not known):
        return False
    with np.errstate(over="ignore"):
        near = np.abs(numbers - value) < away / 2
    return int(rest[near].sum()) <= count * (0.5 if known else 0.1)


def _border_value(block: NDArray[Any], finite: NDArray[np.bool_]) -> float | None:
    """The value that all bands have in the pixels at a border, if it is the least or the greatest of all."""
    if len(block) < LEAST_BANDS:
        return None
    flat = finite.all(axis=0) & (block.min(axis=0) == block.max(axis=0))
    if flat.mean() < BORDER_SHARE:
        return None
    numbers, counts = np.unique(block[0][flat], return_counts=True)
    value = numbers[int(counts.argmax())]
    same = flat & (block[0] == value)
    if not at_border(same):
        return None
    elsewhere = finite & ~same
    others = block[elsewhere]
    if not others.size:
        return None
    extreme = bool((others >= value).all() or (others <= value).all())
    equal = int((others == value).sum())
    return float(value) if extreme and equal * 10 <= int(same.sum()) * len(block) else None
