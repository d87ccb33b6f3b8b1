"""Fill values of a scene and of its single bands: what was found, and which samples hold it.

Values that mark absent data may differ from band to band, as where a fill was multiplied by the gain of each.
One value for all bands is looked for first (`bandfold.common.values.fill_values`), then one for each band: a
number that stands alone among the values of its band, or the spectrum that all pixels at a border share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .fill_values import (
    BORDER_SHARE,
    LEAST_BANDS,
    VALUES_SORTED,
    FillValue,
    at_border,
    find_fill_values,
    no_data_mask,
    same_value,
    stands_alone,
)

_LEAST_SORTED = 1 << 12
"""Values of a band that are sorted, at least."""

_CANDIDATES = 3
_ORDINARY = 0.01, 0.99
_EXTREME_SHARE = 0.9
"""Share of the bands in which a spectrum of fill values is the least or the greatest one."""

_TOLD = 3


@dataclass(frozen=True)
class FoundFills:
    """Values that mark absent data although nobody declared them.

    Parameters
    ----------
    values : tuple of FillValue
        Those of all bands, the most frequent first.
    bands : tuple of (int, float)
        Bands that have another one, in rising order, and their values: those that lie so far outside of all
        others that they would take their precision.
    """

    values: tuple[FillValue, ...] = ()
    bands: tuple[tuple[int, float], ...] = ()

    @staticmethod
    def of(block: NDArray[Any], present: NDArray[np.bool_]) -> FoundFills:
        """Find them.

        Parameters
        ----------
        block : ndarray, shape (bands, lines, samples)
            Samples that stand for a scene.
        present : ndarray of bool, same shape
            False for samples that are known to be absent.

        Returns
        -------
        FoundFills
        """
        known = FoundFills(find_fill_values(block, present))
        spectrum = _border_spectrum(block, present, known)
        left = present & ~known.mask(block)
        own: list[tuple[int, float]] = []
        for band, (plane, mask) in enumerate(zip(block, left, strict=True)):
            if spectrum is None:
                value = _alone(plane, mask & np.isfinite(plane), len(block))
            else:
                value = float(spectrum[band])
            if value is not None and not any(same_value(value, one.value) for one in known.values):
                own.append((band, value))
        if own:
            low, high = _reach(block, left & ~FoundFills((), tuple(own)).mask(block))
            own = [(band, value) for band, value in own if not low <= value <= high]
        return FoundFills(known.values, tuple(own))

    def of_band(self, band: int) -> tuple[float, ...]:
        """All values that mark absent data in a band."""
        return (*(one.value for one in self.values), *(value for own, value in self.bands if own == band))

    def mask(self, block: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which samples hold one of them.

        Parameters
        ----------
        block : ndarray, shape (bands, lines, samples)
            All bands of some lines.

        Returns
        -------
        ndarray of bool, same shape
        """
        found = np.zeros(block.shape, np.bool_)
        for one in self.values:
            found |= no_data_mask(block, one.value)
        for band, value in self.bands:
            found[band] |= no_data_mask(block[band], value)
        return found

    def texts(self) -> list[str]:
        """What was found, in words."""
        told = [str(one) for one in self.values]
        if self.bands:
            shown = ", ".join(f"{value:.9g} in band {band}" for band, value in self.bands[:_TOLD])
            more = f" and others in {len(self.bands) - _TOLD} bands" if len(self.bands) > _TOLD else ""
            told.append(shown + more)
        return told


def _reach(block: NDArray[Any], others: NDArray[np.bool_]) -> tuple[float, float]:
    """Between which values a fill value takes no precision from others: it costs least as a sample."""
    values = block[others & np.isfinite(block)]
    if not values.size:
        return math.inf, -math.inf
    values = values[:: max(len(values) // VALUES_SORTED, 1)]
    low, high = (float(one) for one in np.quantile(values.astype(np.float64), _ORDINARY))
    # Halves: their distance may exceed the type.
    return low - (high / 2 - low / 2), high + (high / 2 - low / 2)


def _alone(plane: NDArray[Any], mask: NDArray[np.bool_], bands: int) -> float | None:
    """The value of a band that is repeated and lies far from all others; None if there is none."""
    values = plane[mask]
    values = values[:: max(len(values) // max(VALUES_SORTED // bands, _LEAST_SORTED), 1)]
    numbers, counts = np.unique(values.astype(np.float64), return_counts=True)
    for place in np.argsort(-counts, kind="stable")[:_CANDIDATES].tolist():
        if counts[place] > 1 and stands_alone(numbers, counts, place):
            return float(numbers[place])
    return None


def _border_spectrum(
    block: NDArray[Any], present: NDArray[np.bool_], known: FoundFills
) -> NDArray[np.float64] | None:
    """The spectrum that many pixels share, at a border too, if it lies outside of the others in its bands."""
    if len(block) < LEAST_BANDS:
        return None
    edge = np.zeros(block.shape[1:], np.bool_)
    edge[[0, -1]], edge[:, [0, -1]] = True, True
    places = np.flatnonzero(edge & present.all(axis=0))
    if not places.size:
        return None
    _, first, counts = np.unique(block[0].reshape(-1)[places], return_index=True, return_counts=True)
    for number in np.argsort(-counts, kind="stable")[:_CANDIDATES].tolist():
        line, sample = np.unravel_index(int(places[first[number]]), edge.shape)
        spectrum = block[:, line, sample].reshape(-1, 1, 1)
        if known.mask(spectrum).all():
            continue
        same = _shared(block, present, spectrum)
        if same is not None and _extremes(block, present & ~same, spectrum) >= _EXTREME_SHARE * len(block):
            return spectrum.reshape(-1).astype(np.float64)
    return None


def _shared(
    block: NDArray[Any], present: NDArray[np.bool_], spectrum: NDArray[Any]
) -> NDArray[np.bool_] | None:
    """Pixels that have a spectrum, NaN being equal to itself; None if they are few or none is at a border."""
    same = np.ones(block.shape[1:], np.bool_)
    for value, plane, mask in zip(spectrum, block, present, strict=True):
        same &= mask & no_data_mask(plane, float(value[0, 0]))
        if same.mean() < BORDER_SHARE:
            return None
    return same if at_border(same) else None


def _extremes(block: NDArray[Any], others: NDArray[np.bool_], spectrum: NDArray[Any]) -> int:
    """Bands in which all others are above a value, or all below, or the value is none."""
    found = 0
    for plane, mask, value in zip(block, others, spectrum, strict=True):
        values = plane[mask & np.isfinite(plane)]
        apart = values.size and ((values > value).all() or (values < value).all())
        found += bool(apart or not np.isfinite(value).all())
    return found
