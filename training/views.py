"""What a network is shown: batches drawn from scenes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SettingsError

from .config import DataConfig
from .crops import draw_crop
from .training_scenes import TrainingScene


class View(Protocol):
    """Draws batches."""

    def draw(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw a batch.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of chance: in the same state it gives the same batch.

        Returns
        -------
        ndarray of float32, shape (n, channels, lines, samples)
            What the network measures.
        """


GAIN_OCTAVES = 0.4
"""Contrasts of single crops differ by up to so much from what was drawn, either way: sensors differ too."""


class BandView:
    """Single bands of some spectral intervals, in units of a step that is one for the whole scene.

    One step for all bands is what makes the pooled error least (a band that varies little gets few bits);
    dividing each band by a deviation of its own would spend bits where nothing is to see.

    Parameters
    ----------
    scenes : sequence of TrainingScene
        To draw from.
    part : tuple of int
        Numbers of the intervals, from 1.
    config : DataConfig
        Its ``crop`` and ``batch`` are the shape of a batch, its ``contrast`` the range of steps.

    Raises
    ------
    SettingsError
        If no scene has a band there that varies.
    """

    def __init__(self, scenes: Sequence[TrainingScene], part: tuple[int, ...], config: DataConfig) -> None:
        self._config = config
        self._planes: list[tuple[NDArray[np.float32], float]] = []
        for scene in scenes:
            starts, stops = (0, *scene.ends[:-1]), scene.ends
            bands = [
                band
                for number in part
                if number <= len(stops)
                for band in range(starts[number - 1], stops[number - 1])
                if np.ptp(scene.planes[band]) > 0
            ]
            if bands:
                self._planes.append((scene.planes[bands], scene.deviation))
        if not self._planes:
            raise SettingsError(f"no scene has bands in interval {', '.join(map(str, part))}")
        # Large scenes are drawn more often, but not as much more often as they are larger.
        weights = np.sqrt([float(planes[0].size) for planes, _ in self._planes])
        self._chances = weights / weights.sum()

    def draw(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw a batch of crops; see `View.draw`.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        ndarray of float32, shape (batch, 1, crop, crop)
            In steps.
        """
        return np.stack([self._one(rng) for _ in range(self._config.batch)])[:, None]

    def _one(self, rng: np.random.Generator) -> NDArray[np.float32]:
        planes, deviation = self._planes[int(rng.choice(len(self._planes), p=self._chances))]
        crop = draw_crop(planes[int(rng.integers(len(planes)))], self._config.crop, rng)
        low, high = np.log2(self._config.contrast)
        octaves = rng.uniform(low, high) + rng.uniform(-GAIN_OCTAVES, GAIN_OCTAVES)
        return crop * np.float32(2.0**octaves / deviation)
