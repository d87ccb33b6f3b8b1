"""A landscape seen from above: what covers each pixel, how it is lit and what the air above it holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .spectra import MATERIALS

Plane = NDArray[np.float32]

_NATURAL = ("crop", "conifer", "dry grass", "loam", "iron soil", "kaolinite", "calcite")
_ROOFS = ("concrete", "brick roof", "painted roof")


@dataclass(frozen=True)
class Landscape:
    """Maps of a scene.

    Attributes
    ----------
    cover : ndarray of float32, shape (materials, lines, samples)
        Share of each of the `bandfold.synthetic.spectra.MATERIALS`; sums to 1.
    light : ndarray of float32, shape (lines, samples)
        Sunlight on the ground: terrain and texture; about 1.
    changes : ndarray of float32, shape (3, lines, samples)
        Moisture, grain size and pigment, in standard deviations.
    vapour : ndarray of float32, shape (lines, samples)
        Relative change of the water vapour above.
    """

    cover: NDArray[np.float32]
    light: Plane
    changes: NDArray[np.float32]
    vapour: Plane


def make_landscape(lines: int, samples: int, rng: np.random.Generator) -> Landscape:
    """Make hills with natural cover, fields, towns, roads and water.

    Parameters
    ----------
    lines, samples : int
        Geometry, each at least 1.
    rng : numpy.random.Generator
        Where all chance comes from.

    Returns
    -------
    Landscape
        The maps.
    """
    height = fractal(lines, samples, 3.4, rng)
    cover = _natural(lines, samples, rng)
    _settle(cover, height < 0.3, rng)
    _flood(cover, height, rng)
    _blur(cover)
    # The sun stands in the upper left; flat land has gentle relief.
    slope = (height - np.roll(height, 1, 0)) + (height - np.roll(height, 1, 1))
    relief = np.where(height < 0.3, 0.15, 1.0) * slope / max(float(slope.std()), 1e-6)
    texture = fractal(lines, samples, 1.2, rng)
    light = np.clip(1 + 0.12 * relief + 0.04 * texture, 0.15, 2)
    changes = np.stack([fractal(lines, samples, 2.0, rng) for _ in range(3)])
    vapour = 0.04 * fractal(lines, samples, 3.6, rng) - 0.03 * height
    return Landscape(
        cover,
        light.astype(np.float32),
        np.clip(changes, -3, 3),
        np.clip(vapour, -0.2, 0.2).astype(np.float32),
    )


def fractal(lines: int, samples: int, exponent: float, rng: np.random.Generator) -> Plane:
    """Make a random surface with a power spectrum of ``frequency ** -exponent``.

    Parameters
    ----------
    lines, samples : int
        Geometry, each at least 1.
    exponent : float
        1 is rough, 4 is smooth.
    rng : numpy.random.Generator
        Where the chance comes from.

    Returns
    -------
    ndarray of float32, shape (lines, samples)
        Mean 0, standard deviation 1 (0 for a single sample).
    """
    frequency = np.hypot(np.fft.fftfreq(lines)[:, None], np.fft.rfftfreq(samples))
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((lines, samples))) * frequency ** (-exponent / 2)
    surface = np.fft.irfft2(spectrum, (lines, samples))
    spread = float(surface.std())
    return (surface / spread if spread > 0 else surface * 0).astype(np.float32)


def _natural(lines: int, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Mix plants, soils and rocks without sharp edges."""
    cover = np.zeros((len(MATERIALS), lines, samples), np.float32)
    for name in _NATURAL:
        affinity = fractal(lines, samples, 2.2, rng) + 0.15 * fractal(lines, samples, 1.0, rng)
        rarity = -1.0 if name in ("kaolinite", "calcite") else 0.0
        cover[MATERIALS.index(name)] = np.exp(1.6 * affinity + rarity)
    cover /= cover.sum(axis=0)
    return cover


