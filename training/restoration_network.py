"""The restoration network of the ground, and what it is shown: latents of scenes as the decoder has them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bandfold.bitstream.contexts.tables import DEPENDENT_TABLES, SHIPPED_TABLES, Mode, load_tables
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.calibration.corpus import planned_latents
from bandfold.common.errors import SettingsError
from bandfold.common.scene import SceneSource
from bandfold.ground.restoration.bilateral_filter import FilterKernel
from bandfold.ground.restoration.latent_bins import BIN_ABOVE
from bandfold.ground.restoration.latent_features import FeatureExtractor, feature_count
from bandfold.ground.synthesis.decoded_latents import DecodedLatents
from bandfold.ground.synthesis.inverse_transforms import dequantise
from bandfold.onboard.quantisation.rdoq import quantise

from .config import DataConfig
from .training_scenes import TrainingScene

WINDOWS = (
    FilterKernel(0.5, 0.0),
    FilterKernel(4.0, 0.0),
    FilterKernel(32.0, 0.0),
    FilterKernel(256.0, 0.0),
    FilterKernel(4.0, 2.0),
    FilterKernel(64.0, 2.0),
    FilterKernel(0.0, 1.0),
)
"""Averages that the network weighs: from pixels that are all but the same to a mere blur."""

RATES = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 2.0)
"""Bits per sample, roughly, at which each scene is looked at."""

SAMPLED = 20000
"""Latents taken of a scene at one rate."""

HIDDEN_UNITS = 48
FACTS = feature_count(len(WINDOWS))
TOLD = FACTS + len(WINDOWS) + 2
"""Values of a sampled latent: facts, suggestions, sign, and the error to be removed."""


class Restoration(nn.Module):
    """Weighs suggestions, latent by latent.

    Parameters
    ----------
    hidden : int
        Units of both hidden layers.
    """

    def __init__(self, hidden: int = HIDDEN_UNITS) -> None:
        super().__init__()
        last = nn.Conv2d(hidden, len(WINDOWS) + 1, 1)
        # No correction to begin with.
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.get_parameter("bias"))
        self.layers = nn.Sequential(
            nn.Conv2d(FACTS, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, hidden, 1), nn.ReLU(), last
        )

    def forward(self, told: Tensor) -> Tensor:
        """Give gains from what is known of latents.

        Parameters
        ----------
        told : Tensor, shape (n, FACTS, height, width)
            Facts; see `bandfold.ground.restoration.evidence.Witness.facts`.

        Returns
        -------
        Tensor, shape (n, windows + 1, height, width)
            Gain of each suggestion, and of the sign.
        """
        gains: Tensor = self.layers(told)
        return gains

    def measure(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Correct a batch; what it costs and how wrong it then is.

        Parameters
        ----------
        batch : Tensor, shape (n, TOLD, 1, 1)
            As `RestorationView` draws it.

        Returns
        -------
        rate, error : Tensor
            0 bits; mean squared error that is left, in steps squared.
        """
        told, suggestions, sign, missing = torch.split(batch, [FACTS, len(WINDOWS), 1, 1], dim=1)
        gains = self(told)
        change = (gains[:, :-1] * suggestions).sum(dim=1, keepdim=True) + gains[:, -1:] * sign
        # The bin will hold it anyway.
        change = change.clamp(-BIN_ABOVE, BIN_ABOVE)
        return torch.zeros(()), torch.mean((missing - change) ** 2)

    def refresh(self) -> None:
        """Nothing follows from the weights."""


