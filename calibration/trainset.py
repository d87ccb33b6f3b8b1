"""One set of tables, trained on the latents of some scenes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.errors import SettingsError
from bandfold.bitstream.tables import CLASSES, MODES, Mode, Tables, tables_from_arrays

from .contexts_training import train_network
from .corpus import Latents
from .examples import Examples, draw_examples
from .integers import extended, integer_frequencies, integer_network
from .recount import Tally, quantise_strips, recount, tally
from .sidetables import side_tables

EXAMPLES = 50000
"""Examples drawn from a scene at one step."""

EFFORT = {"folded": 1.0, "banded": 0.5}
"""Share of the iterations that each mode is trained for."""

RECOUNTS = 2
"""Rounds of quantising with the new tables and counting again."""

_FIRST_POINTS = np.tile(np.array([10, 5, 3], dtype=np.int32), (CLASSES, 1))
"""Reconstruction points before any are counted, in 1/256 step."""

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Material:
    """Latents of a scene at one step, and what follows from them under the tables that training starts from.

    Parameters
    ----------
    latents : Latents
    examples : Examples
    start : Tally
    """

    latents: Latents
    examples: Examples
    start: Tally


def prepare(latents: Latents, start: Tables, seed: int, examples: int = EXAMPLES) -> Material:
    """Quantise latents with the tables that training starts from, and draw examples.

    Parameters
    ----------
    latents : Latents
    start : Tables
    seed : int
        The draw depends on it, and on the scene, but not on what else is in a set.
    examples : int
        Examples wanted.

    Returns
    -------
    Material
    """
    mode = start.modes[latents.mode]
    strips = quantise_strips(latents, mode)
    rng = np.random.default_rng(
        [seed, zlib.crc32(f"{latents.scene} {latents.mode} {latents.count}".encode())]
    )
    drawn = draw_examples([quantised for quantised, _ in strips], examples, rng)
    return Material(latents, drawn, tally(latents, strips, mode))


def train_tables(
    material: Sequence[Material],
    iterations: int,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Arrays:
    """Train tables.

    Parameters
    ----------
    material : sequence of Material
        Some of each mode.
    iterations : int
        Of training a network.
    seed : int
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    dict of str to ndarray
        As `bandfold.bitstream.tables.tables_from_arrays` takes it.

    Raises
    ------
    SettingsError
        If a mode has no material, or PyTorch is not installed.
    """
    report = progress or _silent
    arrays: Arrays = {"side_frequencies": side_tables()}
    for number, name in enumerate(MODES):
        chosen = [one for one in material if one.latents.mode == name]
        if not any(len(one.examples.tokens) for one in chosen):
            raise SettingsError(f"there are no {name} latents to train on: give more scenes")
        found = _train_mode(
            chosen,
            max(round(iterations * EFFORT[name]), 1),
            seed,
            lambda done, number=number: report((number + done) / len(MODES)),  # type: ignore[misc]
        )
        arrays.update({f"{name}_{part}": array for part, array in found.items()})
    tables_from_arrays(arrays)
    return arrays


def _train_mode(
    material: Sequence[Material], iterations: int, seed: int, report: Callable[[float], None]
) -> Arrays:
    """Train the network of a mode, then count its tables."""
    network = train_network(
        [one.examples for one in material], iterations, seed, lambda done: report(0.5 * done)
    )
    arrays: Arrays = dict(integer_network(network))
    arrays["frequencies"] = prior = integer_frequencies(extended(network.probabilities))
    arrays["points"] = _FIRST_POINTS
    for number in range(RECOUNTS):
        tallies = []
        mode = _mode(arrays)
        for place, one in enumerate(material):
            tallies.append(tally(one.latents, quantise_strips(one.latents, mode), mode))
            report(0.5 + (number + (place + 1) / len(material)) / (2 * RECOUNTS))
        arrays["frequencies"], arrays["points"] = recount(tallies, prior)
    return arrays


def _mode(arrays: Arrays) -> Mode:
    """Tables of one mode, by way of a whole file's worth of them."""
    whole = {f"{name}_{part}": array for name in MODES for part, array in arrays.items()}
    return tables_from_arrays({**whole, "side_frequencies": side_tables()}).modes[MODES[0]]


@dataclass(frozen=True)
class Cost:
    """What latents cost.

    Parameters
    ----------
    latents : int
    bits : float
        Per latent.
    error : float
        Squared, per latent, in steps squared.
    """

    latents: int
    bits: float
    error: float


def cost(tallies: Iterable[Tally], mode: Mode) -> Cost:
    """Add up what tallies cost with the tables of a mode.

    Parameters
    ----------
    tallies : iterable of Tally
        Made with these tables.
    mode : Mode

    Returns
    -------
    Cost
    """
    count, bits, error = 0, 0.0, 0.0
    for one in tallies:
        count += one.count
        bits += one.bits(mode)
        error += one.error
    return Cost(count, bits / max(count, 1), error / max(count, 1))


def cost_with(latents: Iterable[Latents], mode: Mode) -> Cost:
    """Quantise latents with the tables of a mode and add up what they cost.

    Parameters
    ----------
    latents : iterable of Latents
    mode : Mode

    Returns
    -------
    Cost
    """
    return cost((tally(one, quantise_strips(one, mode), mode) for one in latents), mode)


def _silent(done: float) -> None:
    """Report to nobody."""
