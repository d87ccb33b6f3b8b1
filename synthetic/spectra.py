"""Reflectances, sunlight and atmosphere from 400 to 2500 nm, as smooth curves of plausible shape.

The curves are sums of steps and Gaussian bands at the places where real materials and gases absorb. They are
no measurements: good enough to exercise a codec, not to interpret.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]

MATERIALS = (
    "crop",
    "conifer",
    "dry grass",
    "loam",
    "iron soil",
    "kaolinite",
    "calcite",
    "water",
    "asphalt",
    "concrete",
    "brick roof",
    "painted roof",
)
"""Order of the rows of `reflectances`."""


@dataclass(frozen=True)
class Atmosphere:
    """What lies between the sun, the ground and the sensor.

    Attributes
    ----------
    gain : ndarray, shape (bands,)
        Radiance of a white surface in counts, mean water vapour.
    path : ndarray, shape (bands,)
        Radiance scattered into the sensor by the air itself, in counts.
    vapour : ndarray, shape (bands,)
        Optical depth of the mean water vapour.
    """

    gain: Curve
    path: Curve
    vapour: Curve


def wavelengths(bands: int) -> Curve:
    """Return the band centres in nanometres, evenly over 400-2500 nm (the middle for a single band).

    Parameters
    ----------
    bands : int
        Number of bands, at least 1.

    Returns
    -------
    ndarray of float64, shape (bands,)
        Increasing.
    """
    return np.linspace(400, 2500, bands) if bands > 1 else np.array([1450.0])


def reflectances(centres: Curve) -> NDArray[np.float64]:
    """Return the reflectance of each of the `MATERIALS`.

    Parameters
    ----------
    centres : ndarray, shape (bands,)
        Wavelengths in nanometres.

    Returns
    -------
    ndarray of float64, shape (materials, bands)
        Between 0 and 1.
    """
    w = centres
    leaf_water = np.exp(-(0.1 * _dip(w, 975, 25) + 0.2 * _dip(w, 1190, 40) + _dip(w, 1450, 60)))
    leaf_water *= np.exp(-(1.5 * _dip(w, 1940, 80) + 0.9 * _rise(w, 2500, 180)))
    plateau = _rise(w, 715, 12) * (1 - 0.35 * _rise(w, 1700, 350))
    crop = 0.03 + 0.06 * _dip(w, 552, 32) + 0.47 * plateau * leaf_water
    conifer = 0.02 + 0.025 * _dip(w, 555, 35) + 0.24 * plateau * leaf_water**1.4
    ramp = 1 - np.exp(-(w - 330) / 450)
    cellulose = 1 - 0.14 * _dip(w, 2100, 45) - 0.12 * _dip(w, 2310, 40) - 0.1 * _dip(w, 1730, 25)
    moist = (1 - 0.10 * _dip(w, 1415, 25)) * (1 - 0.22 * _dip(w, 1915, 40))
    iron = (1 - 0.3 * _dip(w, 480, 70)) * (1 - 0.22 * _dip(w, 870, 90)) * _rise(w, 560, 35)
    clay = (1 - 0.15 * _dip(w, 1400, 10)) * (1 - 0.18 * _dip(w, 2165, 9) - 0.34 * _dip(w, 2207, 11))
    paint = (1 - 0.25 * _dip(w, 1725, 18)) * (1 - 0.3 * _dip(w, 2310, 22)) * (1 - 0.1 * _dip(w, 1190, 20))
    curves = (
        crop,
        conifer,
        0.05 + 0.42 * ramp * cellulose * moist,
        0.03 + 0.38 * ramp**1.5 * moist * (1 - 0.1 * _dip(w, 2205, 20)),
        0.04 + 0.36 * (0.15 + 0.85 * iron) * ramp * moist * (1 - 0.07 * _dip(w, 2205, 22)),
        0.25 + 0.45 * ramp * clay * moist,
        0.2 + 0.4 * ramp * moist * (1 - 0.3 * _dip(w, 2340, 22) - 0.08 * _dip(w, 2160, 16)),
        0.002 + 0.05 * np.exp(-np.square((w - 520) / 110)) + 0.015 * (1 - _rise(w, 700, 25)),
        0.06 + 0.08 * ramp * (1 - 0.06 * _dip(w, 2310, 30)),
        0.12 + 0.24 * ramp**0.6 * (1 - 0.08 * _dip(w, 1930, 50)) * (1 - 0.07 * _dip(w, 2340, 25)),
        0.05 + 0.35 * _rise(w, 590, 25) * (1 - 0.1 * _dip(w, 870, 80)) * moist,
        0.08 + 0.2 * _dip(w, 460, 60) + 0.25 * _rise(w, 850, 60) * paint,
    )
    return np.asarray(np.clip(np.stack(curves), 0, 1), np.float64)


def modulations(centres: Curve) -> NDArray[np.float64]:
    """Return how a reflectance changes, relatively, with moisture, grain size and pigment.

    Parameters
    ----------
    centres : ndarray, shape (bands,)
        Wavelengths in nanometres.

    Returns
    -------
    ndarray of float64, shape (3, bands)
        Relative change for one standard deviation of each.
    """
    w = centres
    moisture = 0.03 + 0.05 * _dip(w, 1450, 90) + 0.08 * _dip(w, 1940, 110) + 0.04 * _rise(w, 2100, 200)
    grain = 0.04 * (w - 1450) / 1050
    pigment = 0.05 * _dip(w, 480, 60) + 0.06 * _dip(w, 670, 30)
    return np.stack((-moisture, grain, -pigment))


def atmosphere(centres: Curve) -> Atmosphere:
    """Return sunlight, transmission and scattering, in counts of a sensor like AVIRIS.

    Parameters
    ----------
    centres : ndarray, shape (bands,)
        Wavelengths in nanometres.

    Returns
    -------
    Atmosphere
        Each curve of shape ``(bands,)``.
    """
    w = centres
    micrometres = w / 1000
    # Planck's law at 5800 K, 1 at its peak.
    sun = 0.6535 / (micrometres**5 * np.expm1(14388 / (5800 * micrometres))) / 4.26 * 21.2
    sun *= 1 - 0.15 * _dip(w, 430, 4) - 0.1 * _dip(w, 486, 4) - 0.08 * _dip(w, 656, 4)
    vapour = 0.06 * _dip(w, 720, 10) + 0.08 * _dip(w, 820, 12) + 0.75 * _dip(w, 940, 20)
    vapour += 0.95 * _dip(w, 1135, 25) + 6.5 * _dip(w, 1385, 38) + 7.5 * _dip(w, 1870, 48)
    vapour += 1.2 * _rise(w, 2520, 30)
    gases = 0.9 * _dip(w, 761, 4) + 0.12 * _dip(w, 688, 4) + 0.05 * _dip(w, 600, 60)
    gases += 0.45 * _dip(w, 2010, 14) + 0.25 * _dip(w, 2060, 12) + 0.12 * _dip(w, 1600, 12)
    rayleigh = 0.12 * (w / 550) ** -4.0
    haze = 0.08 * (w / 550) ** -1.2
    transmission = np.exp(-(vapour + gases + 0.6 * rayleigh + 0.5 * haze))
    peak = 15000.0
    path = 0.25 * peak * sun * (rayleigh + 0.5 * haze) * np.exp(-0.4 * (vapour + gases))
    return Atmosphere(peak * sun * transmission, path, vapour)


def _dip(wavelength: Curve, centre: float, width: float) -> Curve:
    """Return a Gaussian band of height 1."""
    return np.asarray(np.exp(-0.5 * np.square((wavelength - centre) / width)), np.float64)


def _rise(wavelength: Curve, centre: float, width: float) -> Curve:
    """Return a smooth step from 0 to 1."""
    return np.asarray(0.5 + 0.5 * np.tanh((wavelength - centre) / width), np.float64)
