"""What models of predicted bands are trained on: what prediction leaves of bands, and its latents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.segments.predicted_codec import LATENT_UNIT, PredictedCodec
from bandfold.bitstream.transforms.lapped_synthesis import SUPPORT
from bandfold.common.scene import BLOCK, SceneSource, block_rows, strips
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.prediction.band_importance import WatchedBand
from bandfold.onboard.prediction.innovation_network import InnovationNetwork
from bandfold.onboard.prediction.predicted_coder import PredictedStripCoder
from bandfold.onboard.prediction.predicted_planner import PredictedPlanner
from bandfold.onboard.samples.samples import Samples
from bandfold.onboard.strip_height import strip_height

from .corpus import Half, Latents, compact

RATES = (0.01, 0.03, 0.08, 0.2, 0.5, 1.0, 2.0)
"""Bits per sample, roughly, at which a scene is looked at."""

LARGEST = 60.0
"""Steps at which patches are cut: beyond them costs grow too slowly to matter."""

MODE = "banded"


@dataclass(frozen=True)
class Innovations:
    """What prediction leaves of a scene at one step.

    Parameters
    ----------
    scene : str
        Name of the scene.
    patches : ndarray of float16, shape (n, 24, 24)
        Drawn from all bands, in steps: a block of 8 x 8 samples and what surrounds it.
    classes : ndarray of uint8, shape (n, 64)
        Contexts of the latents of each block.
    latents : Latents
        Of all bands in the order of coding.
    """

    scene: str
    patches: NDArray[np.float16]
    classes: NDArray[np.uint8]
    latents: Latents


def innovations_of(
    scene: str,
    source: SceneSource,
    codec: PredictedCodec,
    rates: Sequence[float],
    patches: int,
    seed: int,
) -> Iterator[Innovations]:
    """Code a scene with a model at several steps, and keep what its network is shown and gives.

    Parameters
    ----------
    scene : str
        Name to remember.
    source : SceneSource
        Integer samples without gaps.
    codec : PredictedCodec
        The model.
    rates : sequence of float
        Bits per sample, roughly.
    patches : int
        Wanted at each step.
    seed : int
        The same seed draws the same patches.

    Yields
    ------
    Innovations
        One for each step; a step that was used already is left out.
    """
    samples = Samples.of(source)
    planner = PredictedPlanner(sample_blocks(samples))
    network = InnovationNetwork(codec)
    tables = codec.tables(load_tables())
    rng = np.random.default_rng(seed)
    steps = {max(planner.step_for_bits(rate * samples.info.count), 1.0) for rate in rates}
    for step in sorted(steps, reverse=True):
        coder = PredictedStripCoder(planner.plan(step).fold, network, tables)
        drawn: list[NDArray[np.float16]] = []
        contexts: list[NDArray[np.uint8]] = []
        kept: list[Half] = []
        heights = strips(samples.info.lines, strip_height(samples.info, predicted=True))
        for index, lines in enumerate(heights):
            positions = block_rows(lines.stop - lines.start), block_rows(samples.info.samples)
            wanted = -(-patches // (len(heights) * samples.info.bands))
            latents = np.empty((samples.info.bands, BLOCK * BLOCK, *positions))

            def watch(
                number: int,
                band: WatchedBand,
                latents: NDArray[np.float64] = latents,
                drawn: list[NDArray[np.float16]] = drawn,
                contexts: list[NDArray[np.uint8]] = contexts,
                wanted: int = wanted,
            ) -> None:
                latents[number] = band.latents / LATENT_UNIT
                rows, columns = latents.shape[2:]
                places = rng.integers(0, rows * columns, wanted)
                drawn.append(_patches(band.left, places))
                contexts.append(band.classes.reshape(BLOCK * BLOCK, -1)[:, places].T)

            coder.watch = watch
            coder.code(coder.analyse(samples, lines), SegmentHeader(index), step, errors=False)
            kept.append(compact(latents))
        latents_of_all = Latents(scene, MODE, tuple(kept))
        yield Innovations(scene, np.concatenate(drawn), np.concatenate(contexts), latents_of_all)


def _patches(plane: NDArray[Any], places: NDArray[np.int64]) -> NDArray[np.float16]:
    """Patches around blocks; beyond the edges planes are mirrored."""
    around = np.clip(np.pad(plane, BLOCK, mode="symmetric"), -LARGEST, LARGEST).astype(np.float16)
    windows = np.lib.stride_tricks.sliding_window_view(around, (SUPPORT, SUPPORT))[::BLOCK, ::BLOCK]
    rows, columns = np.divmod(places, windows.shape[1])
    patches: NDArray[np.float16] = windows[rows, columns]
    return patches
