"""Bjøntegaard delta rate: how many bytes more or fewer a codec takes for the same error, over a range."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

Curve = Sequence[tuple[float, float]]
"""Points of a codec on a scene: (bits per sample, dB)."""


@dataclass(frozen=True)
class BdRate:
    """A Bjøntegaard delta rate and what it was taken over.

    Attributes
    ----------
    percent : float
        Mean difference of the rate at equal quality: -20 means a fifth fewer bytes than the anchor.
        NaN where the curves share no quality.
    low, high : float
        The shared range of quality in dB; NaN where there is none.
    coverage : float
        Which part of the anchor's quality over the asked rates that range is, 0 to 1. A figure with little
        coverage says little.
    reason : str
        Why there is no figure; empty where there is one.
    """

    percent: float
    low: float
    high: float
    coverage: float
    reason: str = ""


def bd_rate(anchor: Curve, test: Curve, rates: tuple[float, float] | None = None) -> BdRate:
    """Compare a codec with an anchor.

    The logarithm of the rate is interpolated over the quality by monotone piecewise cubics (PCHIP), which
    follow measured points without the overshoot of the single cubic polynomial of the first proposal.

    Parameters
    ----------
    anchor, test : sequence of (bits per sample, dB)
        At least two points each, in any order. A point that is no better than a cheaper one is left out.
    rates : (float, float), optional
        Count only the part of the anchor's curve between these two rates.

    Returns
    -------
    BdRate
        The figure, or the reason why there is none.
    """
    one, other = _usable(anchor), _usable(test)
    if len(one) < 2 or len(other) < 2:
        return _none(f"two points are needed on each curve, not {len(one)} and {len(other)}")
    low, high = float(one[0, 1]), float(one[-1, 1])
    if rates is not None:
        if not (one[0, 0] < rates[1] and one[-1, 0] > rates[0]):
            return _none(f"the anchor has no point pair between {rates[0]:g} and {rates[1]:g} bps")
        low, high = (_at(one, min(max(rate, one[0, 0]), one[-1, 0])) for rate in rates)
    shared_low, shared_high = max(low, float(other[0, 1])), min(high, float(other[-1, 1]))
    if shared_low >= shared_high:
        mine = f"{other[0, 1]:.2f} to {other[-1, 1]:.2f} dB"
        return _none(f"no shared quality: {low:.2f} to {high:.2f} dB against {mine}")
    areas = [
        float(PchipInterpolator(points[:, 1], np.log(points[:, 0])).integrate(shared_low, shared_high))
        for points in (one, other)
    ]
    width = shared_high - shared_low
    percent = 100 * float(np.expm1((areas[1] - areas[0]) / width))
    return BdRate(percent, shared_low, shared_high, width / (high - low))


def quality_at(curve: Curve, rate: float) -> float:
    """Quality of a codec at a rate between its measured points.

    Parameters
    ----------
    curve : sequence of (bits per sample, dB)
        At least two points, in any order.
    rate : float
        Bits per sample. Two percent outside of the measured range still count as its end, since codecs
        stay a little below the rate they are asked for.

    Returns
    -------
    float
        dB, interpolated over the logarithm of the rate; NaN outside the measured range.
    """
    points = _usable(curve)
    if len(points) < 2 or not points[0, 0] * 0.98 <= rate <= points[-1, 0] * 1.02:
        return float("nan")
    return _at(points, min(max(rate, points[0, 0]), points[-1, 0]))


def mean(figures: Iterable[float]) -> float:
    """Mean of what there is.

    Parameters
    ----------
    figures : iterable of float
        Delta rates, or differences in dB; NaN ones are left out.

    Returns
    -------
    float
        The arithmetic mean, NaN if nothing is left.
    """
    kept = [figure for figure in figures if not np.isnan(figure)]
    return float(np.mean(kept)) if kept else float("nan")


def _usable(curve: Curve) -> NDArray[np.float64]:
    kept: list[tuple[float, float]] = []
    for rate, quality in sorted(curve):
        if rate > 0 and np.isfinite(quality) and (not kept or quality > kept[-1][1]):
            # Of two points at one rate, the better one.
            if kept and kept[-1][0] == rate:
                kept.pop()
            kept.append((rate, quality))
    return np.array(kept, dtype=np.float64).reshape(-1, 2)


def _at(points: NDArray[np.float64], rate: float) -> float:
    return float(PchipInterpolator(np.log(points[:, 0]), points[:, 1])(np.log(rate)))


def _none(reason: str) -> BdRate:
    nan = float("nan")
    return BdRate(nan, nan, nan, 0.0, reason)
