"""What an encoding aims at: a rate, a size, a quality or a quantiser step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.common.errors import SettingsError

SMALLEST_STEP, LARGEST_STEP = 1.0 / 16, 1 << 20
"""Range of quantiser steps, in counts."""

HIGHEST_PSNR = 140.0
"""In dB; 16-bit samples differ by less than one count beyond 96 dB."""

_LARGEST_RMSE = 1e150
"""Counts whose square is still a number."""

_MOST_BITS = 64.0
"""Bits per sample that are worth asking for: more would only overflow."""


@dataclass(frozen=True)
class Target:
    """What an encoding aims at: a rate, a size, a quality or a step. The other fields are None.

    Parameters
    ----------
    bps : float, optional
        Bits per sample, all bytes of the stream counted.
    nbytes : int, optional
        Bytes of the stream.
    psnr : float, optional
        In dB, squared error pooled over the whole scene; the peak is 65535 counts or, of floats and 32-bit
        integers, the range of their ordinary values.
    step : float, optional
        Quantiser step in counts.
    rmse : float, optional
        Root of the mean squared error, in the unit of the samples.

    Raises
    ------
    SettingsError
        If not exactly one is given or it is out of range.
    """

    bps: float | None = None
    nbytes: int | None = None
    psnr: float | None = None
    step: float | None = None
    rmse: float | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) != 1:
            named = ", ".join(given) or "none"
            raise SettingsError(f"give exactly one of bps, nbytes, psnr, rmse and step ({named} given)")
        name, value = next(iter(given.items()))
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise SettingsError(f"{name} {value!r} is no number: give a finite one above 0") from error
        if not (math.isfinite(number) and number > 0):
            raise SettingsError(f"{name} {value} is out of range: give a finite number above 0")
        if name != "nbytes":
            # Scalars of NumPy compute in a precision of their own.
            object.__setattr__(self, name, number)
        if self.step is not None and not SMALLEST_STEP <= self.step <= LARGEST_STEP:
            raise SettingsError(
                f"step {self.step} is out of range: give {SMALLEST_STEP} to {LARGEST_STEP} counts"
            )
        if self.psnr is not None and self.psnr > HIGHEST_PSNR:
            raise SettingsError(
                f"psnr {self.psnr} is out of range: 16-bit samples differ by less than one count beyond 96 dB"
            )

    def budget(self, count: int) -> int:
        """Bytes that a stream may have.

        Parameters
        ----------
        count : int
            Samples of the scene.

        Returns
        -------
        int

        Raises
        ------
        ValueError
            If the target is neither a rate nor a size.
        """
        if self.nbytes is not None:
            return int(self.nbytes)
        if self.bps is None:
            raise ValueError("the target is no rate")
        return int(min(self.bps, _MOST_BITS) * count / 8)

    @property
    def is_quality(self) -> bool:
        """Whether the target is a quality."""
        return self.psnr is not None or self.rmse is not None

    def mse(self, peak: float, scale: float = 1.0) -> float | None:
        """Mean squared error to meet.

        Parameters
        ----------
        peak : float
            What PSNR refers to, in counts.
        scale : float
            Value of one count.

        Returns
        -------
        float or None
            In counts squared; None if the target is no quality.
        """
        # Powers by libm differ in the last bit between machines, but steps are cut to 1/256 of a count.
        if self.psnr is not None:
            return float(peak * peak / 10.0 ** (self.psnr / 10.0))
        return None if self.rmse is None else min(self.rmse / scale, _LARGEST_RMSE) ** 2


def step_code(step: float, doublings: int = 0) -> int:
    """Code of the nearest step that can be written.

    Parameters
    ----------
    step : float
        Quantiser step in counts; what is out of range is cut to it.
    doublings : int
        It is for a strip whose counts are worth ``2**doublings`` of these.

    Returns
    -------
    int
        In units of ``1 / STEP_UNIT`` of a count.
    """
    largest = (LARGEST_STEP * STEP_UNIT) << doublings
    return int(min(max(round(step * STEP_UNIT), SMALLEST_STEP * STEP_UNIT), largest))
