"""Figures of the distortion of a scene: MSE, PSNR, SNR, spectral angle, by band, interval and pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PEAK = 65535.0
"""Peak of the PSNR of integers of 8 and 16 bits."""


@dataclass(frozen=True)
class Distortion:
    """The distortion of a scene over some bands; samples without data do not count.

    Parameters
    ----------
    first_band, last_band : int
        Half-open range of bands.
    count : int
        Number of samples with data. Without any, the other figures are NaN.
    mse : float
        Mean of the squared errors, pooled over all samples.
    peak, variance : float
        Largest absolute value and variance of the reference, over all samples.
    max_error : float
        Largest absolute error.
    sam : (float, float)
        Spectral angle between the spectra of a pixel, in degrees: mean and largest over the pixels. Two zero
        spectra are at 0 degrees, a zero spectrum and another one at 90.
    full_scale : float
        What PSNR refers to: 65535 or, of floats and 32-bit integers, the range of the ordinary values of the
        reference.
    outliers : (int, int)
        Samples of the reference that are not ordinary, and how many of them are not the same in the other
        scene. The others do not count in the figures; nor do those of bands of another order of values.
    """

    first_band: int
    last_band: int
    count: int
    mse: float
    peak: float
    variance: float
    max_error: float
    sam: tuple[float, float]
    full_scale: float = PEAK
    outliers: tuple[int, int] = (0, 0)

    @property
    def psnr(self) -> float:
        """``10 log10(full_scale**2 / mse)`` in dB; infinite for equal scenes."""
        return _decibels(self.full_scale**2, self.mse)

    @property
    def psnr_data_peak(self) -> float:
        """The PSNR with the largest absolute value of the reference as the peak, in dB."""
        return _decibels(self.peak**2, self.mse)

    @property
    def snr(self) -> float:
        """Variance of the reference over the MSE, in dB."""
        return _decibels(self.variance, self.mse)

    @property
    def mean_sam(self) -> float:
        """Mean spectral angle over the pixels, in degrees."""
        return self.sam[0]

    @property
    def max_sam(self) -> float:
        """Largest spectral angle of a pixel, in degrees."""
        return self.sam[1]

    def to_dict(self) -> dict[str, float | int | None]:
        """Return the figures for JSON: None stands for what is infinite or, without samples, not a number."""
        names = ("mse", "psnr", "psnr_data_peak", "snr", "max_error", "mean_sam", "max_sam")
        counts = {"first_band": self.first_band, "last_band": self.last_band, "count": self.count}
        outliers = {"outliers": self.outliers[0], "changed_outliers": self.outliers[1]}
        figures = {name: _finite(getattr(self, name)) for name in names}
        return {**counts, **figures, "peak": self.full_scale, **outliers}


@dataclass(frozen=True)
class Comparison:
    """The distortion of a scene against a reference.

    Parameters
    ----------
    whole : Distortion
        Over all bands.
    intervals : tuple of Distortion
        Over the bands of each interval.
    band_mse : tuple of float
        MSE of each band; NaN for a band without data.
    sam_map : ndarray of float32, shape (lines, samples)
        Spectral angle of each pixel over all bands, in degrees; NaN where it has no data.
    rmse_map : ndarray of float32, shape (lines, samples)
        Root of the mean squared error of each pixel over all bands; NaN where it has no data.
    """

    whole: Distortion
    intervals: tuple[Distortion, ...]
    band_mse: tuple[float, ...]
    sam_map: NDArray[np.float32]
    rmse_map: NDArray[np.float32]

    @property
    def band_psnr(self) -> tuple[float, ...]:
        """PSNR of each band in dB."""
        return tuple(_decibels(self.whole.full_scale**2, mse) for mse in self.band_mse)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON, without the maps; None stands for what is not finite."""
        return {
            "whole": self.whole.to_dict(),
            "intervals": [interval.to_dict() for interval in self.intervals],
            "band_mse": [_finite(mse) for mse in self.band_mse],
        }


def _decibels(power: float, mse: float) -> float:
    if math.isnan(mse):
        return math.nan
    if mse == 0:
        return math.inf
    return 10 * math.log10(power / mse) if power > 0 else -math.inf


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
