"""Tables for dependent quantisation: ``python -m bandfold.calibration.dependent --scenes DIR -o OUT.npz``.

Tables for single bands are those of other tables; network, frequencies and reconstruction points of folded
components are trained on the levels of two quantisers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from bandfold.bitstream.container.header import DEPENDENT
from bandfold.bitstream.contexts.tables import (
    DEPENDENT_TABLES,
    SHIPPED_TABLES,
    load_tables,
    tables_from_arrays,
)
from bandfold.common.errors import SettingsError
from bandfold.programs.options import FILE, FOLDER, OUTPUT
from bandfold.programs.program import run
from bandfold.programs.progress import shown

from .context_training import load_torch
from .corpus import RATES, Latents
from .folds import find_scenes
from .material import Material, gather
from .table_training import Arrays, train_mode, write_tables

FOLDED = "folded"

USUAL = "usual"
"""Begin of the names of tables whose networks are not extended."""

STEP_RATIO = 1.15
"""Steps of the two quantisers over that of one at the same rate, about."""


@click.command()
@click.option("--scenes", "folder", type=FOLDER, required=True, help="Folder of ENVI scenes.")
@click.option("-o", "--output", type=OUTPUT, help="Tables (.npz).")
@click.option("--banded", type=FILE, default=SHIPPED_TABLES, help="Tables whose single bands OUT.npz gets.")
@click.option(
    "--folds",
    type=FOLDER,
    help="Folder with fold-1.npz ... and folds.json, as bandfold.calibration.tables writes it: makes "
    "dependent-1.npz ... beside them, without the scenes that each has not seen.",
)
@click.option("--iterations", type=click.IntRange(1), default=10000, show_default=True, help="Of training.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed, same tables.")
@click.option(
    "--usual",
    is_flag=True,
    help="Networks that are not extended, for comparison; of folds they are usual-1.npz ...",
)
@click.option("--start", type=FILE, default=DEPENDENT_TABLES, help="Tables that quantise the training data.")
def main(
    folder: Path,
    output: Path | None,
    banded: Path,
    folds: Path | None,
    iterations: int,
    seed: int,
    usual: bool,
    start: Path,
) -> None:
    """Train the tables of dependent quantisation."""
    if output is None and folds is None:
        raise SettingsError("nothing to write: give -o OUT.npz, --folds DIR or both")
    load_torch()
    first = load_tables(start)
    if not first.modes[FOLDED].dependent:
        raise SettingsError(f"{start} has one quantiser: --start takes tables with two")
    with shown() as progress:
        rates = {FOLDED: RATES[FOLDED]}
        material, _ = gather(find_scenes(folder), rates, first, seed, progress, _coarser)
        if usual:
            material = [replace(one, examples=one.examples.not_extended()) for one in material]

        def train(path: Path, banded: Path, seen: list[Material]) -> None:
            told = partial(progress, f"train {path.name}")
            write_tables(path, train_dependent(_arrays(banded), seen, iterations, seed, told))

        if folds is not None:
            absent: dict[str, str] = json.loads((folds / "folds.json").read_text(encoding="utf-8"))
            for name in sorted(set(absent.values())):
                seen = [one for one in material if absent.get(one.latents.scene) != name]
                train(folds / name.replace("fold", USUAL if usual else DEPENDENT), folds / name, seen)
        if output is not None:
            train(output, banded, material)


def train_dependent(
    banded: Arrays,
    material: Sequence[Material],
    iterations: int,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> Arrays:
    """Train the tables of two quantisers.

    Parameters
    ----------
    banded : dict of str to ndarray
        Tables of which all but what is folded is taken.
    material : sequence of Material
        Of folded components, quantised dependently.
    iterations : int
        Of training the network.
    seed : int
        The same seed and material give the same tables.
    progress : callable
        Called with the fraction done.

    Returns
    -------
    dict of str to ndarray
        As `bandfold.bitstream.contexts.tables.tables_from_arrays` takes it.

    Raises
    ------
    SettingsError
        If PyTorch is not installed.
    BandfoldError
        If training collapsed; see `bandfold.calibration.table_training.train_mode`.
    """
    kept = {name: array for name, array in banded.items() if not name.startswith(f"{FOLDED}_")}
    found = {**kept, **train_mode(FOLDED, material, iterations, seed, progress, dependent=True)}
    tables_from_arrays(found)
    return found


def _coarser(latents: Latents) -> Latents:
    """The same latents, in steps of two quantisers at the same rate."""
    strips: tuple[Any, ...] = tuple(
        np.divide(strip, STEP_RATIO, dtype=strip.dtype) for strip in latents.strips
    )
    return replace(latents, strips=strips)


def _arrays(path: Path) -> Arrays:
    load_tables(path)
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


if __name__ == "__main__":
    run(main)
