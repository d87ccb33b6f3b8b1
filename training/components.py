"""What networks for folded components are shown: crops of the latents of scenes at several steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.dct import FREQUENCIES
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.calibration.corpus import planned_latents
from bandfold.common.errors import SettingsError
from bandfold.common.scene import BLOCK

from .config import DataConfig
from .scenes import TrainingScene

RATES = (0.03, 0.05, 0.08, 0.13, 0.2, 0.32, 0.5, 0.8, 1.2)
"""Bits per sample, roughly, at which each scene is looked at."""

LARGEST = 2.0**20
"""Steps that latents are held to."""


def _transposed() -> NDArray[np.intp]:
    """Channel of frequency (j, i) for each channel (i, j)."""
    places = {tuple(pair): channel for channel, pair in enumerate(FREQUENCIES.tolist())}
    return np.array([places[j, i] for i, j in FREQUENCIES.tolist()], dtype=np.intp)


_TRANSPOSED = _transposed()
_ODD = 1.0 - 2.0 * (FREQUENCIES % 2).astype(np.float32)


class ComponentView:
    """Latents of folded scenes, rotated as the encoder rotates them, before they are quantised.

    A batch is one crop of one scene at one step, with all its components: contexts reach across components.

    Parameters
    ----------
    scenes : sequence of TrainingScene
        Must hold their counts.
    part : tuple of int
        Not used: one network serves all components.
    config : DataConfig
        Its ``crop`` counts pixels, a multiple of 8.

    Raises
    ------
    SettingsError
        If no scene has components, or the crop is no multiple of a block.
    """

    def __init__(self, scenes: Sequence[TrainingScene], part: tuple[int, ...], config: DataConfig) -> None:
        del part
        self._side, rest = divmod(config.crop, BLOCK)
        if rest:
            raise SettingsError(f"crop of {config.crop} pixels is no multiple of {BLOCK}: change it")
        self._latents = [
            latents
            for scene in scenes
            if scene.counts is not None
            for planned in planned_latents(scene.counts, {"folded": RATES})
            for latents in (
                np.clip(strip.astype(np.float32) / np.float32(FRACTION * planned.step), -LARGEST, LARGEST)
                for strip, _ in planned.strips()
            )
            if latents.size
        ]
        if not self._latents:
            raise SettingsError("no scene has components: give scenes of several bands")

    def draw(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw a batch (components, 64, rows, columns), in steps; smaller where a strip is."""
        latents = self._latents[int(rng.integers(len(self._latents)))]
        starts = [int(rng.integers(max(extent - self._side, 0) + 1)) for extent in latents.shape[2:]]
        rows, columns = (slice(start, start + self._side) for start in starts)
        return oriented(latents[:, :, rows, columns], int(rng.integers(8)))


def oriented(latents: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """Latents of planes that are turned and mirrored.

    Parameters
    ----------
    latents : ndarray, shape (components, 64, rows, columns)
    orientation : int
        Bit 0 turns lines upside down, bit 1 mirrors samples, bit 2 swaps both.

    Returns
    -------
    ndarray
        What the cosine transform of such planes gives.
    """
    for bit, axis in ((1, 0), (2, 1)):
        if orientation & bit:
            latents = np.flip(latents, axis=2 + axis) * _ODD[None, :, axis, None, None]
    if orientation & 4:
        latents = latents[:, _TRANSPOSED].swapaxes(2, 3)
    return np.ascontiguousarray(latents)
