"""Quality: what rounding to integers does to an error, and PSNR."""

from __future__ import annotations

import math
from bisect import bisect_right

TOLD_MISS = 0.07
"""Octaves of squared error (0.2 dB) by which a quality is missed before it is told."""

_BEFORE = (0.0, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25)
_AFTER = (0.0, 0.0004, 0.0039, 0.0253, 0.0679, 0.1139, 0.1967, 0.2651, 0.3254)


def rounded_error(mse: float) -> float:
    """Mean squared error after samples are rounded to integers.

    Parameters
    ----------
    mse : float
        Before rounding, in counts squared.

    Returns
    -------
    float
        That of a Gaussian error: ``mse + 1/12`` from 0.25 on, much less below, where most become exact.
    """
    if not mse < _BEFORE[-1]:
        return mse + 1.0 / 12
    # One operation after the other: what interpolates in NumPy may fuse them.
    place = max(bisect_right(_BEFORE, mse) - 1, 0)
    slope = (_AFTER[place + 1] - _AFTER[place]) / (_BEFORE[place + 1] - _BEFORE[place])
    return slope * (max(mse, 0.0) - _BEFORE[place]) + _AFTER[place]


def rounding_doubt(wanted: float, rounding: float, peak: float, scale: float) -> str:
    """Say whether counts are too coarse for a quality.

    Parameters
    ----------
    wanted : float
        Mean squared error that is asked for, in counts squared.
    rounding : float
        That of the samples as counts.
    peak, scale : float
        As for `quality_text`.

    Returns
    -------
    str
        What is wrong if it is; else empty.
    """
    if wanted > rounding or not rounding:
        return ""
    texts = [quality_text(mse, peak, scale) for mse in (wanted, rounding)]
    return (
        f"quality of {texts[0]} is out of reach: samples are rounded to counts, which alone gives "
        f"{texts[1]}; ask for less, or for --lossless"
    )


def quality_text(mse: float, peak: float, scale: float) -> str:
    """Quality of a mean squared error, for people: not the same bits on every machine.

    Parameters
    ----------
    mse : float
        In counts squared.
    peak : float
        What PSNR refers to, in counts.
    scale : float
        Value of one count.

    Returns
    -------
    str
        PSNR, and the root of the mean squared error in the unit of the samples.
    """
    psnr = math.inf if mse <= 0 else 10 * math.log10(peak * peak / mse)
    return f"{psnr:.2f} dB (RMSE {math.sqrt(mse) * abs(scale):.4g})"
