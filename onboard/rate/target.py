"""What an encoding aims at: a rate, a number of bytes, a quality or a step; exactly one of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bandfold.common.errors import SettingsError

from .step_search import LARGEST_STEP, SMALLEST_STEP

PEAK = 65535.0
"""Peak of PSNR, in counts, whatever the type of the samples."""


@dataclass(frozen=True)
class Target:
    """One target; the other fields are None.

    Parameters
    ----------
    bps : float, optional
        Bits per sample, all bytes of the stream counted.
    nbytes : int, optional
        Bytes of the stream.
    psnr : float, optional
        In dB, peak 65535 counts, squared error pooled over the whole scene.
    step : float, optional
        Quantiser step in counts.

    Raises
    ------
    SettingsError
        If not exactly one is given or it is out of range.
    """

    bps: float | None = None
    nbytes: int | None = None
    psnr: float | None = None
    step: float | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) != 1:
            named = ", ".join(given) or "none"
            raise SettingsError(f"give exactly one of bps, nbytes, psnr and step ({named} given)")
        name, value = next(iter(given.items()))
        if not (math.isfinite(value) and value > 0):
            raise SettingsError(f"{name} {value} is out of range: give a finite number above 0")
        if self.step is not None and not SMALLEST_STEP <= self.step <= LARGEST_STEP:
            raise SettingsError(
                f"step {self.step} is out of range: give {SMALLEST_STEP} to {LARGEST_STEP} counts"
            )
        if self.psnr is not None and self.psnr > 140:
            raise SettingsError(
                f"psnr {self.psnr} is out of range: 16-bit samples differ by less than one count beyond 96 dB"
            )

    def budget(self, count: int) -> int:
        """Bytes that the stream of `count` samples may have; the target must be a rate."""
        if self.nbytes is not None:
            return int(self.nbytes)
        if self.bps is None:
            raise ValueError("the target is no rate")
        return int(self.bps * count / 8)

    @property
    def mse(self) -> float | None:
        """Mean squared error to meet, in counts squared, None if the target is no quality."""
        # Powers by libm differ in the last bit between machines, but steps are cut to 1/256 of a count.
        return None if self.psnr is None else PEAK * PEAK / 10.0 ** (self.psnr / 10.0)


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
