"""Ranges of activations: which values a quantised network has to tell apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SettingsError

BINS = 4096
"""Bins of a histogram; even, so that it can double its width."""

OUTLIERS = 1e-4
"""Share of the values that the percentile method leaves outside."""

HEADROOM = 1.5
"""Range of the headroom method over what was seen."""

LEVELS = 256
"""Values of an 8-bit integer."""

_CANDIDATES = 96
"""Ranges that the entropy method compares."""


class Observer:
    """Histogram of a tensor, without keeping its values.

    It covers a range that is symmetric about 0 and doubles whenever a value falls outside.
    """

    def __init__(self) -> None:
        self.low = self.high = 0.0
        self.counts: NDArray[np.int64] = np.zeros(BINS, np.int64)
        self.limit = 0.0

    def add(self, values: NDArray[np.floating]) -> None:
        """Count values.

        Parameters
        ----------
        values : ndarray
            Finite.
        """
        flat = values.ravel()
        if not flat.size:
            return
        low, high = float(flat.min()), float(flat.max())
        self.low, self.high = min(self.low, low), max(self.high, high)
        largest = max(-low, high)
        if largest > 0 and self.limit == 0.0:
            self.limit = 2.0 ** math.ceil(math.log2(largest))
        while largest > self.limit:
            self._double()
        # Zeros alone have no range yet; a bin for them there is.
        limit = self.limit or 1.0
        self.counts += np.histogram(flat, BINS, (-limit, limit))[0]

    def _double(self) -> None:
        pairs = self.counts.reshape(-1, 2).sum(axis=1)
        self.counts = np.zeros(BINS, np.int64)
        self.counts[BINS // 4 : BINS // 4 + len(pairs)] = pairs
        self.limit *= 2

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edges of the bins, one more than there are bins."""
        return np.linspace(-self.limit, self.limit, BINS + 1)


Range = tuple[float, float]
"""Lowest and highest value; 0 lies between or on them."""


def minmax(observer: Observer) -> Range:
    """Take all that was seen.

    Parameters
    ----------
    observer : Observer
        Has seen the values of the tensor.

    Returns
    -------
    tuple of float
        Lowest and highest value; 0 lies between or on them.
    """
    return observer.low, observer.high


def headroom(observer: Observer) -> Range:
    """Take all that was seen, and half as much again: scenes may be brighter than those of the calibration.

    Parameters
    ----------
    observer : Observer
        Has seen the values of the tensor.

    Returns
    -------
    tuple of float
        Lowest and highest value; 0 lies between or on them.
    """
    return HEADROOM * observer.low, HEADROOM * observer.high


def percentile(observer: Observer) -> Range:
    """Take what was seen but for `OUTLIERS`, half of them at either end; all of them where one end is 0.

    Parameters
    ----------
    observer : Observer
        Has seen the values of the tensor.

    Returns
    -------
    tuple of float
        Lowest and highest value; 0 lies between or on them.
    """
    share = observer.counts.cumsum() / max(int(observer.counts.sum()), 1)
    one_sided = observer.low == 0.0 or observer.high == 0.0
    tail = OUTLIERS if one_sided else OUTLIERS / 2
    edges = observer.edges
    low = float(edges[np.searchsorted(share, tail, side="right")])
    high = float(edges[min(int(np.searchsorted(share, 1 - tail)) + 1, BINS)])
    return max(min(low, 0.0), observer.low), min(max(high, 0.0), observer.high)


def entropy(observer: Observer) -> Range:
    """Take the range whose quantised histogram has the least divergence from the observed one.

    The method that TensorRT made known (Migacz, "8-bit inference with TensorRT", GTC 2017): values beyond
    the range count as its ends. It needs many values: the noise of sparse bins looks like a loss.

    Parameters
    ----------
    observer : Observer
        Has seen the values of the tensor.

    Returns
    -------
    tuple of float
        Lowest and highest value; 0 lies between or on them.
    """
    if observer.limit == 0.0:
        return minmax(observer)
    counts, width = observer.counts, 2 * observer.limit / BINS
    middle = BINS // 2
    best, found = math.inf, minmax(observer)
    for reach in np.unique(np.geomspace(LEVELS // 2, middle, _CANDIDATES).astype(int)).tolist():
        low, high = max(observer.low, -reach * width), min(observer.high, reach * width)
        first, last = middle + math.floor(low / width), middle + math.ceil(high / width)
        first, last = max(first, 0), min(last, BINS)
        if last - first < 2:
            continue
        divergence = _divergence(counts, first, last)
        if divergence < best:
            best, found = divergence, (low, high)
    return found


def _divergence(counts: NDArray[np.int64], first: int, last: int) -> float:
    """Kullback-Leibler divergence of a histogram cut to some bins from the same in `LEVELS` levels."""
    inside = counts[first:last].astype(np.float64)
    clipped = inside.copy()
    clipped[0] += counts[:first].sum()
    clipped[-1] += counts[last:].sum()
    level = np.arange(len(inside)) * LEVELS // max(len(inside), LEVELS)
    sums = np.bincount(level, inside, minlength=LEVELS)
    filled = np.bincount(level, inside > 0, minlength=LEVELS)
    # The mass of a level is spread over those of its bins that hold something.
    spread = np.divide(sums, filled, out=np.zeros(LEVELS), where=filled > 0)[level] * (inside > 0)
    p, q = clipped / clipped.sum(), spread / max(float(spread.sum()), 1.0)
    held = p > 0
    # A bin that only holds what was clipped has no mass in the other: a floor keeps the sum finite.
    return float((p[held] * np.log(p[held] / np.maximum(q[held], 1e-12))).sum())


METHODS: Mapping[str, Callable[[Observer], Range]] = {
    "headroom": headroom,
    "minmax": minmax,
    "percentile": percentile,
    "entropy": entropy,
}
"""Ways to choose a range, by name."""


def choose_range(observer: Observer, method: str) -> Range:
    """Choose the range of a tensor.

    Parameters
    ----------
    observer : Observer
        Has seen the values of the tensor.
    method : str
        Key of `METHODS`.

    Returns
    -------
    tuple of float
        Lowest and highest value, with 0 between or on them; never the same.

    Raises
    ------
    SettingsError
        If there is no such method.
    """
    if method not in METHODS:
        raise SettingsError(f"calibration method {method!r} is unknown: use one of {', '.join(METHODS)}")
    low, high = METHODS[method](observer)
    return (low, high) if low < high else (0.0, 1.0)
