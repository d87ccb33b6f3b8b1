"""Quality: what rounding to integers does to an error, and PSNR."""

from __future__ import annotations

import math

import numpy as np

from bandfold.onboard.settings import PEAK

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
    return float(np.interp(mse, _BEFORE, _AFTER)) if mse < _BEFORE[-1] else mse + 1.0 / 12


def psnr_of(mse: float) -> float:
    """Quality of a mean squared error, for people: not the same bits on every machine.

    Parameters
    ----------
    mse : float
        In counts squared.

    Returns
    -------
    float
        In dB; infinite where there is no error.
    """
    return math.inf if mse <= 0 else 10 * math.log10(PEAK * PEAK / mse)
