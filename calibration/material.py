"""What tables are trained on: latents of scenes at several steps, quantised, and examples drawn from them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bandfold.bitstream.contexts.tables import Mode, Tables
from bandfold.programs.progress import Progress

from .corpus import Latents, open_scene, scene_latents
from .examples import Examples, draw_examples
from .folds import SceneFile
from .recount import Tally, quantise_strips, tally

EXAMPLES = 50000
"""Examples drawn from a scene at one step."""


@dataclass(frozen=True)
class Material:
    """Latents of a scene at one step, and what follows from them under the tables that training starts from.

    Parameters
    ----------
    latents : Latents
        Of a scene at one step.
    examples : Examples
        Drawn from the quantised latents.
    start : Tally
        What was counted on the quantised latents.
    mode : Mode
        Of the tables that training starts from.
    """

    latents: Latents
    examples: Examples
    start: Tally
    mode: Mode


def prepare(latents: Latents, start: Tables, seed: int, examples: int = EXAMPLES) -> Material:
    """Quantise latents with the tables that training starts from, and draw examples.

    Parameters
    ----------
    latents : Latents
        Of a scene at one step.
    start : Tables
        Quantise the latents.
    seed : int
        The draw depends on it, and on the scene, but not on what else is in a set.
    examples : int
        Examples wanted.

    Returns
    -------
    Material
        What training needs of them.
    """
    mode = start.modes[latents.mode]
    strips = quantise_strips(latents, mode)
    rng = np.random.default_rng(
        [seed, zlib.crc32(f"{latents.scene} {latents.mode} {latents.count}".encode())]
    )
    drawn = draw_examples([quantised for quantised, _ in strips], examples, rng, mode.dependent)
    return Material(latents, drawn, tally(latents, strips, mode), mode)


def gather(
    scenes: Sequence[SceneFile],
    rates: Mapping[str, tuple[float, ...]],
    start: Tables,
    seed: int,
    progress: Progress,
    change: Callable[[Latents], Latents] = lambda latents: latents,
) -> tuple[list[Material], dict[str, int]]:
    """Read scenes, and make latents and examples of them.

    Parameters
    ----------
    scenes : sequence of SceneFile
        Scenes to train on.
    rates : mapping of str to tuple of float
        Of each mode; see `bandfold.calibration.corpus.RATES`.
    start : Tables
        Quantise the latents.
    seed : int
        As for `prepare`.
    progress : callable
        Called with a stage and the fraction of it that is done.
    change : callable
        What is done to the latents of a scene at a step before they are quantised.

    Returns
    -------
    material : list of Material
        For each scene, mode and step.
    sizes : dict of str to int
        Samples of each scene.
    """
    material: list[Material] = []
    sizes: dict[str, int] = {}
    for number, scene in enumerate(scenes):
        progress(f"read {scene.name}", number / len(scenes))
        source = open_scene(scene.path)
        sizes[scene.name] = source.info.count
        found = scene_latents(scene.name, source, rates)
        material.extend(prepare(change(latents), start, seed) for latents in found)
    return material, sizes