class RestorationView:
    """Latents of scenes at several rates, with what the decoder knows of them.

    Every scene and rate is drawn alike, however many latents it has.

    Parameters
    ----------
    scenes : sequence of TrainingScene
        Must hold their counts.
    part : tuple of int
        Not used: one network serves all components.
    config : DataConfig
        Its ``batch`` counts latents.

    Raises
    ------
    SettingsError
        If no scene has components to restore.
    """

    def __init__(self, scenes: Sequence[TrainingScene], part: tuple[int, ...], config: DataConfig) -> None:
        del part
        self._batch = config.batch
        modes = [load_tables(path).modes["folded"] for path in (SHIPPED_TABLES, DEPENDENT_TABLES)]
        self._sources = [
            values
            for scene in scenes
            if scene.counts is not None
            for values in sampled_latents(scene.name, scene.counts, modes)
        ]
        if not self._sources:
            raise SettingsError("no scene has components to restore: give scenes of several bands")

    def draw(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw a batch.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        ndarray of float32, shape (batch, TOLD, 1, 1)
            Facts, suggestions, sign and missing error of each latent.
        """
        chosen = np.sort(rng.integers(len(self._sources), size=self._batch))
        rows = [
            values[rng.integers(len(values), size=count)]
            for values, count in zip(
                self._sources, np.bincount(chosen, minlength=len(self._sources)), strict=True
            )
            if count
        ]
        return np.concatenate(rows).astype(np.float32)[:, :, None, None]


def sampled_latents(name: str, source: SceneSource, modes: Sequence[Mode]) -> list[NDArray[np.float16]]:
    """Draw latents of a scene at `RATES` by chance.

    Parameters
    ----------
    name : str
        The draw depends on it.
    source : SceneSource
        Integer samples without gaps.
    modes : sequence of Mode
        Statistics to quantise with: those of uniform scalar quantisation, or of trellis-coded quantisation.

    Returns
    -------
    list of ndarray, each of shape (n, TOLD)
        One for each rate that has components, and mode.
    """
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    found = []
    for planned in planned_latents(source, {"folded": RATES}):
        strips = list(planned.strips())
        total = sum(latents.size for latents, _ in strips)
        if not total:
            continue
        for mode in modes:
            rows = []
            for latents, chosen in strips:
                rotations = planned.plan.bases[0].rotations
                decoded, missing = _strip(latents, chosen, rotations, planned.step, mode)
                rows.append(_sample(decoded, missing, mode, min(SAMPLED / total, 1.0), rng))
            found.append(np.concatenate(rows))
    return found


def _strip(
    latents: NDArray[np.int32],
    chosen: NDArray[np.uint8] | None,
    rotations: tuple[Vectors, ...],
    step: float,
    mode: Mode,
) -> tuple[DecodedLatents, NDArray[np.float32]]:
    """Quantise a strip as the encoder does; what the decoder gets, and what it then lacks."""
    quantised, classes = quantise(latents, step, mode)
    points = dequantise(Segment(quantised, classes), mode).astype(np.float32)
    wanted = latents.swapaxes(0, 1) / (FRACTION * step)
    decoded = DecodedLatents(quantised, classes, mode.points, chosen, rotations)
    return decoded, (wanted - points).astype(np.float32)


def _sample(
    decoded: DecodedLatents,
    missing: NDArray[np.float32],
    mode: Mode,
    share: float,
    rng: np.random.Generator,
) -> NDArray[np.float16]:
    """Latents of a strip with what is known of them: shape (n, TOLD)."""
    extractor = FeatureExtractor(decoded, WINDOWS, mode)
    blocks = slice(0, extractor.blocks.count)
    candidates = extractor.candidates(blocks)
    rows = []
    for component in range(decoded.quantised.shape[1]):
        told = extractor.features(candidates, blocks, component).reshape(FACTS, -1)
        suggestions = candidates.of(component).reshape(len(WINDOWS), -1)
        signs = np.sign(decoded.quantised[:, component]).reshape(1, -1)
        taken = np.flatnonzero(rng.random(told.shape[1]) < share)
        whole = (told, suggestions, signs, missing[:, component].reshape(1, -1))
        rows.append(np.concatenate([part[:, taken] for part in whole]).T.astype(np.float16))
    return np.concatenate(rows)