def _settle(cover: NDArray[np.float32], flat: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Lay out fields, towns and roads on flat land."""
    _, lines, samples = cover.shape
    for top, bottom, left, right in _parcels(lines, samples, rng):
        kind = rng.choice(4, p=(0.45, 0.15, 0.15, 0.25))
        parcel = cover[:, top:bottom, left:right]
        if kind == 0:
            mixture = np.broadcast_to(_field(rng)[:, None, None], parcel.shape)
        elif kind == 1:
            mixture = _town(parcel.shape, rng)
        else:
            # Left as it is. The chance is drawn all the same.
            mixture = parcel.copy()
        if kind < 3:
            # A road along the upper and left edge.
            mixture = mixture.copy()
            road = _pure("asphalt", 0.8) + _pure("loam", 0.2)
            mixture[:, 0] = road[:, None]
            mixture[:, :, 0] = road[:, None]
        parcel[:] = np.where(flat[top:bottom, left:right], mixture, parcel)


def _parcels(lines: int, samples: int, rng: np.random.Generator) -> list[tuple[int, int, int, int]]:
    """Split the scene into rectangles of very different sizes: (top, bottom, left, right)."""
    parcels, rest = [], [(0, lines, 0, samples)]
    while rest:
        top, bottom, left, right = rest.pop()
        size, tall = max(bottom - top, right - left), bottom - top > right - left
        if size < 12 or (size < 60 and rng.random() < 0.3):
            parcels.append((top, bottom, left, right))
            continue
        cut = int(size * rng.uniform(0.3, 0.7))
        if tall:
            rest += [(top, top + cut, left, right), (top + cut, bottom, left, right)]
        else:
            rest += [(top, bottom, left, left + cut), (top, bottom, left + cut, right)]
    return parcels


def _pure(name: str, share: float = 1.0) -> NDArray[np.float32]:
    mixture = np.zeros(len(MATERIALS), np.float32)
    mixture[MATERIALS.index(name)] = share
    return mixture


def _field(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the cover of a field: one plant, one soil, more or less grown."""
    grown = rng.uniform(0.02, 0.98)
    plant = str(rng.choice(("crop", "dry grass")))
    soil = str(rng.choice(("loam", "iron soil")))
    return _pure(plant, grown) + _pure(soil, 1 - grown)


def _town(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the cover of a town: roofs in rows, streets, gardens."""
    materials, lines, samples = shape
    town = np.empty((materials, lines, samples), np.float32)
    town[:] = (_pure("asphalt", 0.5) + _pure("crop", 0.3) + _pure("concrete", 0.2))[:, None, None]
    pitch = int(rng.integers(5, 12))
    for top in range(2, lines, pitch):
        for left in range(2, samples, pitch):
            depth, width = rng.integers(2, pitch - 1, 2)
            roof = _pure(str(rng.choice(_ROOFS)), 0.95) + _pure("asphalt", 0.05)
            town[:, top : top + depth, left : left + width] = roof[:, None, None]
    return town


def _flood(cover: NDArray[np.float32], height: Plane, rng: np.random.Generator) -> None:
    """Fill the lowest land with water, up to a sharp shore."""
    level = float(np.quantile(height, rng.uniform(0.03, 0.15)))
    # Strictly below: a scene of one pixel stays dry.
    water = _pure("water", 0.97) + _pure("loam", 0.03)
    cover[:, height < level] = water[:, None]


def _blur(cover: NDArray[np.float32]) -> None:
    """Blur by the optics of the sensor, so that pixels on an edge are mixed."""
    for plane in cover:
        for axis in (0, 1):
            padded = np.pad(plane, [(1, 1) if axis == other else (0, 0) for other in (0, 1)], mode="edge")
            size = plane.shape[axis]
            before, here, after = (padded.take(range(first, first + size), axis) for first in range(3))
            plane[:] = 0.2 * before + 0.6 * here + 0.2 * after
