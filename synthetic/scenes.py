"""A scene made up from a seed: as large as wanted, and free to hand around."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SettingsError
from bandfold.common.scene import SceneInfo

from .landscape import make_landscape
from .spectra import atmosphere, modulations, reflectances, wavelengths

_TILE_LINES = 32
"""Noise is drawn for this many lines at once, whatever block is asked for."""

_READ_NOISE = 1.0
_SHOT_NOISE = 0.012
"""Variance of the noise in counts squared: read noise squared, plus this share of the signal."""

_LANDSCAPE, _DEAD, _GAIN, _NOISE = range(4)
"""What a stream of chance is for: each has its own seed."""


class SyntheticScene:
    """Radiance of a made-up landscape as an imaging spectrometer like AVIRIS would record it.

    Twelve materials under hills, fields, towns and water are lit, seen through an atmosphere and recorded
    with column gains, shot and read noise (signal-to-noise ratio about 100-500 outside the bands where water
    vapour leaves nothing) and, from 32 bands on, two dead bands. The same seed gives the same samples,
    whatever blocks they are read in. Memory goes with lines * samples, not with bands.

    Parameters
    ----------
    lines, samples, bands : int
        Geometry, each at least 1.
    seed : int
        Not negative.

    Raises
    ------
    SceneError
        If a dimension is below 1.
    SettingsError
        If the seed is negative.
    """

    def __init__(self, lines: int = 512, samples: int = 680, bands: int = 224, seed: int = 0) -> None:
        if seed < 0:
            raise SettingsError(f"seed {seed} is negative: give 0 or more")
        self._seed = seed
        self._centres = wavelengths(bands) if bands > 0 else np.zeros(0)
        self._dead = self._find_dead(bands)
        self._info = SceneInfo(bands, lines, samples, np.dtype("uint16"), metadata=self._metadata())
        self._land = make_landscape(lines, samples, self._rng(_LANDSCAPE))
        self._reflectances = reflectances(self._centres).astype(np.float32)
        self._modulations = modulations(self._centres).astype(np.float32)
        self._air = atmosphere(self._centres)
        # Smooth across the columns and, slowly turning, across the bands.
        self._phases = self._rng(_GAIN).uniform(0, 2 * np.pi, 3)

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata (wavelengths, FWHM, bad band list, ...)."""
        return self._info

    def read(self, bands: slice, lines: slice) -> NDArray[np.uint16]:
        """Make a block.

        Parameters
        ----------
        bands, lines : slice
            Half-open ranges with explicit bounds inside the scene and no step.

        Returns
        -------
        ndarray of uint16, shape (bands, lines, samples)
            Radiance in counts.
        """
        block = np.empty((bands.stop - bands.start, lines.stop - lines.start, self._info.samples), np.uint16)
        for plane, band in zip(block, range(bands.start, bands.stop), strict=True):
            plane[...] = self._plane(band, lines)
        return block

    def _plane(self, band: int, lines: slice) -> NDArray[Any]:
        if band in self._dead:
            return np.full((), self._dead[band])
        radiance = self._radiance(band, lines) * self._column_gain(band)
        spread = np.sqrt(np.float32(_READ_NOISE**2) + np.float32(_SHOT_NOISE) * radiance)
        return np.asarray(np.clip(np.rint(radiance + spread * self._noise(band, lines)), 0, 65535))

    def _radiance(self, band: int, lines: slice) -> NDArray[np.float32]:
        """Return the signal without noise.

        Products are summed one by one: the last bits of a matrix product depend on its shape.
        """
        land = self._land
        surface = np.zeros(land.light[lines].shape, np.float32)
        for share, reflectance in zip(land.cover, self._reflectances[:, band], strict=True):
            surface += share[lines] * reflectance
        change = np.ones_like(surface)
        for amount, effect in zip(land.changes, self._modulations[:, band], strict=True):
            change += amount[lines] * effect
        surface *= np.maximum(change, np.float32(0.1)) * land.light[lines]
        # exp(-depth) to the second order: plain products are the same for every shape of block.
        depth = np.float32(min(self._air.vapour[band], 2.0)) * land.vapour[lines]
        surface *= np.float32(self._air.gain[band]) * (1 - depth + np.float32(0.5) * depth * depth)
        surface += np.float32(self._air.path[band])
        return surface

    def _column_gain(self, band: int) -> NDArray[np.float32]:
        column = np.arange(self._info.samples) / self._info.samples
        turn = 3 * band / self._info.bands
        smooth = sum(
            np.sin(2 * np.pi * (order + 1) * column + phase + turn * (order + 1))
            for order, phase in enumerate(self._phases)
        )
        rough = self._rng(_GAIN, band).standard_normal(self._info.samples)
        return np.asarray(1 + 0.0007 * smooth + 0.0004 * rough, np.float32)

    def _noise(self, band: int, lines: slice) -> NDArray[np.float32]:
        first = lines.start // _TILE_LINES
        last = -(-lines.stop // _TILE_LINES)
        shape = (_TILE_LINES, self._info.samples)
        tiles = [
            self._rng(_NOISE, band, tile).standard_normal(shape, np.float32) for tile in range(first, last)
        ]
        offset = first * _TILE_LINES
        return np.concatenate(tiles)[lines.start - offset : lines.stop - offset]

    def _find_dead(self, bands: int) -> dict[int, int]:
        """Return two dead bands and the constant that each of them shows."""
        if bands < 32:
            return {}
        first, second = self._rng(_DEAD).choice(bands, 2, replace=False)
        return {int(first): 0, int(second): 50}

    def _metadata(self) -> dict[str, str | tuple[str, ...]]:
        bands = self._centres.size
        width = 1.05 * 2100 / max(bands - 1, 1)
        shown = (
            [str(int(np.abs(self._centres - centre).argmin()) + 1) for centre in (650, 550, 460)]
            if bands
            else []
        )
        return {
            "description": f"Synthetic scene, seed {self._seed}: made up, shows no real place",
            "sensor type": "synthetic",
            "default bands": tuple(shown),
            "wavelength units": "Nanometers",
            "wavelength": tuple(f"{centre:.2f}" for centre in self._centres),
            "fwhm": (f"{width:.2f}",) * bands,
            "bbl": tuple("0" if band in self._dead else "1" for band in range(bands)),
        }

    def _rng(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, *purpose])
