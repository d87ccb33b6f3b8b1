"""The range of the values of a scene: what is ordinary, what lies far outside, and what marks absent data.

Whoever spreads counts over the least and the greatest value of a scene lets a single bad sample decide. Here
quartiles decide (J. W. Tukey, Exploratory Data Analysis, 1977, who calls what lies some times their distance
outside *far out*): up to a quarter of a band may be bad. It is found from a part of the lines, so that memory
is bounded and a large scene is not read twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import BLOCK, SceneSource

SAMPLES_SEEN = 1 << 22
"""Samples that are looked at, about."""

GROUPS = 16
"""Groups of lines that are looked at, at least, if the scene has as many."""

REACH = 32.0
"""Distances of the quartiles within which values are ordinary, however rare they are."""

RARE = 1e-3
"""Share of a band up to which values outside that reach are outliers. It reaches further for more of them."""

FEW = 8
"""Values of a band up to which they are outliers, however large their share is."""

LARGEST_REACH = 4096.0
"""Distances of the quartiles beyond which values are outliers, however frequent they are."""

WILD = 64.0
"""A band whose values reach so many times as far as those of most bands has a range of its own."""


@dataclass(frozen=True)
class ValueRange:
    """Where the ordinary values of a scene lie.

    Parameters
    ----------
    low, high : ndarray of float64, shape (bands,)
        Least and greatest ordinary value of each band; NaN where it has none.
    spread : ndarray of float64, shape (bands,)
        Distance of the quartiles of each band; NaN where it has no values.
    wild : ndarray of bool, shape (bands,)
        Bands whose values are of another order than those of most bands: mostly bad ones.
    integral : bool
        Whether all ordinary values are whole numbers.
    complete : bool
        Whether all samples were looked at.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    spread: NDArray[np.float64]
    wild: NDArray[np.bool_]
    integral: bool
    complete: bool

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Least and greatest ordinary value of all bands that are not wild; None if there are no values."""
        tame = ~self.wild & ~np.isnan(self.low)
        return (float(self.low[tame].min()), float(self.high[tame].max())) if tame.any() else None


def sampled_lines(source: SceneSource) -> tuple[NDArray[Any], bool]:
    """Read samples that stand for a scene.

    Parameters
    ----------
    source : SceneSource
        The scene.

    Returns
    -------
    block : ndarray, shape (bands, lines, samples)
        All samples of a small scene; of a large one groups of lines at even distances, and every so many-th
        sample if lines are long.
    complete : bool
        Whether these are all samples.
    """
    info = source.info
    everything = slice(0, info.bands)
    if info.count <= SAMPLES_SEEN:
        return source.read(everything, slice(0, info.lines)), True
    group = info.bands * info.samples * BLOCK
    count = min(max(SAMPLES_SEEN // group, GROUPS), -(-info.lines // BLOCK))
    stride = max(-(-group * count // SAMPLES_SEEN), 1)
    taken = []
    for number in range(count):
        # The first and the last lines are among them: borders are where fill values are.
        start = number * max(info.lines - BLOCK, 0) // max(count - 1, 1)
        block = source.read(everything, slice(start, min(start + BLOCK, info.lines)))
        taken.append(block[:, :, number % stride :: stride] if stride < info.samples else block[:, :, :1])
    width = min(one.shape[2] for one in taken)
    return np.concatenate([one[:, :, :width] for one in taken], axis=1), False


def value_range(block: NDArray[Any], counted: NDArray[np.bool_], *, complete: bool = True) -> ValueRange:
    """Find where ordinary values lie.

    Parameters
    ----------
    block : ndarray, shape (bands, lines, samples)
        Samples.
    counted : ndarray of bool, same shape
        Which of them count: absent samples and fill values do not. Neither does what is not finite.
    complete : bool
        Whether these are all samples of the scene.

    Returns
    -------
    ValueRange
    """
    bands = len(block)
    low, high, middle, spread = (np.full(bands, np.nan) for _ in range(4))
    integral = True
    for band, (plane, mask) in enumerate(zip(block, counted, strict=True)):
        values = np.sort(plane[mask & np.isfinite(plane)].astype(np.float64))
        if not values.size:
            continue
        first, last = _ordinary(values)
        low[band], high[band] = values[first], values[last - 1]
        lower, middle[band], upper = values[[len(values) // 4, len(values) // 2, (3 * len(values)) // 4]]
        spread[band] = float(upper) - float(lower)
        inside = values[first:last]
        integral = integral and bool((inside == np.rint(inside)).all())
    return ValueRange(low, high, spread, _wild(low, high, middle), integral, complete)


def _ordinary(values: NDArray[np.float64]) -> tuple[int, int]:
    """Which of some sorted values are ordinary: a range of their numbers."""
    count = len(values)
    lower, upper = float(values[count // 4]), float(values[(3 * count) // 4])
    width = upper - lower
    if width == 0:
        return _beside_constant(values, lower)
    first, last = _within(values, lower, upper, REACH * width)
    outside = count - (last - first)
    if outside > max(FEW, RARE * count) and math.isfinite(width):
        reach = min(REACH * outside / (RARE * count), LARGEST_REACH)
        first, last = _within(values, lower, upper, reach * width)
    return first, last


def _beside_constant(values: NDArray[np.float64], constant: float) -> tuple[int, int]:
    """The same where half of the values are equal: the others count if they are many, by their own range."""
    first, last = (int(np.searchsorted(values, constant, side)) for side in ("left", "right"))
    others = np.concatenate([values[:first], values[last:]])
    if len(others) <= max(FEW, RARE * len(values)):
        return first, last
    start, stop = _ordinary(others)
    low, high = min(others[start], constant), max(others[stop - 1], constant)
    return int(np.searchsorted(values, low, "left")), int(np.searchsorted(values, high, "right"))


def _within(values: NDArray[np.float64], lower: float, upper: float, reach: float) -> tuple[int, int]:
    return (
        int(np.searchsorted(values, lower - reach, "left")),
        int(np.searchsorted(values, upper + reach, "right")),
    )


def _wild(
    low: NDArray[np.float64], high: NDArray[np.float64], middle: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Bands whose values reach much further from the middle of the scene than those of most bands."""
    known = ~np.isnan(low)
    wild = np.zeros(len(low), np.bool_)
    if not known.any():
        return wild
    centre = float(np.median(middle[known]))
    with np.errstate(over="ignore", invalid="ignore"):
        reach = np.maximum(high - centre, centre - low)
        usual = float(np.median(reach[known]))
        if usual > 0:
            wild[known] = ~(reach[known] <= WILD * usual)
    return wild
