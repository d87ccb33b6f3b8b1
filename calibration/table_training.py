"""One set of entropy tables, trained on the latents of some scenes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import CLASSES, MODES, Mode, mode_from_arrays, tables_from_arrays
from bandfold.common.atomic_files import atomic_output
from bandfold.common.errors import BandfoldError, SettingsError

from .context_training import train_network
from .costs import cost
from .integer_tables import extended, integer_frequencies, integer_network
from .material import Material
from .recount import POINT_UNIT, Tally, quantise_strips, recount, tally
from .side_tables import side_tables

EFFORT = {"folded": 1.0, "banded": 0.5}
"""Share of the iterations that each mode is trained for."""

RECOUNTS = 2
"""Rounds of quantising with the new tables and counting again."""

GAUGED = 500_000
"""Examples, about, that tell the ranges of hidden units."""

FIRST_POINTS = np.array([10, 5, 3], dtype=np.int32)
"""Reconstruction points before any are counted, in ``1 / POINT_UNIT`` step below their levels."""

WORTHLESS = 0.05
"""Share of bits that tables may cost beyond those that training starts from."""

TRIAL = 1000
"""Iterations below which tables may cost whatever they do: few are for trials."""

Arrays = dict[str, NDArray[Any]]


def train_tables(
    material: Sequence[Material],
    iterations: int,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> Arrays:
    """Train tables.

    Parameters
    ----------
    material : sequence of Material
        Some of each mode.
    iterations : int
        Of training a network.
    seed : int
        The same seed and material give the same tables.
    progress : callable, optional
        Called with the fraction done.

    Returns
    -------
    dict of str to ndarray
        As `bandfold.bitstream.contexts.tables.tables_from_arrays` takes it.

    Raises
    ------
    SettingsError
        If a mode has no material, or PyTorch is not installed.
    BandfoldError
        If training collapsed; see `train_mode`.
    """
    arrays: Arrays = {"side_frequencies": side_tables()}
    for number, name in enumerate(MODES):
        chosen = [one for one in material if one.latents.mode == name]
        if not any(len(one.examples.tokens) for one in chosen):
            raise SettingsError(f"there are no {name} latents to train on: give more scenes")
        found = train_mode(
            name,
            chosen,
            max(round(iterations * EFFORT[name]), 1),
            seed,
            lambda done, number=number: progress((number + done) / len(MODES)),  # type: ignore[misc]
        )
        arrays.update(found)
    tables_from_arrays(arrays)
    return arrays


def train_mode(
    name: str,
    material: Sequence[Material],
    iterations: int,
    seed: int,
    report: Callable[[float], None],
    *,
    dependent: bool = False,
) -> Arrays:
    """Train the network of a mode, then count its tables.

    Parameters
    ----------
    name : str
        One of `MODES`.
    material : sequence of Material
        Of this mode.
    iterations : int
        Batches that the network is trained for.
    seed : int
        The same seed and material give the same tables.
    report : callable
        Called with the fraction done.
    dependent : bool
        Whether the latents went through two quantisers (trellis-coded quantisation).

    Returns
    -------
    dict of str to ndarray
        The arrays of this mode.

    Raises
    ------
    SettingsError
        If PyTorch is not installed.
    BandfoldError
        If training collapsed: after `TRIAL` iterations or more, the latents cost clearly more bits than with
        the tables that it started from.
    """
    network = train_network(
        [one.examples for one in material],
        iterations,
        seed,
        lambda done: report(0.5 * done),
        dependent=dependent,
    )
    thinning = max(sum(len(one.examples.tokens) for one in material) // GAUGED, 1)
    features, channels = (
        np.concatenate([getattr(one.examples, part)[::thinning] for one in material])
        for part in ("features", "channels")
    )
    parts: Arrays = dict(integer_network(network, features, channels))
    parts["frequencies"] = prior = integer_frequencies(extended(network.probabilities))
    parts["points"] = _first_points(1 + dependent)
    for number in range(RECOUNTS):
        tallies = []
        mode = mode_from_arrays(_named(name, parts), name)
        for place, one in enumerate(material):
            tallies.append(tally(one.latents, quantise_strips(one.latents, mode), mode))
            report(0.5 + (number + (place + 1) / len(material)) / (2 * RECOUNTS))
        parts["frequencies"], parts["points"] = recount(tallies, prior)
    arrays = _named(name, parts)
    if iterations >= TRIAL:
        _refuse_worthless(name, material, tallies, mode_from_arrays(arrays, name), seed)
    return arrays


def _refuse_worthless(
    name: str, material: Sequence[Material], tallies: Sequence[Tally], mode: Mode, seed: int
) -> None:
    """Raise an error if the material costs clearly more bits than with the tables that training started from.

    Tallies are those of the material, made with the network of the mode.
    """
    before = cost((one.start for one in material), material[0].mode).bits
    after = cost(tallies, mode).bits
    if after > (1.0 + WORTHLESS) * before:
        raise BandfoldError(
            f"training collapsed: {name} latents cost {after / before - 1.0:.0%} more bits than with the "
            f"tables that it started from; give another --seed than {seed}"
        )


def _named(mode: str, parts: Arrays) -> Arrays:
    return {f"{mode}_{part}": array for part, array in parts.items()}


def _first_points(quantisers: int) -> NDArray[np.int32]:
    """Reconstruction points before any are counted: the second quantiser's lie half a step lower."""
    one = np.tile(FIRST_POINTS, (CLASSES, 1))
    return np.concatenate([one + int(POINT_UNIT) // 2 * number for number in range(quantisers)])


def write_tables(path: Path, arrays: Arrays) -> None:
    """Write tables to a file, whole or not at all.

    Parameters
    ----------
    path : Path
        File to write (.npz).
    arrays : dict of str to ndarray
        See `bandfold.bitstream.contexts.tables.tables_from_arrays`.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with atomic_output(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
